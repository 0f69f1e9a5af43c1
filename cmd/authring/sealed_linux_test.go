package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring/sealed"
)

// TestServiceUnit has systemd read the unit that the documents show.
func TestServiceUnit(t *testing.T) {
	needs.Programs(t, "systemd-analyze")
	unit := filepath.Join("..", "..", "docs", "systemd", "authring.service")
	out, err := exec.Command("systemd-analyze", "--man=no", "verify", unit).CombinedOutput()
	if err != nil || strings.Contains(string(out), "authring.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	data, err := os.ReadFile(unit)
	if err != nil || !strings.Contains(string(data), "\nLoadCredentialEncrypted="+sealed.CredentialName+":/") {
		t.Errorf("the unit has no credential %s: %v", sealed.CredentialName, err)
	}
}

// sealedAt are the arguments of a link that is sealed.
var sealedAt = []string{"link", "--keyring", "sealed"}

// TestSealedAtATerminal: the passphrase is asked for before the page is shown,
// twice for a new file, never shown, and once in each command after that.
func TestSealedAtATerminal(t *testing.T) {
	p := newPerson(t)
	const passphrase = "correct horse battery"
	term := p.run(nil, sealedAt...)
	before := term.modes()
	term.expect("Without its passphrase nobody can open it")
	term.expect("New passphrase: ")
	term.typeText(passphrase + "\r")
	term.expect("Once more: ")
	term.typeText("something else\r")
	term.expect("The two differ.")
	term.expect("New passphrase: ")
	term.typeText(passphrase + "\r")
	term.expect("Once more: ")
	if strings.Contains(term.all(), "oauth2") {
		t.Error("the page was shown before the passphrase was known")
	}
	term.typeText(passphrase + "\r")
	code := approvePage(t, term.expect("Code from Dropbox: "))
	term.typeText(code + "\r")
	term.expect("Linked to Ada Lovelace <ada@example.org>")
	term.expect("sealed file (")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if term.modes() != before {
		t.Error("the terminal is not as it was")
	}
	if strings.Contains(term.all(), passphrase) || strings.Contains(term.all(), "something else") {
		t.Error("the passphrase was shown")
	}

	term = p.run(nil, "token")
	term.expect("Passphrase of the sealed file: ")
	term.typeText("wrong\r")
	term.expect("That is not the passphrase.")
	term.expect("Passphrase of the sealed file: ")
	term.typeText(passphrase + "\r")
	term.expect("sl.")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}

	// Another link is sealed with the same passphrase, in the order of
	// preference.
	term = p.run(nil, "link", "-c", "work")
	term.expect("Passphrase of the sealed file: ")
	term.typeText(passphrase + "\r")
	code = approvePage(t, term.expect("Code from Dropbox: "))
	term.typeText(code + "\r")
	term.expect("sealed file (")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}

	// Nobody is asked who does not want to be, nor to look.
	for _, args := range [][]string{{"token", "--no-input"}, {"status"}} {
		term = p.run(nil, args...)
		if got := term.end(); got != 4 || strings.Contains(term.all(), "Passphrase of") {
			t.Errorf("%v: exit code %d, want 4: %s", args, got, term.all())
		}
	}
	for typed, want := range map[string]int{"\x03": 130, "\r": 4} {
		term = p.run(nil, "token")
		term.expect("Passphrase of the sealed file: ")
		term.typeText(typed)
		if got := term.end(); got != want {
			t.Errorf("%q: exit code %d, want %d: %s", typed, got, want, term.all())
		}
	}
	if p.exists(".local/share/python_keyring") {
		t.Error("plain text was used")
	}
}

// TestSealedIsGivenUp: nothing is made when nobody gives a passphrase.
func TestSealedIsGivenUp(t *testing.T) {
	for typed, want := range map[string]int{"\x03": 130, "\r": 4} {
		p := newPerson(t)
		term := p.run(nil, sealedAt...)
		term.expect("New passphrase: ")
		term.typeText(typed)
		if got := term.end(); got != want {
			t.Errorf("%q: exit code %d, want %d: %s", typed, got, want, term.all())
		}
		if strings.Contains(term.all(), "oauth2") || p.exists(".local/share") || len(p.dropbox.Grants()) != 0 {
			t.Errorf("%q: something was done: %s", typed, term.all())
		}
	}
}

// TestMigrateToSealed asks for the new passphrase as well.
func TestMigrateToSealed(t *testing.T) {
	p := newPerson(t)
	term := p.run(nil, "link", "--keyring", "plaintext")
	code := approvePage(t, term.expect("Code from Dropbox: "))
	term.typeText(code + "\r")
	if got := term.end(); got != 0 {
		t.Fatalf("exit code %d, want 0: %s", got, term.all())
	}
	term = p.run(nil, "migrate", "--to", "sealed")
	for _, prompt := range []string{"New passphrase: ", "Once more: "} {
		term.expect(prompt)
		term.typeText("a passphrase\r")
	}
	term.expect("Moved")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if data, err := os.ReadFile(filepath.Join(p.home, ".local/share/python_keyring/keyring_pass.cfg")); err == nil && strings.Contains(string(data), "dbid") {
		t.Error("the secret is still there in plain text")
	}
}
