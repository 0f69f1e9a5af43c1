//go:build linux

package doctor_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/doctor"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// ids lists the kinds of findings.
func ids(r doctor.Report) (list []string) {
	for _, f := range r.Findings {
		list = append(list, f.ID)
	}
	return list
}

// TestTwoKeyringsHoldTheLink: the cure leaves the secret in one of them, the one
// that the record names, and does not put it into plain text on the way.
func TestTwoKeyringsHoldTheLink(t *testing.T) {
	w := newWard(t, nil)
	one, two := keyringtest.NewMemory("one"), keyringtest.NewMemory("two")
	w.keyrings = append([]keyring.Keyring{one, two}, w.keyrings...)
	s := w.link("default", authring.WithKeyring("one"))
	rec := s.Record()
	key := keyring.Key{Service: "authring", User: record.UserName("default", rec.AccountID)}
	put := func(k keyring.Keyring, value string) {
		must(t, k.Set(t.Context(), key, secret.New(value), keyring.NoPrompt))
	}
	put(two, "stale")
	want(t, w.examine(), "copy", doctor.Warn, "two holds", "migrate -c default --to two && authring migrate -c default --to one")
	for _, id := range []keyring.ID{"two", "one"} {
		if _, err := s.Migrate(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if report := w.examine(); slices.Contains(ids(report), "copy") || len(two.Items()) != 0 || len(one.Items()) != 1 {
		t.Errorf("after the cure:\n%s", shown(report))
	}

	// In plain text it had better not go, unless it is there already.
	refresh, err := s.RefreshToken(t.Context())
	must(t, err)
	plain := w.keyrings[len(w.keyrings)-1]
	for value, cure := range map[string]string{
		"stale":          "python3 -m keyring -b keyrings.alt.file.PlaintextKeyring del authring",
		refresh.Reveal(): "migrate -c default --to plaintext --allow-plaintext && authring migrate -c default --to one",
	} {
		put(plain, value)
		want(t, w.examine(), "copy", doctor.Warn, cure)
	}
	must(t, plain.Delete(t.Context(), key, keyring.NoPrompt))

	// A link that only the other one has cannot be moved.
	put(two, "stale")
	must(t, one.Delete(t.Context(), key, keyring.NoPrompt))
	want(t, w.examine(), "copy", doctor.Warn, "link -c default --relink --keyring two")
	// Nor is what may be the only one to be deleted.
	must(t, two.Delete(t.Context(), key, keyring.NoPrompt))
	put(plain, "value")
	want(t, w.examine(), "copy", doctor.Warn, "plaintext holds", "link -c default --relink --keyring one")
	must(t, plain.Delete(t.Context(), key, keyring.NoPrompt))
	put(two, "stale")

	// One in plain text moves to the better one, and stays there.
	rec.Keyring = keyring.Plaintext
	put(w.keyrings[len(w.keyrings)-1], "value")
	must(t, w.layout.Save("default", rec))
	f := want(t, w.examine(), "copy", doctor.Warn, "migrate -c default --to two")
	if strings.Contains(f.Cure, "&&") {
		t.Errorf("the cure is %q", f.Cure)
	}
}

// TestMoveThatHasNotEnded is no link that is being saved, and what it has put
// into the other keyring is no stale copy.
func TestMoveThatHasNotEnded(t *testing.T) {
	w := newWard(t, nil)
	one, two := keyringtest.NewMemory("one"), keyringtest.NewMemory("two")
	w.keyrings = append([]keyring.Keyring{one, two}, w.keyrings...)
	s := w.link("default", authring.WithKeyring("one"))
	rec := s.Record()
	moved := rec
	moved.Keyring = "two"
	must(t, w.layout.SaveIntent("default", record.Intent{
		Record: moved, Fingerprint: "0011", Migration: true, OldAccountID: rec.AccountID, OldKeyring: "one",
	}))
	key := keyring.Key{Service: "authring", User: record.UserName("default", rec.AccountID)}
	must(t, two.Set(t.Context(), key, secret.New("value"), keyring.NoPrompt))
	for _, now := range []record.Record{rec, moved} { // before the record is switched, and after
		must(t, w.layout.Save("default", now))
		report := w.examine()
		want(t, report, "move-unfinished", doctor.Warn, "from one to two", "migrate -c default --to two")
		want(t, report, "secret-readable", doctor.OK)
		for _, id := range []string{"link-unfinished", "copy"} {
			if slices.Contains(ids(report), id) {
				t.Errorf("%s is found:\n%s", id, shown(report))
			}
		}
	}
}

func TestSealedKeyIsMissing(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	passphrase := filepath.Join(t.TempDir(), "passphrase")
	must(t, os.WriteFile(passphrase, []byte("a passphrase\n"), 0o600))
	// A passphrase takes seconds to try where the race detector looks on.
	patient := func(p *doctor.Patient) { p.Bound = time.Minute }
	for name, c := range map[string]struct {
		option     sealed.Option
		path, cure string
	}{
		"key file":        {sealed.WithKeyFile(key), key, "token -c default --key-file FILE"},
		"passphrase file": {sealed.WithPassphraseFile(passphrase), passphrase, "token -c default --passphrase-file FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, nil)
			at := slices.IndexFunc(w.keyrings, func(k keyring.Keyring) bool { return k.ID() == keyring.Sealed })
			w.keyrings[at] = sealed.New(c.option)
			w.link("default", authring.WithKeyring(keyring.Sealed))
			w.keyrings[at] = sealed.New() // of another process, which finds the key by the settings
			want(t, w.examine(patient), "secret-readable", doctor.OK)

			must(t, os.Rename(c.path, c.path+".away"))
			w.keyrings[at] = sealed.New()
			f := want(t, w.examine(patient), "sealed-key-missing", doctor.Fail, c.path, c.cure, "link again")
			if f.Cause != doctor.Unavailable {
				t.Errorf("its cause is %v", f.Cause)
			}

			// A damaged file is another matter, which no key mends.
			file, err := sealed.New().Path()
			must(t, err)
			w.keyrings[at] = sealed.New(c.option)
			must(t, os.Rename(c.path+".away", c.path))
			w.link("second", authring.WithKeyring(keyring.Sealed)) // leaves a generation before
			must(t, os.Truncate(file, 20))
			report := w.examine(patient)
			want(t, report, "unavailable", doctor.Fail, "damaged", "mv "+file+".previous "+file)
			want(t, report, "keyring-unavailable", doctor.Warn, "damaged", "mv "+file+".previous "+file)
			must(t, os.Remove(file+".previous"))
			want(t, w.examine(patient), "unavailable", doctor.Fail, "damaged", "mv "+file+" "+file+".damaged")
			must(t, os.Chmod(file, 0o644))
			want(t, w.examine(patient), "unavailable", doctor.Fail, "chmod 600 "+file)
			must(t, os.Remove(file))
			if found := ids(w.examine(patient)); slices.Contains(found, "sealed-key-missing") {
				t.Errorf("without a file a key is missed: %q", found)
			}
		})
	}
}

// A passphrase that is asked for is waited for in vain: the cure asks.
func TestSealedAsksForItsPassphrase(t *testing.T) {
	w := newWard(t, nil)
	at := slices.IndexFunc(w.keyrings, func(k keyring.Keyring) bool { return k.ID() == keyring.Sealed })
	person := sealed.WithPassphrasePrompt(func(context.Context, sealed.Question) (secret.Secret, error) {
		return secret.New("a passphrase"), nil
	})
	w.keyrings[at] = sealed.New(person)
	w.link("default", authring.WithKeyring(keyring.Sealed))
	w.keyrings[at] = sealed.New(person) // of another process
	if f := want(t, w.examine(), "locked", doctor.Warn); f.Cure != "authring token -c default" {
		t.Errorf("its cure is %q", f.Cure)
	}
}
