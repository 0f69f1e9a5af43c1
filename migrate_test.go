package authring_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// withWallet is a world with a second keyring beside plain text.
func withWallet(w *world) (*keyringtest.Memory, authring.Option) {
	wallet := keyringtest.NewMemory(keyring.KWallet)
	return wallet, authring.WithKeyrings(w.memory, wallet, w.plain)
}

// held names the items of a keyring.
func held(m *keyringtest.Memory) (users []string) {
	for key := range m.Items() {
		users = append(users, key.User)
	}
	slices.Sort(users)
	return users
}

func wantHeld(t *testing.T, m *keyringtest.Memory, users ...string) {
	t.Helper()
	if got := held(m); !slices.Equal(got, users) {
		t.Errorf("%s holds %q, want %q", m.ID(), got, users)
	}
}

// wantUsable fails unless a session that opens now gets a token.
func wantUsable(t *testing.T, s *authring.Session, where string) {
	t.Helper()
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Errorf("%s: Token: %v", where, err)
	}
}

func TestMigrate(t *testing.T) {
	w := newWorld(t)
	wallet, keyrings := withWallet(w)
	s := w.link(t, "default", keyrings)
	before, user := w.item(t, "default"), w.key("default").User
	linked := s.Record().Linked

	got, err := s.Migrate(t.Context(), keyring.KWallet)
	if err != nil {
		t.Fatal(err)
	}
	want := authring.Migrated{
		AccountID: w.dropbox.User().AccountID, From: keyring.SecretService, To: keyring.KWallet,
		FromName: "memory (secret-service)", ToName: "memory (kwallet)",
	}
	if got != want {
		t.Errorf("Migrate = %+v, want %+v", got, want)
	}
	wantHeld(t, w.memory)
	wantHeld(t, wallet, user)
	if now := wallet.Items()[w.key("default")]; now.Reveal() != before {
		t.Error("another secret arrived")
	}
	if rec := s.Record(); rec.Keyring != keyring.KWallet || !rec.Linked.Equal(linked) || rec.Email == "" {
		t.Errorf("the record is %+v", rec)
	}
	if _, cut, _ := s.Layout().LoadIntent("default"); cut {
		t.Error("the note of the move is still there")
	}
	wantUsable(t, s, "the session that moved it")
	wantUsable(t, w.open(t, "default", keyrings), "another session")
	history, err := s.History()
	if i := slices.IndexFunc(history, func(e record.Event) bool { return e.What == record.EventMigrated }); err != nil || i < 0 ||
		history[i].Keyring != keyring.KWallet || history[i].Detail != "from secret-service" || history[i].Fingerprint == "" {
		t.Errorf("the history is %+v, %v", history, err)
	}

	// Where it is already nothing is touched.
	calls := wallet.Calls()
	wallet.Before(func(op string, _ keyring.Key) error { return errors.New(op + " was called") })
	got, err = s.Migrate(t.Context(), keyring.KWallet)
	if err != nil || !got.Already || got.From != keyring.KWallet || got.To != keyring.KWallet || wallet.Calls() > calls+1 {
		t.Errorf("once more: %+v, %v, %d calls", got, err, wallet.Calls()-calls)
	}
	wallet.Before(nil)

	// And back.
	if _, err := s.Migrate(t.Context(), keyring.SecretService); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, w.memory, user)
	wantHeld(t, wallet)
	if w.live() != 1 {
		t.Errorf("%d grants are valid", w.live())
	}
}

func TestMigrateRefuses(t *testing.T) {
	w := newWorld(t)
	wallet, keyrings := withWallet(w)
	unlinked := w.open(t, "other", keyrings)
	_, err := unlinked.Migrate(t.Context(), keyring.KWallet)
	wantErr(t, err, authring.ErrNotLinked)

	s := w.link(t, "default", keyrings)
	file, user := w.record(t, "default"), w.key("default").User
	var access *authring.KeyringAccessError
	for _, c := range []struct {
		name  string
		to    keyring.ID
		spoil func()
		want  error
		own   authring.State // of the link, where its own keyring failed
	}{
		{"a keyring that is not of this build", keyring.WinCred, func() {}, keyring.ErrAbsent, 0},
		{"a target that cannot be used", keyring.KWallet, func() { wallet.Fail(keyring.ErrUnavailable) }, keyring.ErrUnavailable, 0},
		{"a target that stays locked", keyring.KWallet, func() { wallet.Fail(keyring.ErrDismissed) }, keyring.ErrDismissed, 0},
		{"a locked source", keyring.KWallet, func() { w.memory.Fail(keyring.ErrLocked) }, keyring.ErrLocked, authring.Locked},
		{"a source that is gone", keyring.KWallet, func() { w.memory.Fail(keyring.ErrUnavailable) }, keyring.ErrUnavailable, authring.Unavailable},
		{"a source without the secret", keyring.KWallet, func() {
			if err := w.memory.Delete(t.Context(), w.key("default"), keyring.NoPrompt); err != nil {
				t.Error(err)
			}
		}, authring.ErrSecretMissing, authring.SecretMissing},
	} {
		items := w.memory.Items()
		c.spoil()
		_, err := s.Migrate(t.Context(), c.to)
		wantErr(t, err, c.want)
		if errors.As(err, &access) != (c.own != 0) || c.own != 0 && access.State != c.own {
			t.Errorf("%s: %v", c.name, err)
		}
		w.memory.Fail(nil)
		wallet.Fail(nil)
		for key, value := range items {
			if err := w.memory.Set(t.Context(), key, value, keyring.NoPrompt); err != nil {
				t.Fatal(err)
			}
		}
		if now := w.record(t, "default"); now != file {
			t.Errorf("%s: the record changed:\n%s", c.name, now)
		}
		wantHeld(t, w.memory, user)
		wantHeld(t, wallet)
		wantUsable(t, s, c.name)
	}
}

func TestMigrateToPlainTextNeedsConsent(t *testing.T) {
	w := newWorld(t)
	asked, allowed := 0, false
	s := w.link(t, "default", authring.WithPlaintextConsent(func(_ context.Context, r authring.PlaintextRequest) (bool, error) {
		asked++
		if r.Reason == nil {
			t.Error("asked without a reason")
		}
		return allowed, nil
	}))
	_, err := s.Migrate(t.Context(), keyring.Plaintext)
	wantErr(t, err, authring.ErrPlaintextRefused)
	wantHeld(t, w.plain)
	wantHeld(t, w.memory, w.key("default").User)
	allowed = true
	got, err := s.Migrate(t.Context(), keyring.Plaintext)
	if err != nil || !got.Plaintext || asked != 2 || !w.saw(authring.EventPlaintext) {
		t.Errorf("Migrate = %+v, %v; asked %d times", got, err, asked)
	}
	wantHeld(t, w.plain, w.key("default").User)
	wantHeld(t, w.memory)
	// Back into a keyring nobody is asked.
	if _, err := s.Migrate(t.Context(), keyring.SecretService); err != nil || asked != 2 {
		t.Errorf("back: %v, asked %d times", err, asked)
	}
}

// Nobody is asked while other processes wait for the lock of the link.
func TestMigrateAsksBeforeTheLock(t *testing.T) {
	w := newWorld(t)
	wallet, keyrings := withWallet(w)
	s := w.link(t, "default", keyrings)
	asked := map[keyring.ID]int{}
	for _, m := range []*keyringtest.Memory{w.memory, wallet} {
		m.BeforePrompt(func(op string, prompt keyring.Prompt) error {
			if prompt == keyring.NoPrompt {
				return nil
			}
			asked[m.ID()]++
			if unlock, free := tryLock(t, s.Layout().LockPath("default")); free {
				unlock()
			} else if m == w.memory {
				t.Errorf("%s may ask under the lock", op)
			}
			return nil
		})
	}
	if _, err := s.Migrate(t.Context(), keyring.KWallet); err != nil {
		t.Fatal(err)
	}
	if asked[keyring.SecretService] == 0 || asked[keyring.KWallet] == 0 {
		t.Errorf("asked: %v", asked)
	}
}

func tryLock(t *testing.T, path string) (unlock func(), free bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	held, err := filelock.Acquire(ctx, path)
	return func() { _ = held.Release() }, err == nil
}

// An item that was left in the keyring to move to is overwritten, and put back
// if the move fails.
func TestMigratePutsBackWhatItFound(t *testing.T) {
	w := newWorld(t)
	wallet, keyrings := withWallet(w)
	s := w.link(t, "default", keyrings)
	stale := secret.New("left over")
	if err := wallet.Set(t.Context(), w.key("default"), stale, keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	// A folder in place of the record cannot be replaced.
	path := w.recordFile("default")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path+".away", path); err != nil {
		t.Fatal(err)
	}
	wallet.After(func(op string, key keyring.Key) {
		if op == "write" {
			wallet.After(nil)
			_ = os.Rename(path+".away", path+".far")
		}
	})
	if _, err := s.Migrate(t.Context(), keyring.KWallet); err == nil {
		t.Fatal("a record was written through a link that leads nowhere")
	}
	if got := wallet.Items()[w.key("default")]; !got.Equal(stale) {
		t.Error("what was there before is gone")
	}
	if err := os.Rename(path+".far", path+".away"); err != nil {
		t.Fatal(err)
	}
	wantUsable(t, s, "after the failed move")
	if _, err := s.Migrate(t.Context(), keyring.KWallet); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, w.memory)
	wantUsable(t, s, "after the move")
}

// What stays of the earlier item is told.
func TestMigrateTellsOfALeftover(t *testing.T) {
	w := newWorld(t)
	_, keyrings := withWallet(w)
	s := w.link(t, "default", keyrings)
	w.memory.Before(func(op string, _ keyring.Key) error {
		if op == "delete" {
			return keyring.ErrLocked
		}
		return nil
	})
	got, err := s.Migrate(t.Context(), keyring.KWallet)
	if err != nil || !errors.Is(got.Leftover, keyring.ErrLocked) || !w.saw(authring.EventLeftover) {
		t.Errorf("Migrate = %+v, %v", got, err)
	}
	wantUsable(t, s, "with a leftover")
}

// crash is what a test's keyring does in place of a call.
type crash struct{}

// dieWithTheCopy moves a link to wallet in a process that dies once the secret is
// there, and the record does not say so yet.
func dieWithTheCopy(t *testing.T, s *authring.Session, wallet *keyringtest.Memory) {
	t.Helper()
	wallet.After(func(op string, _ keyring.Key) {
		if op == "write" {
			panic(crash{})
		}
	})
	defer wallet.After(nil)
	defer func() {
		if died := recover(); died != (crash{}) {
			t.Fatalf("the move did not die with the copy, but by %v", died)
		}
	}()
	_, _ = s.Migrate(t.Context(), keyring.KWallet)
}

// migrateUntil runs a move in which the n-th call of a keyring does what act
// says, and reports whether there was an n-th call.
func migrateUntil(ctx context.Context, s *authring.Session, n int, act func() error, after bool, rings ...*keyringtest.Memory) (reached bool, err error) {
	calls := 0
	hook := func() error {
		if calls++; calls == n {
			reached = true
			return act()
		}
		return nil
	}
	for _, m := range rings {
		if after {
			m.After(func(string, keyring.Key) { _ = hook() })
		} else {
			m.Before(func(string, keyring.Key) error { return hook() })
		}
	}
	defer func() {
		for _, m := range rings {
			m.After(nil)
			m.Before(nil)
		}
		if c := recover(); c != nil {
			if c != (crash{}) {
				panic(c)
			}
			err = errors.New("died")
		}
	}()
	_, err = s.Migrate(ctx, keyring.KWallet)
	return reached, err
}

// A process that dies at any call of a keyring leaves a link that can be used,
// and running the move again ends it.
func TestMigrateDiesAtEachStep(t *testing.T) {
	rules := map[string]provider.Replay{"single use": provider.ReplaySingleUse, "reusable": provider.ReplayReusable}
	for rule, replay := range rules {
		for _, after := range []bool{false, true} {
			steps := 0
			for n := 1; ; n++ {
				where := fmt.Sprintf("%s, call %d, after %v", rule, n, after)
				w := newWorld(t, dropboxtest.WithReuseDetection())
				wallet, keyrings := withWallet(w)
				p := *provider.Dropbox()
				p.Replay = replay
				if replay == provider.ReplayReusable {
					w.dropbox = dropboxtest.New()
				}
				with := []authring.Option{keyrings, authring.WithProvider(&p)}
				s := w.link(t, "default", with...)
				reached, err := migrateUntil(t.Context(), s, n, func() error { panic(crash{}) }, after, w.memory, wallet)
				if !reached {
					if err != nil {
						t.Errorf("%s: %v", where, err)
					}
					break
				}
				steps++
				// What the next process finds.
				next := w.open(t, "default", with...)
				wantState(t, next, authring.Linked)
				if n%2 == 0 {
					wantUsable(t, next, where)
				}
				got, err := next.Migrate(t.Context(), keyring.KWallet)
				if err != nil || got.To != keyring.KWallet {
					t.Errorf("%s: again: %+v, %v", where, got, err)
				}
				wantHeld(t, w.memory)
				wantHeld(t, wallet, w.key("default").User)
				wantUsable(t, next, where)
				if _, cut, _ := next.Layout().LoadIntent("default"); cut {
					t.Errorf("%s: a note is left", where)
				}
				if w.live() != 1 {
					t.Errorf("%s: %d grants", where, w.live())
				}
			}
			if steps < 5 {
				t.Errorf("%s: only %d steps", rule, steps)
			}
		}
	}
}

// A keyring that fails from some call on leaves a link that can be used where
// it is, or moved whole.
func TestMigrateFailsAtEachStep(t *testing.T) {
	for _, failing := range []keyring.ID{keyring.SecretService, keyring.KWallet} {
		for n := 1; ; n++ {
			where := fmt.Sprintf("%s fails at call %d", failing, n)
			w := newWorld(t)
			wallet, keyrings := withWallet(w)
			s := w.link(t, "default", keyrings)
			ring := map[keyring.ID]*keyringtest.Memory{keyring.SecretService: w.memory, keyring.KWallet: wallet}[failing]
			reached, err := migrateUntil(t.Context(), s, n, func() error {
				ring.Fail(keyring.ErrUnavailable)
				return keyring.ErrUnavailable
			}, false, ring)
			if !reached {
				break
			}
			file := w.record(t, "default")
			ring.Fail(nil)
			if moved := strings.Contains(file, "kwallet"); moved != (err == nil) {
				t.Errorf("%s: the record is\n%s\nand the error %v", where, file, err)
			}
			wantUsable(t, s, where)
			if _, err := s.Migrate(t.Context(), keyring.KWallet); err != nil {
				t.Errorf("%s: again: %v", where, err)
			}
			if all := len(w.memory.Items()) + len(wallet.Items()); all != 1 && !w.saw(authring.EventLeftover) {
				t.Errorf("%s: %q and %q, and nobody was told", where, held(w.memory), held(wallet))
			}
		}
	}
}

// A move that was cut short towards a keyring that is gone since can be taken
// back, or go elsewhere.
func TestMigrateGivesUpAnEarlierMove(t *testing.T) {
	for _, to := range []keyring.ID{keyring.SecretService, keyring.Plaintext} {
		w := newWorld(t)
		wallet, keyrings := withWallet(w)
		s := w.link(t, "default", keyrings)
		dieWithTheCopy(t, s, wallet)
		wallet.Fail(keyring.ErrAbsent)
		next := w.open(t, "default", keyrings)
		if _, err := next.Migrate(t.Context(), to); err != nil {
			t.Fatalf("to %s: %v", to, err)
		}
		if !w.saw(authring.EventLeftover) {
			t.Error("nobody was told of the copy")
		}
		if rec := next.Record(); rec.Keyring != to {
			t.Errorf("the record names %s", rec.Keyring)
		}
		wantUsable(t, next, "without the keyring")
	}
}

// A move that was cut short towards a keyring that cannot be read keeps nobody
// from using the link where it is, and what the move has written is not used
// once it is stale.
func TestMigrateCutShortKeepsTheLinkUsable(t *testing.T) {
	for _, kind := range []error{keyring.ErrLocked, keyring.ErrAbsent} {
		for rule, options := range map[string][]dropboxtest.Option{
			"rotates": {dropboxtest.WithReuseDetection()},
			"stays":   nil,
		} {
			where := fmt.Sprintf("%v, the refresh token %s", kind, rule)
			w := newWorld(t, options...)
			wallet, keyrings := withWallet(w)
			p := *provider.Dropbox()
			if options != nil {
				p.Replay = provider.ReplaySingleUse
			}
			with := []authring.Option{keyrings, authring.WithProvider(&p)}
			s, user := w.link(t, "default", with...), w.key("default").User
			dieWithTheCopy(t, s, wallet)
			wantHeld(t, wallet, user)

			wallet.Fail(kind)
			next := w.open(t, "default", with...)
			wantUsable(t, next, where)
			wantUsable(t, next, where+", again")
			wantState(t, next, authring.Linked)

			// The copy is back before the place of the link is.
			wallet.Fail(nil)
			w.memory.Fail(keyring.ErrUnavailable)
			third := w.open(t, "default", with...)
			if _, err := third.Token(t.Context(), authring.Fresh()); !errors.Is(err, keyring.ErrUnavailable) {
				t.Errorf("%s: with the copy alone: Token: %v", where, err)
			}
			w.memory.Fail(nil)
			wantUsable(t, third, where+", with both")
			if now := len(held(wallet)); now != map[string]int{"rotates": 0, "stays": 1}[rule] || now+len(held(w.memory)) != 1 {
				t.Errorf("%s: %q and %q", where, held(w.memory), held(wallet))
			}
			if _, err := third.Migrate(t.Context(), keyring.KWallet); err != nil {
				t.Errorf("%s: %v", where, err)
			}
			wantHeld(t, w.memory)
			wantHeld(t, wallet, user)
			wantUsable(t, third, where+", moved")
			if _, cut, _ := third.Layout().LoadIntent("default"); cut || w.live() != 1 {
				t.Errorf("%s: a note is left: %v; %d grants", where, cut, w.live())
			}
		}
	}
}

// The mark that a grant is revoked moves with the link, also when the process
// dies.
func TestMigrateKeepsTheMark(t *testing.T) {
	for _, dies := range []bool{false, true} {
		w := newWorld(t)
		wallet, keyrings := withWallet(w)
		s := w.link(t, "default", keyrings)
		w.dropbox.Revoke(w.dropbox.User().AccountID)
		_, err := s.Token(t.Context(), authring.Fresh())
		wantErr(t, err, authring.ErrRevoked)
		if dies {
			dieWithTheCopy(t, s, wallet)
		} else if _, err := s.Migrate(t.Context(), keyring.KWallet); err != nil {
			t.Error(err)
		}
		next := w.open(t, "default", keyrings)
		wantState(t, next, authring.Revoked)
		if rec := next.Record(); rec.Keyring != keyring.KWallet {
			t.Errorf("the record names %s", rec.Keyring)
		}
	}
}

// A refresh token that the keyring did not take moves in place of the one that
// was used up.
func TestMigrateTakesTheUnsavedToken(t *testing.T) {
	w := newWorld(t, dropboxtest.WithReuseDetection())
	wallet, keyrings := withWallet(w)
	p := *provider.Dropbox()
	p.Replay = provider.ReplaySingleUse
	s := w.link(t, "default", keyrings, authring.WithProvider(&p))
	used := w.item(t, "default")
	w.memory.Before(func(op string, _ keyring.Key) error {
		if op == "write" {
			return keyring.ErrUnavailable
		}
		return nil
	})
	if _, err := s.Token(t.Context(), authring.Fresh()); err == nil {
		t.Fatal("a token was handed out whose refresh token is not safe")
	}
	if _, err := s.Migrate(t.Context(), keyring.KWallet); err != nil {
		t.Fatal(err)
	}
	if now := wallet.Items()[w.key("default")]; now.Reveal() == used || now.IsZero() {
		t.Error("the used token was moved")
	}
	wantUsable(t, s, "the session")
	wantUsable(t, w.open(t, "default", keyrings, authring.WithProvider(&p)), "another one")
}

// Grants that wait to be revoked stay where they are, and are still revoked.
func TestMigrateLeavesRevocations(t *testing.T) {
	w := newWorld(t)
	wallet, keyrings := withWallet(w)
	s := w.link(t, "default", keyrings)
	w.offline.Store(true)
	if _, err := s.Unlink(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.offline.Store(false)
	s = w.link(t, "default", keyrings)
	if _, err := s.Migrate(t.Context(), keyring.KWallet); err != nil {
		t.Fatal(err)
	}
	if left := held(w.memory); len(left) != 1 || !strings.HasPrefix(left[0], "revoke:") {
		t.Errorf("left: %q", left)
	}
	done, err := s.RetryRevocations(t.Context())
	if err != nil || len(done) != 1 || !done[0].Done {
		t.Errorf("retried: %+v, %v", done, err)
	}
	wantHeld(t, w.memory)
	wantHeld(t, wallet, w.key("default").User)
	wantUsable(t, s, "after the revocation")
}

func TestMigrateInMaestralsLayout(t *testing.T) {
	w := newWorld(t)
	wallet, keyrings := withWallet(w)
	with := []authring.Option{authring.WithApp("Maestral"), keyrings}
	s := w.link(t, "work", with...)
	account := w.dropbox.User().AccountID
	_, err := s.Migrate(t.Context(), keyring.Sealed)
	if err == nil || !strings.Contains(err.Error(), "Maestral has no keyring") {
		t.Errorf("to sealed: %v", err)
	}
	// An older Maestral named the item by the account alone; a second config
	// of the same account reads the same item.
	key := keyring.Key{Service: "Maestral", User: "config:work:" + account}
	bare := keyring.Key{Service: "Maestral", User: account}
	move := func(from, to keyring.Key) {
		t.Helper()
		err := w.memory.Set(t.Context(), to, w.memory.Items()[from], keyring.NoPrompt)
		if err == nil {
			err = w.memory.Delete(t.Context(), from, keyring.NoPrompt)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	move(key, bare)
	second := s.Record()
	if err := s.Layout().Save("second", second); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context(), keyring.KWallet); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, w.memory, account)
	wantHeld(t, wallet, key.User)
	wantUsable(t, s, "moved")
	other := w.open(t, "second", with...)
	wantUsable(t, other, "the other config")
	if _, err := other.Migrate(t.Context(), keyring.KWallet); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, w.memory)
	wantHeld(t, wallet, "config:second:"+account, key.User)
	if !slices.Contains(slices.Collect(maps.Keys(wallet.Items())), key) {
		t.Error("the first config's item is gone")
	}
}
