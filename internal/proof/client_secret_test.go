package proof_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// secretDesk is where client secrets are given: with a keyring of each kind that
// needs no daemon.
type secretDesk struct {
	program     string
	key, secret string // files: what opens the sealed file, and a client secret
}

// secretChange is a command that is cut short.
type secretChange struct {
	name    string
	before  [][]string
	command []string
	// again is what ends it where the provider was made already; nil: itself.
	again []string
	// keyring has the secret in the end; empty: none.
	keyring string
}

// A client secret that is given, replaced, moved, taken back or removed is in no
// keyring that the provider's file does not name, wherever the program is
// killed; one that was in use before is there, or its successor; and the same
// command, typed again, ends what it began.
func TestClientSecretKilledAtEachStep(t *testing.T) {
	program, err := buildProgram("armed-authring", "../../cmd/authring", "-tags=killpoint")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	d := secretDesk{program, filepath.Join(folder, "key"), filepath.Join(folder, "secret")}
	for path, text := range map[string]string{d.key: strings.Repeat("k", 32), d.secret: "a-client-secret\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	give := func(verb, keyring string, more ...string) []string {
		return append([]string{verb, "--client-secret-file", d.secret, "--keyring", keyring}, more...)
	}
	add := give("add", "sealed", "--client-id", "one",
		"--auth-url", "https://as.example/a", "--token-url", "https://as.example/t", "--redirect-uri", "http://127.0.0.1/")
	inSealed, inPlain := give("update", "sealed"), give("update", "plaintext")
	kills := 0
	for _, change := range []secretChange{
		{"add", nil, add, inSealed, "sealed"},
		{"replace", [][]string{add}, give("update", "sealed", "--client-id", "two"), nil, "sealed"},
		{"move", [][]string{add}, inPlain, nil, "plaintext"},
		{"move back", [][]string{add, inPlain}, inSealed, nil, "sealed"},
		{"take back", [][]string{add}, []string{"update", "--client-auth", "none"}, nil, ""},
		{"remove", [][]string{add, inPlain}, []string{"remove"}, nil, ""},
	} {
		t.Run(change.name, func(t *testing.T) { kills += d.killAtEachStep(t, change) })
	}
	if kills < 30 {
		t.Errorf("only %d kills", kills)
	}
	t.Logf("%d kills", kills)
}

func (d secretDesk) killAtEachStep(t *testing.T, change secretChange) (kills int) {
	t.Helper()
	h := d.home(t, change.before)
	list := filepath.Join(h.dir, "steps")
	d.must(t, h, change.command, killList+"="+list)
	d.check(t, h, change.name, change.keyring)
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, step := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		at := fmt.Sprintf("%s#%d", step, seen[step])
		seen[step]++
		h := d.home(t, change.before)
		if out, err := d.run(t, h, change.command, killAt+"="+at); err == nil {
			t.Fatalf("%s is not killed at %s: %s", change.name, at, out)
		}
		kills++
		where := change.name + ", killed at " + at
		want := "any"
		if change.before != nil && change.keyring != "" {
			want = "usable"
		}
		file := d.check(t, h, where, want)
		command := change.command
		switch {
		case file == nil && change.name == "remove":
			continue // it was done
		case file != nil && change.again != nil:
			command = change.again
		}
		d.must(t, h, command)
		d.check(t, h, where+", and again", change.keyring)
	}
	return kills
}

// home is one in which commands have run.
func (d secretDesk) home(t *testing.T, commands [][]string) home {
	t.Helper()
	h := newHome(t)
	for _, command := range commands {
		d.must(t, h, command)
	}
	return h
}

func (d secretDesk) must(t *testing.T, h home, command []string, variables ...string) {
	t.Helper()
	if out, err := d.run(t, h, command, variables...); err != nil {
		t.Fatalf("%q: %v: %s", command, err, out)
	}
}

func (d secretDesk) run(t *testing.T, h home, command []string, variables ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), d.program, append([]string{"provider", command[0], "work", "--no-input"}, command[1:]...)...)
	cmd.Env = h.environ(append(variables, "AUTHRING_KEY_FILE="+d.key)...)
	return finish(cmd)
}

// providerFile is the part of a provider's file that tells of its client
// secret.
type providerFile struct {
	Keyring string   `json:"client_secret_keyring"`
	LeftIn  []string `json:"client_secret_left_in"`
}

// check makes sure that client secrets are where the file says: one in the
// keyring want, and no other; with usable one in the keyring that it says to use,
// and with any in none that it does not name. It returns the file; nil if there
// is none.
func (d secretDesk) check(t *testing.T, h home, when, want string) *providerFile {
	t.Helper()
	const item = "client:work"
	var has []string
	if path := filepath.Join(h.dir, "data", "authring", "sealed.keyring"); exists(t, path) && slices.Contains(sealedItems(t, path, d.key), item) {
		has = append(has, "sealed")
	}
	if slices.Contains(plaintextItems(t, h), item) {
		has = append(has, "plaintext")
	}
	var file *providerFile
	if path := filepath.Join(h.dir, "config", "authring", "providers", "work.json"); exists(t, path) {
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &file)
		}
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	named := providerFile{}
	if file != nil {
		named = *file
	}
	for _, id := range has {
		if id != named.Keyring && !slices.Contains(named.LeftIn, id) {
			t.Errorf("%s: the keyring %s has a client secret, and the file names %+v", when, id, named)
		}
	}
	if want == "usable" && !slices.Contains(has, named.Keyring) {
		t.Errorf("%s: the file says to use the keyring %q, and a client secret is in %q", when, named.Keyring, has)
	}
	if want != "any" && want != "usable" && (strings.Join(has, " ") != want || named.Keyring != want || len(named.LeftIn) > 0) {
		t.Errorf("%s: the file names %+v, and the secret is in %q", when, named, has)
	}
	return file
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}
