//go:build unix

package main_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/agent"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/provider"
)

// install builds the program into a folder, and puts beside it a program
// authring that says how it was called.
func install(t *testing.T) (program string) {
	t.Helper()
	folder := t.TempDir()
	program = filepath.Join(folder, "authring-token")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("could not build: %v\n%s", err, out)
	}
	script := "#!/bin/sh\nprintf '%s|' \"$@\"\nexit 7\n"
	if err := os.WriteFile(filepath.Join(folder, "authring"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return program
}

// run runs a program and returns what it prints, and its exit code.
func run(t *testing.T, program string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

// serve runs an agent that holds the link "work", and returns its token.
func serve(t *testing.T) (token string) {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"} {
		t.Setenv(name, "")
	}
	server := dropboxtest.NewServer()
	t.Cleanup(server.Close)
	t.Setenv("HOME", home)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("AUTHRING_DROPBOX_URL", server.URL)
	t.Setenv("AUTHRING_AGENT", "")

	dropbox, err := provider.DropboxAt(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	memory := keyringtest.NewMemory(keyring.SecretService)
	open := func(app, config string) (*authring.Session, error) {
		return authring.Open(config, authring.WithApp(app), authring.WithProvider(dropbox), authring.WithKeyrings(memory))
	}
	s, err := open("authring", "work")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	code, err := server.Approve(s.AuthURL())
	if err == nil {
		err = s.VerifyAuthToken(t.Context(), code)
	}
	if err == nil {
		_, err = s.SaveCreds(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}

	realm, err := agentclient.Realm(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	broker, err := agent.New(agent.Config{Open: open, Realm: realm})
	if err != nil {
		t.Fatal(err)
	}
	path, err := agent.SocketPath()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := agent.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- broker.Serve(ctx, socket) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = broker.Close()
	})
	reply, err := agentclient.Token(t.Context(), path, agentclient.Request{Config: "work", Realm: realm})
	if err != nil {
		t.Fatal(err)
	}
	return reply.AccessToken
}

// TestFromAgent: what the agent has is printed, as authring prints it.
func TestFromAgent(t *testing.T) {
	program, token := install(t), serve(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-c", "work"}, token + "\n"},
		{[]string{"--config-name=work", "--no-input"}, token + "\n"},
		{[]string{"--header", "--config-name", "work", "--min-valid", "1m"}, "Authorization: Bearer " + token + "\n"},
	} {
		if out, problems, code := run(t, program, tt.args...); out != tt.want || code != 0 || problems != "" {
			t.Errorf("%q: %q, %q, exit %d", tt.args, out, problems, code)
		}
	}
}

// TestHandOver: what the agent cannot answer, or what is asked in another way,
// is for authring: with the same arguments, and its exit code is ours.
func TestHandOver(t *testing.T) {
	program := install(t)
	serve(t)
	for _, args := range [][]string{
		nil,                            // not linked
		{"-c", "other"},                // nor this
		{"-c", "work", "--json"},       // another form
		{"-c", "work", "--scope", "x"}, // another token
		{"-c", "work", "--app", "Maestral"},
		{"-c", "work", "--min-valid", "soon"},
		{"-c", "work", "--min-valid", "0s"},
		{"-c", "work", "--min-valid", "99h"},
		{"-cwork"},
		{"-c"},
		{"-c", ""},
		{"-c", "work", "word"},
		{"--header=true"},
		{"--help"},
	} {
		want := strings.Join(append([]string{"token"}, args...), "|") + "|"
		if out, problems, code := run(t, program, args...); out != want || code != 7 || problems != "" {
			t.Errorf("%q: %q, %q, exit %d", args, out, problems, code)
		}
	}
	t.Setenv("AUTHRING_AGENT", "off")
	if out, _, code := run(t, program, "-c", "work"); out != "token|-c|work|" || code != 7 {
		t.Errorf("agent off: %q, exit %d", out, code)
	}
}

// TestWhichAuthring: the one beside this program, else the first on the path
// that can be run; never one in the folder where the caller happens to be.
func TestWhichAuthring(t *testing.T) {
	program := install(t)
	t.Setenv("AUTHRING_AGENT", "off")
	beside := filepath.Join(filepath.Dir(program), "authring")
	elsewhere := t.TempDir()
	if err := os.Rename(beside, filepath.Join(elsewhere, "authring")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(elsewhere)
	t.Setenv("PATH", ".:")
	if out, problems, code := run(t, program); out != "" || code != 70 || !strings.Contains(problems, "no program authring") {
		t.Errorf("a relative folder: %q, %q, exit %d", out, problems, code)
	}
	t.Setenv("PATH", "/nonexistent:"+elsewhere)
	if out, problems, code := run(t, program); out != "token|" || code != 7 {
		t.Errorf("on the path: %q, %q, exit %d", out, problems, code)
	}
	// By a link, as of a folder of programs, the one beside the file is meant.
	if err := os.Rename(filepath.Join(elsewhere, "authring"), beside); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(elsewhere, "authring-token")
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "/nonexistent")
	if out, problems, code := run(t, link); out != "token|" || code != 7 {
		t.Errorf("by a link: %q, %q, exit %d", out, problems, code)
	}
}

// TestLean: what would make the program slow to start is not linked.
func TestLean(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "github.com/authring/authring/internal/agentclient") {
		t.Fatalf("this lists something else: %q", packages)
	}
	for _, heavy := range []string{"fmt", "net", "net/http", "reflect", "encoding/json", "crypto/tls", "text/template", "github.com/authring/authring"} {
		if slices.Contains(packages, heavy) {
			t.Errorf("it links %s", heavy)
		}
	}
}
