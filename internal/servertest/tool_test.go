package servertest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/servertest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// build builds the command line tool.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "authring")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/authring").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// tool is the command line tool, with a home of its own.
type tool struct {
	t       *testing.T
	program string
	home    string
	environ []string
}

func newTool(t *testing.T, program string) *tool {
	home := t.TempDir()
	return &tool{t, program, home, []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
		"XDG_DATA_HOME=" + filepath.Join(home, "data"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
	}}
}

func (u *tool) command(stdin string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(u.t.Context(), u.program, args...)
	cmd.Env, cmd.Stdin, cmd.WaitDelay = u.environ, strings.NewReader(stdin), 5*time.Second
	return cmd
}

// run runs a command to its end, and returns what it printed.
func (u *tool) run(stdin string, args ...string) (string, error) {
	cmd := u.command(stdin, args...)
	var out, told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &told
	if err := cmd.Run(); err != nil {
		cause, _, _ := strings.Cut(strings.TrimSpace(told.String()), "\n") // hints follow
		cause = cause[max(0, strings.LastIndex(cause, "could not")):]
		return "", fmt.Errorf("authring %s: %w: %s", args[0], err, cause)
	}
	return strings.TrimSpace(out.String()), nil
}

// follow runs a command, and does what it tells its user to, as soon as what it
// wrote to standard error fits.
func (u *tool) follow(telling *regexp.Regexp, do func(found []string), args ...string) error {
	cmd := u.command("", args...)
	pipe, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	told := bufio.NewReader(pipe)
	var text strings.Builder
	var found []string
	for found == nil && err == nil {
		var line string
		line, err = told.ReadString('\n')
		text.WriteString(line)
		found = telling.FindStringSubmatch(text.String())
	}
	if found != nil {
		do(found)
	}
	rest, _ := io.ReadAll(told)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("authring %s: %w: %s%s", args[0], err, text.String(), rest)
	}
	return nil
}

var (
	pageShown = regexp.MustCompile(`(?m)^  (http://\S+)\n`)
	codeShown = regexp.MustCompile(`(?s)open this page:\s+(\S+)\s+and type this code there, or compare it:\s+(\S+)\s`)
)

// link links by the way of the visit.
func (u *tool) link(v *visit) error {
	args := []string{"link", "--provider", v.provider.Name, "--keyring", "plaintext"}
	switch v.flow {
	case servertest.Redirect:
		return u.follow(pageShown, func(found []string) { v.person.visit(found[1], v.server.pages, "") },
			append(args, "--way", "browser", "--no-browser", "--no-input")...)
	case servertest.Device:
		return u.follow(codeShown, func(found []string) { v.person.visit(found[1], v.server.pages, found[2]) },
			append(args, "--way", "device", "--no-input")...)
	}
	page, err := u.run("", append(args, "--begin")...)
	if err != nil {
		return err
	}
	redirect, err := v.provider.RedirectAt(0)
	if err != nil {
		return err
	}
	_, err = u.run(answer(v.t, v.person.visit(page, v.server.pages, ""), redirect)+"\n", append(args, "--finish")...)
	return err
}

// client is one that can use the tokens of the tool.
func (u *tool) client(v *visit) *provider.Client {
	u.t.Helper()
	layout, err := record.LayoutIn(record.DefaultApp, filepath.Join(u.home, "config", "authring"), filepath.Join(u.home, "state", "authring"))
	if err != nil {
		u.t.Fatal(err)
	}
	rec, err := layout.Load("default")
	if err != nil {
		u.t.Fatal(err)
	}
	file := plaintext.New(plaintext.WithPath(filepath.Join(u.home, "data", "python_keyring", "keyring_pass.cfg")))
	held, err := file.Get(u.t.Context(), keyring.Key{Service: layout.Service(), User: record.UserName("default", rec.AccountID)}, keyring.NoPrompt)
	if err != nil {
		u.t.Fatal(err)
	}
	client, _ := apart(u.t, v.desk().client, held)
	return client
}

// tool goes through the life of a link by commands.
func (v *visit) tool(program string) {
	v.t.Helper()
	u := newTool(v.t, program)
	var token, ended string
	var client *provider.Client
	_, err := u.run("", "provider", "add", v.provider.Name, "--issuer", v.server.Issuer, "--client-id", v.server.native)
	if err == nil {
		err = u.link(v)
	}
	if err == nil {
		token, err = u.run("", "token")
	}
	if err == nil {
		client = u.client(v)
		err = client.Check(v.t.Context(), secret.New(token))
	}
	if err == nil {
		ended, err = u.run("", "unlink", "--yes", "--json")
	}
	var result struct{ Revoked bool }
	if err == nil {
		err = json.Unmarshal([]byte(ended), &result)
	}
	if err == nil && !result.Revoked {
		err = errors.New("authring unlink leaves the grant")
	}
	if err == nil {
		if err = client.Check(v.t.Context(), secret.New(token)); errors.Is(err, provider.ErrInvalidToken) {
			err = nil
		} else {
			err = fmt.Errorf("after authring unlink the token is answered with %s", said(err))
		}
	}
	v.judge(servertest.Tool, err)
}
