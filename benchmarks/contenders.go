package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// The contenders that something is said about.
const (
	idC         = "c"
	idGo        = "go"
	idStart     = "start"
	idPlain     = "plain"
	idBare      = "bare"
	idOurs      = "ours"
	idZalando   = "zalando"
	idKeybase   = "keybase"
	idLibsecret = "libsecret"
	idPython    = "python"
)

// kind is what a contender does.
type kind int

const (
	floor     kind = iota // starts and ends
	clear                 // reads the secret, which crosses the bus in the clear
	encrypted             // reads the secret in an encrypted session
	agentKind             // asks an agent that has the token in memory
	plainFile             // reads a file
)

// source is where a contender has a token from.
func (k kind) source() string {
	switch k {
	case agentKind:
		return "an agent's memory"
	case plainFile:
		return "a file, in the clear"
	case encrypted:
		return "gnome-keyring"
	default:
		return ""
	}
}

// contender is one program that is measured.
type contender struct {
	id      string
	name    string
	kind    kind
	command []string
	// silent says that it prints nothing, so that only its exit status shows
	// whether it read the secret.
	silent bool
}

// contenders lists them as the tables do.
func contenders(p programs, i item) []contender {
	return []contender{
		{id: idC, name: "C hello-world", kind: floor, command: []string{p.chello}},
		{id: idGo, name: "Go hello-world", kind: floor, command: []string{p.gohello}},
		{id: idStart, name: "authring version", kind: floor, command: []string{p.authring, "version"}},
		{id: idPlain, name: "godbus, plain lookup", kind: clear, command: []string{p.plain, i.service, i.user}},
		{id: idZalando, name: "zalando/go-keyring", kind: clear, command: []string{p.zalando, i.service, i.user}},
		{id: idOurs, name: "authring", kind: encrypted, command: []string{p.authring, "bench-read"}, silent: true},
		{id: idBare, name: "authring, keyring only", kind: encrypted, command: []string{p.bare, i.service, i.user}},
		{id: idKeybase, name: "keybase/go-keychain", kind: encrypted, command: []string{p.keybase, i.service, i.user}},
		{id: idLibsecret, name: "secret-tool (libsecret)", kind: encrypted,
			command: []string{"/usr/bin/secret-tool", "lookup", "service", i.service, "username", i.user}},
		// By name: otherwise it would look at every backend that it has.
		{id: idPython, name: "Python keyring", kind: encrypted, command: []string{
			"/usr/bin/python3", "-m", "keyring", "-b", "keyring.backends.SecretService.Keyring", "get", i.service, i.user,
		}},
	}
}

// check runs every contender that reads once, and sees that it got the secret.
func check(ctx context.Context, env []string, list []contender, i item) error {
	for _, c := range list {
		if c.kind == floor {
			continue
		}
		cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
		cmd.Env = env
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s did not read the secret: %w", c.name, explain(err))
		}
		want := i.secret
		if c.silent {
			want = ""
		}
		if strings.TrimSuffix(string(out), "\n") != want {
			return fmt.Errorf("%s printed something else than expected", c.name)
		}
	}
	return nil
}

// checkMissing sees that no contender pretends to have read a secret that is
// not there any more.
func checkMissing(ctx context.Context, env []string, list []contender) error {
	for _, c := range list {
		if c.kind == floor {
			continue
		}
		cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
		cmd.Env = env
		if err := cmd.Run(); cmd.ProcessState == nil {
			return fmt.Errorf("could not run %s: %w", c.name, err)
		} else if err == nil {
			return fmt.Errorf("%s ended well although its secret was removed", c.name)
		}
	}
	return nil
}

// explain adds what a program said on standard error.
func explain(err error) error {
	if exit, ok := err.(*exec.ExitError); ok && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
