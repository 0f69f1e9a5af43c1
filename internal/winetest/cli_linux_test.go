package winetest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/authring/authring/dropboxtest"
)

// TestCommandLine links, uses and unlinks an account with each keyring, by the
// program as it is built for Windows. Dropbox is on the Linux side.
func TestCommandLine(t *testing.T) {
	w := start(t)
	server := dropboxtest.NewServer()
	defer server.Close()
	authring := build(t, "build", "../../cmd/authring")
	inner := &wine{dir: w.dir, env: append(w.env, "AUTHRING_DROPBOX_URL="+server.URL)}
	for _, id := range []string{"wincred", "plaintext"} {
		t.Run(id, func(t *testing.T) { inner.commandLine(t, server, authring, id) })
	}
}

func (w *wine) commandLine(t *testing.T, server *dropboxtest.Server, authring, id string) {
	folder := t.TempDir()
	do := func(input string, args ...string) (string, error) {
		t.Helper()
		return w.run(t, folder, input, "wine", append([]string{authring, "-c", id}, args...)...)
	}
	must := func(input string, args ...string) string {
		t.Helper()
		out, err := do(input, args...)
		if err != nil {
			t.Fatalf("authring %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	allow := []string{"--keyring", id}
	if id == "plaintext" {
		allow = append(allow, "--allow-plaintext")
	}

	var begun struct {
		AuthURL string `json:"auth_url"`
	}
	out := must("", append([]string{"link", "--begin", "--json"}, allow...)...)
	if err := json.Unmarshal([]byte(out), &begun); err != nil {
		t.Fatalf("link --begin: %v\n%s", err, out)
	}
	code, err := server.Approve(begun.AuthURL)
	if err != nil {
		t.Fatal(err)
	}
	must(code+"\n", append([]string{"link", "--finish"}, allow...)...)

	var status struct{ State, Keyring, Email string }
	out = must("", "status", "--json")
	if err := json.Unmarshal([]byte(out), &status); err != nil || status.State != "linked" || status.Keyring != id || status.Email == "" {
		t.Errorf("status: %v\n%s", err, out)
	}
	if out := must("", "token"); !strings.HasPrefix(out, "sl.") || strings.Count(out, "\n") != 1 {
		t.Errorf("token printed %d bytes", len(out))
	}
	must("", "unlink", "--yes")
	if grants := server.Grants(); len(grants) != 0 {
		t.Errorf("%d grants are left", len(grants))
	}
	if out, err := do("", "token"); err == nil || !strings.Contains(out, "no account is linked") {
		t.Errorf("token after unlink: %v\n%s", err, out)
	}
	if out, _ := do("", "status", "--json"); !strings.Contains(out, `"unlinked"`) {
		t.Errorf("status after unlink:\n%s", out)
	}
}
