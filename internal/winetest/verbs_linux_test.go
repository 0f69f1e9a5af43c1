package winetest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// exits fails unless a command ends with a status, and prints what it should.
func (c *commandLine) exits(t *testing.T, status int, prints, input, config string, args ...string) {
	t.Helper()
	out, err := c.do(t, input, config, args...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if code != status || !strings.Contains(out, prints) {
		t.Errorf("authring %s: status %d, want %d, and %q in\n%s", strings.Join(args, " "), code, status, prints, out)
	}
}

// TestVerbs tries what else the command line has. Wine 8 lacks the sockets that
// the agent needs.
func TestVerbs(t *testing.T) {
	c := newCommandLine(t)
	c.link(t, "work", []string{"--keyring", "wincred"})
	for _, step := range []struct {
		status int
		prints string
		input  string
		args   []string
	}{
		{0, "sl.", "", []string{"exec", "--", "cmd.exe", "/c", "echo %DROPBOX_ACCESS_TOKEN%"}},
		{7, "", "", []string{"exec", "--env", "TOKEN", "--", "cmd.exe", "/c", "exit 7"}},
		{5, "http://127.0.0.1:", "", []string{"exec", "--proxy", "--", "cmd.exe", "/c", "echo %AUTHRING_PROXY%& exit 5"}},
		{64, "for Linux", "", []string{"exec", "--token-file", "--", "cmd.exe"}},
		{70, "could not listen", "", []string{"exec", "--socket", "--", "cmd.exe"}},
		{127, "no such program", "", []string{"exec", "--", "none"}},
		{69, "no agent", "", []string{"agent", "status"}},
		{0, "Authorization: Bearer sl.", "", []string{"token", "--header"}},
		{0, "", "passphrase\n", []string{"migrate", "--to", "sealed", "--passphrase-fd", "0"}},
		{0, "sl.", "passphrase\r\n", []string{"token", "--passphrase-fd", "0"}},
		{4, "", "another\n", []string{"token", "--passphrase-fd", "0"}},
		{64, "0 only", "", []string{"token", "--passphrase-fd", "3"}},
		{0, "", "passphrase\n", []string{"migrate", "--to", "wincred", "--passphrase-fd", "0"}},
		{0, "[box]", "", []string{"export", "rclone", "--remote", "box", "--yes"}},
		{3, "no such remote", "", []string{"import", "rclone", "none", "--config", "rclone.conf"}},
		{0, "becomes the link", "", []string{"import", "rclone", "box", "--config", "rclone.conf", "--dry-run", "-c", "copy"}},
		{0, "Added", "", []string{"provider", "add", "example", "--auth-url", "http://127.0.0.1:1/a", "--token-url", "http://127.0.0.1:1/t", "--client-id", "x", "--yes"}},
		{0, "ready: authring link --provider example", "", []string{"provider", "list"}},
		{0, "Removed", "", []string{"provider", "remove", "example", "--yes"}},
		{0, "Rule 1", "", []string{"policy", "deny", "--any"}},
		{0, "deny", "", []string{"policy", "show"}},
		{0, "Remove-Item Env:AUTHRING_DROPBOX_URL", "", []string{"doctor"}},
		{0, "Nothing is left", "", []string{"demo"}},
		{0, "Unlinked", "", []string{"unlink", "--yes"}},
	} {
		if step.args[0] == "import" {
			exported := "[box]\ntype = dropbox\nclient_id = 2jmbq42w7vof78h\ntoken = {\"access_token\":\"a\",\"token_type\":\"bearer\",\"refresh_token\":\"r\",\"expiry\":\"2020-01-01T00:00:00Z\"}\n"
			if err := os.WriteFile(filepath.Join(c.folder, "rclone.conf"), []byte(exported), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c.exits(t, step.status, step.prints, step.input, "work", step.args...)
	}
	left, err := filepath.Glob(filepath.Join(c.w.dir, "prefix", "drive_c", "users", "*", "AppData", "Local", "authring", "exec-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("exec left %v, %v", left, err)
	}
}
