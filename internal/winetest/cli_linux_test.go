package winetest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring/dropboxtest"
)

// keyrings are those that Windows has, with what else link and migrate need to
// use them.
var keyrings = []struct {
	id   string
	with []string
}{
	{"wincred", nil},
	{"sealed", []string{"--key-file", "sealed.key"}},
	{"plaintext", []string{"--allow-plaintext"}},
}

// TestCommandLine links, uses, moves and unlinks an account with each keyring,
// by the program as it is built for Windows. Dropbox is on the Linux side.
func TestCommandLine(t *testing.T) {
	c := newCommandLine(t)
	for i, k := range keyrings {
		t.Run(k.id, func(t *testing.T) {
			c.link(t, k.id, k.with)
			c.standing(t, k.id)
			to := keyrings[(i+1)%len(keyrings)]
			c.must(t, "", k.id, append([]string{"migrate", "--to", to.id}, to.with...)...)
			c.standing(t, k.id, to.id)
			c.must(t, "", k.id, append([]string{"migrate", "--to", k.id}, k.with...)...)
			c.standing(t, k.id)
			c.unlink(t, k.id)
		})
	}
}

// newCommandLine builds the program, for a user who has linked nothing.
func newCommandLine(t *testing.T) *commandLine {
	t.Helper()
	w := start(t)
	server := dropboxtest.NewServer()
	t.Cleanup(server.Close)
	// An earlier test may have failed half way.
	folders, err := filepath.Glob(filepath.Join(w.dir, "prefix", "drive_c", "users", "*", "AppData", "*", "authring"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
	}
	return &commandLine{
		w:      &wine{dir: w.dir, env: append(slices.Clone(w.env), "AUTHRING_DROPBOX_URL="+server.URL, "AUTHRING_AGENT=off")},
		server: server, program: build(t, "build", "../../cmd/authring"), folder: t.TempDir(),
	}
}

// commandLine is the program in a folder, in which config names are those of
// keyrings.
type commandLine struct {
	w               *wine
	server          *dropboxtest.Server
	program, folder string
}

func (c *commandLine) do(t *testing.T, input, config string, args ...string) (string, error) {
	t.Helper()
	return c.w.run(t, c.folder, input, "wine", append([]string{c.program, "-c", config}, args...)...)
}

func (c *commandLine) must(t *testing.T, input, config string, args ...string) string {
	t.Helper()
	out, err := c.do(t, input, config, args...)
	if err != nil {
		t.Fatalf("authring %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// answer has a command print a value.
func (c *commandLine) answer(t *testing.T, config string, value any, args ...string) {
	t.Helper()
	out := c.must(t, "", config, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), value); err != nil {
		t.Fatalf("authring %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (c *commandLine) link(t *testing.T, id string, with []string) {
	t.Helper()
	with = append([]string{"--keyring", id}, with...)
	var begun struct {
		AuthURL string `json:"auth_url"`
	}
	c.answer(t, id, &begun, append([]string{"link", "--begin"}, with...)...)
	code, err := c.server.Approve(begun.AuthURL)
	if err != nil {
		t.Fatal(err)
	}
	c.must(t, code+"\n", id, append([]string{"link", "--finish"}, with...)...)
}

// standing fails unless every verb that looks finds the link of a config name
// in its keyring, which has the same name if none is given.
func (c *commandLine) standing(t *testing.T, config string, in ...string) {
	t.Helper()
	id := append(in, config)[0]
	var status struct{ State, Keyring, Email string }
	c.answer(t, config, &status, "status")
	if status.State != "linked" || status.Keyring != id || status.Email == "" {
		t.Errorf("status: %+v", status)
	}
	var list []struct{ Config, Keyring string }
	c.answer(t, config, &list, "list")
	if len(list) != 1 || list[0].Config != config || list[0].Keyring != id {
		t.Errorf("list: %+v", list)
	}
	var rings []struct{ ID, Availability string }
	c.answer(t, config, &rings, "keyrings")
	if !slices.ContainsFunc(rings, func(k struct{ ID, Availability string }) bool { return k.ID == id && k.Availability == "ready" }) {
		t.Errorf("keyrings: %+v", rings)
	}
	if out := c.must(t, "", config, "token"); !strings.HasPrefix(out, "sl.") || strings.Count(out, "\n") != 1 {
		t.Errorf("token printed %d bytes", len(out))
	}
}

func (c *commandLine) unlink(t *testing.T, config string) {
	t.Helper()
	c.must(t, "", config, "unlink", "--yes")
	if grants := c.server.Grants(); len(grants) != 0 {
		t.Errorf("%d grants are left", len(grants))
	}
	if out, err := c.do(t, "", config, "token"); err == nil || !strings.Contains(out, "no account is linked") {
		t.Errorf("token after unlink: %v\n%s", err, out)
	}
	if out, _ := c.do(t, "", config, "status", "--json"); !strings.Contains(out, `"unlinked"`) {
		t.Errorf("status after unlink:\n%s", out)
	}
}
