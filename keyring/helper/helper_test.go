//go:build unix

package helper_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/helper"
	"github.com/authring/authring/secret"
)

// install makes a helper of a shell script. It finds the verb in $1, and a
// folder for its notes in $NOTES.
func install(t *testing.T, script string) (k *helper.Keyring, notes string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-authringtest"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	t.Setenv("NOTES", dir)
	k, err := helper.New("authringtest")
	if err != nil {
		t.Fatal(err)
	}
	return k, dir
}

func testKey(user string) keyring.Key { return keyring.Key{Service: "authring", User: user} }

func TestNames(t *testing.T) {
	for _, name := range []string{"pass", "osxkeychain", "1password", "ecr-login", "a.b_c", strings.Repeat("x", 64)} {
		k, err := helper.New(name)
		if err != nil || k.ID() != keyring.ID("helper:"+name) {
			t.Errorf("New(%q) = %v", name, err)
			continue
		}
		if found, ok := helper.Find(k.ID()); !ok || found.ID() != k.ID() {
			t.Errorf("Find(%q) = %v", k.ID(), ok)
		}
	}
	for _, name := range []string{"", "-x", ".x", "a/b", "../x", "a b", "ä", "a\x00", "a:b", strings.Repeat("x", 65)} {
		if _, err := helper.New(name); err == nil {
			t.Errorf("New(%q) succeeded", name)
		}
		if _, ok := helper.Find(keyring.ID("helper:" + name)); ok {
			t.Errorf("Find(helper:%q) succeeded", name)
		}
	}
	for _, id := range []keyring.ID{"", "helper", "pass", keyring.Sealed} {
		if _, ok := helper.Find(id); ok {
			t.Errorf("Find(%q) succeeded", id)
		}
	}
}

func TestProbe(t *testing.T) {
	k, notes := install(t, "touch $NOTES/ran")
	status := k.Probe(t.Context())
	if status.Availability != keyring.Ready || status.Name != "credential helper authringtest" {
		t.Errorf("Probe = %+v", status)
	}
	if _, err := os.Stat(notes + "/ran"); err == nil {
		t.Error("to look ran it")
	}
	t.Setenv("PATH", t.TempDir())
	if status := k.Probe(t.Context()); status.Availability != keyring.Absent || !strings.Contains(status.Detail, "docker-credential-authringtest") {
		t.Errorf("Probe without the program = %+v", status)
	}
	if _, err := k.Get(t.Context(), testKey("a"), keyring.NoPrompt); !errors.Is(err, keyring.ErrAbsent) {
		t.Errorf("Get = %v, want ErrAbsent", err)
	}
}

// TestWhatTheHelperSees: the secret is on its standard input only; addresses
// and user names are fit for anything; where nobody may be asked there is
// nothing to ask at.
func TestWhatTheHelperSees(t *testing.T) {
	t.Setenv("DISPLAY", ":99")
	t.Setenv("GPG_TTY", "/dev/tty9")
	k, notes := install(t, `env > $NOTES/env; echo "$@" > $NOTES/args; cat > $NOTES/stdin; (: > /dev/tty) 2> /dev/null && echo terminal >> $NOTES/env; exit 0`)
	for _, c := range []struct {
		user, value, username, stored string
		prompt                        keyring.Prompt
	}{
		{"config:default:dbid:AAAA", "sl.do-not-print-me", "config:default:dbid:AAAA", "sl.do-not-print-me", keyring.NoPrompt},
		{"../../x y/ü", "two\nlines\n", "%2E.%2F..%2Fx%20y%2F%C3%BC", "base64:dHdvCmxpbmVzCg==", keyring.AskUser},
		{"a.b@c", "base64:x", "a.b@c", "base64:YmFzZTY0Ong=", keyring.NoPrompt},
	} {
		if err := k.Set(t.Context(), testKey(c.user), secret.New(c.value), c.prompt); err != nil {
			t.Fatal(err)
		}
		input := read(t, notes+"/stdin")
		if !strings.Contains(input, `"Username":"`+c.username+`","Secret":"`+c.stored+`"`) || !strings.Contains(input, `.authring.invalid"`) {
			t.Errorf("it read %s", input)
		}
		if args := read(t, notes+"/args"); args != "store\n" {
			t.Errorf("its arguments are %q", args)
		}
		env := read(t, notes+"/env")
		if strings.Contains(env, "do-not-print-me") {
			t.Error("the secret is in its environment")
		}
		mayAsk := c.prompt > keyring.NoPrompt
		if strings.Contains(env, "DISPLAY=:99") != mayAsk || strings.Contains(env, "GPG_TTY=") != mayAsk || strings.Contains(env, "--pinentry-mode=error") == mayAsk {
			t.Errorf("prompt %v: its environment is\n%s", c.prompt, env)
		}
		if !mayAsk && strings.HasSuffix(env, "terminal\n") {
			t.Error("it has a terminal")
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestAnswers: what a helper answers, and what is made of it.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		kind   error
		says   string
	}{
		"not found":       {`echo credentials not found in native keychain; exit 1`, keyring.ErrNotFound, ""},
		"not found, told": {`echo credentials not found in native keychain >&2; exit 1`, keyring.ErrNotFound, ""},
		"empty":           {`echo '{"ServerURL":"x","Username":"","Secret":""}'`, keyring.ErrNotFound, ""},
		"another item":    {`echo '{"ServerURL":"x","Username":"b","Secret":"do-not-print-me"}'`, keyring.ErrUnavailable, "another item"},
		"no JSON":         {`echo do-not-print-me`, keyring.ErrUnavailable, "not what helpers answer"},
		"nothing":         {`:`, keyring.ErrUnavailable, "not what helpers answer"},
		"damaged":         {`echo '{"Username":"a","Secret":"base64:do-not-print-me"}'`, keyring.ErrUnavailable, "damaged"},
		"an error":        {`echo the vault is on fire; exit 3`, keyring.ErrUnavailable, "it failed: the vault is on fire"},
		"on stderr":       {`printf '\033[31mthe\nvault\033[0m' >&2; exit 1`, keyring.ErrUnavailable, "it failed: [31mthe vault [0m"},
		"silent":          {`exit 7`, keyring.ErrUnavailable, "exit status 7"},
		"killed":          {`kill -9 $$`, keyring.ErrUnavailable, "signal: killed"},
		"long":            {`yes no | head -n 5000; exit 1`, keyring.ErrUnavailable, "no no no…"},
		"empty folder":    {`echo no usernames for https://x.authring.invalid; exit 1`, keyring.ErrNotFound, ""},
		"bare secret":     {`echo do-not-print-me-0; exit 1`, keyring.ErrUnavailable, "it failed: ***"},
		"bare letters":    {`echo "it is: do-not-print-me-do-not-print-me!"; exit 1`, keyring.ErrUnavailable, "it failed: it is: ***!"},
		"secret in error": {`echo '{"Secret":"do-not-print-me"} is bad'; exit 1`, keyring.ErrUnavailable, "exit status 1"},
		"locked":          {`echo 'exit status 2: gpg: decryption failed: No secret key'; exit 1`, keyring.ErrLocked, "gpg: decryption failed"},
		"endless":         {`yes do-not-print-me`, keyring.ErrUnavailable, "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := install(t, c.script)
			got, err := k.Get(t.Context(), testKey("a"), keyring.NoPrompt)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !got.IsZero() {
				t.Errorf("Get = %q, %v; want %v, %q", got.Reveal(), err, c.kind, c.says)
			}
			if strings.Contains(err.Error(), "do-not-print-me") || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("the error shows too much: %q", err)
			}
			var kerr *keyring.Error
			if !errors.As(err, &kerr) || kerr.Keyring != "helper:authringtest" {
				t.Errorf("the error is %T, %+v", err, err)
			}
			if err := k.Delete(t.Context(), testKey("a"), keyring.NoPrompt); !errors.Is(err, c.kind) {
				t.Errorf("Delete = %v, want %v", err, c.kind)
			}
		})
	}
	// A helper that repeats what it was given.
	k, _ := install(t, `cat | sed 's/.*Secret":"//; s/".*//'; exit 1`)
	for _, value := range []string{"do-not-print-me", "do-not-print-me\n"} {
		err := k.Set(t.Context(), testKey("a"), secret.New(value), keyring.NoPrompt)
		if err == nil || strings.Contains(err.Error(), "do-not") || strings.Contains(err.Error(), "base64") {
			t.Errorf("Set = %v", err)
		}
	}
}

// TestItHangs: the call ends with its context, and the helper with all that it
// started.
func TestItHangs(t *testing.T) {
	for name, prompt := range map[string]keyring.Prompt{"may not ask": keyring.NoPrompt, "may ask": keyring.AskUser} {
		t.Run(name, func(t *testing.T) {
			k, notes := install(t, `sleep 1000 & echo $! > $NOTES/pid.new; mv $NOTES/pid.new $NOTES/pid; wait`)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			go func() {
				for ctx.Err() == nil {
					if _, err := os.Stat(notes + "/pid"); err == nil {
						cancel()
					}
				}
			}()
			if _, err := k.Get(ctx, testKey("a"), prompt); !errors.Is(err, context.Canceled) {
				t.Errorf("Get = %v, want context.Canceled", err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(read(t, notes+"/pid")))
			if err != nil {
				t.Fatal(err)
			}
			// It is dead, or a zombie until whoever adopted it notices.
			for ctx, done := context.WithTimeout(t.Context(), 10*time.Second); ; {
				stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
				if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || err == nil && strings.Contains(string(stat), ") Z ") {
					done()
					break
				}
				if ctx.Err() != nil {
					done()
					t.Fatal("what the helper started is alive")
				}
			}
		})
	}
}

func TestKeysAndValuesThatDoNotFit(t *testing.T) {
	k, notes := install(t, "touch $NOTES/ran")
	for _, key := range []keyring.Key{{}, {Service: "s"}, {User: "u"}, {Service: "s\x00", User: "u"}} {
		if err := k.Set(t.Context(), key, secret.New("v"), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
			t.Errorf("Set(%v) = %v", key, err)
		}
	}
	for _, value := range []string{"", strings.Repeat("x", 1<<20)} {
		if err := k.Set(t.Context(), testKey("a"), secret.New(value), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
			t.Errorf("Set of %d bytes = %v", len(value), err)
		}
	}
	if _, err := os.Stat(notes + "/ran"); err == nil {
		t.Error("the helper was run")
	}
}
