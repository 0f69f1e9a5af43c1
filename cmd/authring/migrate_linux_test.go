package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
)

// A link moves between the real keyrings.
func TestMigrateBetweenKeyrings(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	wallet := daemontest.StartKWallet(t, desk)
	p.link("--keyring", "secret-service")
	p.link("--keyring", "secret-service", "-c", "work")
	inGNOME := func() int {
		out, _ := desk.Command("secret-tool", "search", "--all", "service", "authring").Output()
		return strings.Count(string(out), "label = ")
	}
	inWallet := func() int { return len(wallet.Entries(t, "authring")) }
	if inGNOME() != 2 || inWallet() != 0 {
		t.Fatalf("at first gnome-keyring holds %d items and KWallet %d", inGNOME(), inWallet())
	}
	_, stderr := p.want(0, "", "migrate", "--to", "kwallet", "-c", "work")
	if !strings.Contains(stderr, `Moved "work" from GNOME Keyring to `) {
		t.Errorf("migrate says:\n%s", stderr)
	}
	if inGNOME() != 1 || inWallet() != 1 {
		t.Errorf("gnome-keyring holds %d items and KWallet %d", inGNOME(), inWallet())
	}
	p.want(0, "", "token", "-c", "work")
	p.want(0, "", "token")
	stdout, _ := p.want(0, "", "migrate", "--to", "kwallet", "--all", "--json")
	if strings.Count(stdout, `"moved": true`) != 1 || strings.Count(stdout, `"moved": false`) != 1 {
		t.Errorf("migrate --all says:\n%s", stdout)
	}
	if inGNOME() != 0 || inWallet() != 2 {
		t.Errorf("gnome-keyring holds %d items and KWallet %d", inGNOME(), inWallet())
	}

	// A keyring that is locked keeps the link where it is.
	wallet.Close(t)
	gnome.Lock(t)
	_, stderr = p.want(4, "", "migrate", "--to", "secret-service", "--no-input")
	if !strings.Contains(stderr, "is locked") || !strings.Contains(stderr, "nothing was changed") {
		t.Errorf("migrate says:\n%s", stderr)
	}
	wallet.Open(t)
	if _, stderr = p.want(4, "", "migrate", "--to", "secret-service", "--no-input"); !strings.Contains(stderr, "GNOME Keyring") {
		t.Errorf("migrate says:\n%s", stderr)
	}
	if _, stderr = p.want(75, "", "migrate", "--to", "secret-service", "--wait-keyring", "1s"); !strings.Contains(stderr, "waited 1s in vain: could not use GNOME Keyring") {
		t.Errorf("migrate says:\n%s", stderr)
	}
	daemontest.StartPrompter(t, desk, daemontest.Type(daemontest.GNOMEPassword))
	p.want(0, "", "migrate", "--to", "secret-service", "--all")
	if inGNOME() != 2 || inWallet() != 0 {
		t.Errorf("gnome-keyring holds %d items and KWallet %d", inGNOME(), inWallet())
	}

	// Plain text is asked for.
	if _, stderr = p.want(5, "", "migrate", "--to", "plaintext"); !strings.Contains(stderr, "plain text was not allowed") {
		t.Errorf("migrate says:\n%s", stderr)
	}
	term := p.run(nil, "migrate", "--to", "plaintext")
	term.expect("Store it as plain text? [y/N] ")
	term.typeText("n\n")
	term.expect("plain text was not allowed")
	if got := term.end(); got != 5 {
		t.Errorf("exit code %d, want 5", got)
	}
	term = p.run(nil, "migrate", "--to", "plaintext", "--all")
	term.expect("Store it as plain text? [y/N] ")
	term.typeText("y\n")
	term.expect(`Moved "default" from GNOME Keyring to `)
	term.expect(`Moved "work" from GNOME Keyring to `)
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if inGNOME() != 0 {
		t.Errorf("gnome-keyring holds %d items", inGNOME())
	}
	p.want(0, "", "token")
	stdout, _ = p.want(0, "", "status", "--history")
	if strings.Count(stdout, "migrated") != 3 || !strings.Contains(stdout, "from kwallet") {
		t.Errorf("the history is:\n%s", stdout)
	}
	p.want(0, "", "migrate", "--to", "secret-service", "--all")
	data, err := os.ReadFile(filepath.Join(p.home, ".local", "share", "python_keyring", "keyring_pass.cfg"))
	if err == nil && slices.ContainsFunc(strings.Split(string(data), "\n"), func(line string) bool { return strings.HasPrefix(line, "config_3a") }) {
		t.Errorf("plain text stays:\n%s", data)
	}
}
