package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/needs"
)

// maestralEra is how versions of Maestral kept a link. In its texts ACCOUNT,
// CONFIG and CLASS stand for the account, the config name and the keyring's.
type maestralEra struct {
	name        string
	conf, state string
	user        string // of the item
	legacy      bool
}

var maestralEras = []maestralEra{
	{"v0.2.0", "[main]\nversion = 8.1.0\n\n[account]\naccount_id = ACCOUNT\nemail = \n", "", "MaestralUser", true},
	{"v0.2.5", "[main]\nversion = 8.1.0\n\n[account]\naccount_id = ACCOUNT\nemail = \n", "", "ACCOUNT", true},
	{"v1.1", "[account]\naccount_id = ACCOUNT\n\n[app]\nkeyring = CLASS\n\n[main]\nversion = 12.1.0\n", "[account]\nemail = \n", "ACCOUNT", true},
	{"v1.2.1", "[account]\naccount_id = ACCOUNT\n\n[app]\nkeyring = CLASS\n", "[account]\ntoken_access_type = offline\n", "ACCOUNT", false},
	{"v1.4.5", "[account]\naccount_id = ACCOUNT\n\n[app]\nkeyring = CLASS\n", "[account]\ntoken_access_type = offline\n", "config:CONFIG:ACCOUNT", false},
	{"v1.4.8", "[auth]\naccount_id = ACCOUNT\nkeyring = CLASS\n", "[auth]\ntoken_access_type = offline\n", "config:CONFIG:ACCOUNT", false},
	{"v1.9", "[auth]\naccount_id = ACCOUNT\nkeyring = CLASS\ntoken_access_type = offline\n", "[account]\nemail = ada@example.org\n", "config:CONFIG:ACCOUNT", false},
}

// storeAll has Python's keyring library store the secrets, as Maestral had it do.
const storeAll = `
import json, sys
from keyring.core import load_keyring
ring = load_keyring(sys.argv[1])
for user, secret in json.load(sys.stdin).items():
    ring.set_password("Maestral", user, secret)
`

// Links of every era of Maestral are imported, from the keyrings that Python's
// library wrote.
func TestImportFromEveryMaestral(t *testing.T) {
	const python = "/usr/bin/python3"
	needs.Programs(t, python)
	if err := exec.Command(python, "-c", "import keyring, keyrings.alt.file, secretstorage, dbus").Run(); err != nil {
		needs.Missing(t, "python3-keyring, python3-keyrings.alt, python3-secretstorage, python3-dbus")
	}
	for _, c := range []struct {
		id, class string
		start     func(*testing.T, *daemontest.Desk)
	}{
		{"secret-service", "keyring.backends.SecretService.Keyring", func(t *testing.T, d *daemontest.Desk) { daemontest.StartGNOME(t, d) }},
		{"kwallet", "keyring.backends.kwallet.DBusKeyring", func(t *testing.T, d *daemontest.Desk) { daemontest.StartKWallet(t, d) }},
		{"plaintext", "keyrings.alt.file.PlaintextKeyring", func(*testing.T, *daemontest.Desk) {}},
	} {
		t.Run(c.id, func(t *testing.T) {
			p, desk := onDesk(t)
			c.start(t, desk)
			secrets := map[string]string{}
			for n, era := range maestralEras {
				user := p.dropbox.SetUser(dropboxtest.User{AccountID: fmt.Sprintf("dbid:Era-%d", n), GivenName: "Ada", Email: fmt.Sprintf("era%d@example.org", n)})
				fill := strings.NewReplacer("ACCOUNT", user.AccountID, "CONFIG", era.name, "CLASS", c.class)
				if era.legacy {
					secrets[fill.Replace(era.user)] = p.dropbox.LegacyToken(user.AccountID)
				} else {
					secrets[fill.Replace(era.user)] = p.dropbox.RefreshToken(user.AccountID)
				}
				p.file(fill.Replace(era.conf), ".config", "maestral", era.name+".ini")
				if era.state != "" {
					p.file(era.state, ".local", "share", "maestral", era.name+".state")
				}
			}
			input, err := json.Marshal(secrets)
			if err != nil {
				t.Fatal(err)
			}
			store := desk.Command(python, "-c", storeAll, c.class)
			store.Stdin = strings.NewReader(string(input))
			if out, err := store.CombinedOutput(); err != nil {
				t.Fatalf("Python's keyring: %v: %s", err, out)
			}
			before := snapshot(t, p.home, ".config/maestral", ".local/share/maestral")

			_, stderr := p.want(0, "", "import", "maestral", "--dry-run")
			if n := strings.Count(stderr, "becomes the link"); n != len(maestralEras) {
				t.Errorf("a dry run says:\n%s", stderr)
			}
			stdout, stderr := p.want(0, "", "import", "maestral", "--yes", "--json", "--keyring", c.id)
			if n := strings.Count(stdout, `"state": "imported"`); n != len(maestralEras) {
				t.Errorf("imported %d:\n%s%s", n, stdout, stderr)
			}
			for n, era := range maestralEras {
				stdout, _ := p.want(0, "", "status", "--json", "-c", era.name)
				var status struct {
					State, Email, Keyring string
					AccountID             string `json:"account_id"`
					Kind                  string `json:"token_access_type"`
				}
				if err := json.Unmarshal([]byte(stdout), &status); err != nil {
					t.Fatal(err)
				}
				kind := map[bool]string{true: "legacy", false: "offline"}[era.legacy]
				if status.State != "linked" || status.Kind != kind || status.Keyring != c.id ||
					status.AccountID != fmt.Sprintf("dbid:Era-%d", n) || status.Email != fmt.Sprintf("era%d@example.org", n) {
					t.Errorf("%s: %+v", era.name, status)
				}
				p.want(0, "", "token", "-c", era.name)
			}
			// Maestral has all that it had.
			if after := snapshot(t, p.home, ".config/maestral", ".local/share/maestral"); after != before {
				t.Errorf("Maestral's files changed:\n%s\nwere\n%s", after, before)
			}
			if got := len(p.dropbox.Grants()); got != len(maestralEras) {
				t.Errorf("%d grants are valid", got)
			}
		})
	}
}

// The keyring of a link of Maestral's is locked, gone, or without the secret.
func TestImportFromALockedKeyring(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	p.link("--app", "Maestral", "-c", "maestral", "--keyring", "secret-service")
	gnome.Lock(t)
	_, stderr := p.want(0, "", "import", "maestral", "--dry-run")
	if !strings.Contains(stderr, "copied from GNOME Keyring, which is locked, and will ask to be unlocked") {
		t.Errorf("a dry run says:\n%s", stderr)
	}
	_, stderr = p.want(4, "", "import", "maestral", "--dry-run", "--no-input")
	if !strings.Contains(stderr, "its secret cannot be read") || !strings.Contains(stderr, "Unlock") {
		t.Errorf("a dry run says:\n%s", stderr)
	}
	daemontest.StartPrompter(t, desk, daemontest.Cancel(), daemontest.Type(daemontest.GNOMEPassword))
	stdout, _ := p.want(4, "", "import", "maestral", "--yes", "--json")
	if !strings.Contains(stdout, `"error": "dismissed"`) {
		t.Errorf("import says:\n%s", stdout)
	}
	p.want(0, "", "import", "maestral", "--yes")
	p.want(0, "", "token", "-c", "maestral")

	// What is stored for one account is another's.
	p.file("[auth]\naccount_id = dbid:somebody\nkeyring = keyring.backends.SecretService.Keyring\ntoken_access_type = offline\n", ".config", "maestral", "wrong.ini")
	store := desk.Command("secret-tool", "store", "--label=wrong", "service", "Maestral", "username", "config:wrong:dbid:somebody")
	store.Stdin = strings.NewReader(p.dropbox.RefreshToken(p.dropbox.User().AccountID))
	if out, err := store.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, stderr = p.want(1, "", "import", "maestral", "wrong", "--yes")
	if want := fmt.Sprintf("is of the account %s, and not of dbid:somebody; nothing was changed", p.dropbox.User().AccountID); !strings.Contains(stderr, want) || strings.Contains(stderr, "does not take") {
		t.Errorf("import says:\n%s", stderr)
	}

	remove := desk.Command("secret-tool", "clear", "service", "Maestral")
	if out, err := remove.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, stderr = p.want(5, "", "import", "maestral", "maestral", "-c", "again", "--yes")
	if !strings.Contains(stderr, "not in the keyring where Maestral keeps it") {
		t.Errorf("import says:\n%s", stderr)
	}
	gnome.Stop(t)
	p.want(5, "", "import", "maestral", "maestral", "-c", "again", "--yes")
	p.file("[auth]\naccount_id = dbid:x\nkeyring = keyring.backends.chainer.ChainerBackend\n", ".config", "maestral", "chained.ini")
	if _, stderr = p.want(5, "", "import", "maestral", "chained", "--yes"); !strings.Contains(stderr, "keyring.backends.chainer.ChainerBackend") {
		t.Errorf("import says:\n%s", stderr)
	}
	p.file("no section\n", ".config", "maestral", "broken.ini")
	if _, stderr = p.want(70, "", "import", "maestral", "broken", "--yes"); !strings.Contains(stderr, "broken.ini, line 1") {
		t.Errorf("import says:\n%s", stderr)
	}
	// At a terminal the question comes after what would be done.
	gnome.StartUnlocked(t)
	p.link("--app", "Maestral", "-c", "other", "--keyring", "secret-service")
	term := p.run(nil, "import", "maestral", "other")
	term.expect("it ends for both")
	term.expect("Import it? [y/N] ")
	term.typeText("n\n")
	term.expect("nothing was changed")
	if got := term.end(); got != 130 {
		t.Errorf("exit code %d, want 130", got)
	}
	p.want(3, "", "status", "-c", "other")
}

// file writes a file below the person's home.
func (p *person) file(text string, path ...string) {
	p.t.Helper()
	name := filepath.Join(append([]string{p.home}, path...)...)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// snapshot is all files of some folders, with what is in them.
func snapshot(t *testing.T, home string, folders ...string) string {
	t.Helper()
	var text strings.Builder
	for _, folder := range folders {
		entries, err := os.ReadDir(filepath.Join(home, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			data, err := os.ReadFile(filepath.Join(home, folder, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%s/%s:\n%s\n", folder, entry.Name(), data)
		}
	}
	return text.String()
}
