package authring_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/secret"
)

// late is a keyring that comes up, and tells of it or not.
type late struct {
	*keyringtest.Memory

	mu      sync.Mutex
	kind    error // why it cannot be used; nil: it can
	tries   int
	hang    bool // all tries but the first
	deaf    bool // all tries
	changed []func()
}

func (l *late) Watch(ctx context.Context, changed func()) {
	l.mu.Lock()
	l.changed = append(l.changed, changed)
	l.mu.Unlock()
	changed()
	<-ctx.Done()
}

// turn makes the keyring fail with kind, nil for not at all, and tells.
func (l *late) turn(kind error, tell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kind = kind
	for _, changed := range l.changed {
		if tell {
			changed()
		}
	}
}

func (l *late) Probe(ctx context.Context) keyring.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(l.kind, keyring.ErrLocked):
		return keyring.Status{Availability: keyring.Locked, Name: "late"}
	case l.kind != nil:
		return keyring.Status{Name: "late", Detail: "not up"}
	}
	return keyring.Status{Availability: keyring.Ready, Name: "late"}
}

func (l *late) Get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	l.mu.Lock()
	l.tries++
	kind, hang := l.kind, l.deaf || l.hang && l.tries > 1
	l.mu.Unlock()
	if hang {
		<-ctx.Done()
		return secret.Secret{}, &keyring.Error{Op: "read", Keyring: l.ID(), Kind: keyring.ErrUnavailable, Err: ctx.Err()}
	}
	if kind != nil {
		return secret.Secret{}, &keyring.Error{Op: "read", Keyring: l.ID(), Kind: kind}
	}
	if prompt != keyring.NoPrompt {
		return secret.Secret{}, errors.New("somebody was asked")
	}
	return l.Memory.Get(ctx, key, prompt)
}

// waiting has a link in a keyring that is late.
func waiting(t *testing.T) (*world, *late, *authring.Session) {
	t.Helper()
	w := newWorld(t)
	k := &late{Memory: keyringtest.NewMemory(keyring.SecretService)}
	w.link(t, "default", authring.WithKeyrings(k, w.plain), authring.WithPrompt(keyring.NoPrompt))
	return w, k, w.open(t, "default", authring.WithKeyrings(k, w.plain), authring.WithKeyringWait(time.Minute))
}

// TestMigrateWaitsForTheOtherKeyring: the one that is moved to is waited for, as
// the link's own is.
func TestMigrateWaitsForTheOtherKeyring(t *testing.T) {
	for _, kind := range []error{keyring.ErrLocked, keyring.ErrAbsent} {
		for _, comes := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				w, k, _ := waiting(t)
				other := &late{Memory: keyringtest.NewMemory(keyring.KWallet)}
				other.turn(kind, false)
				s := w.open(t, "default", authring.WithKeyrings(k, other, w.plain), authring.WithKeyringWait(time.Minute))
				got := make(chan error, 1)
				go func() {
					_, err := s.Migrate(t.Context(), keyring.KWallet)
					got <- err
				}()
				time.Sleep(20 * time.Second)
				if comes {
					other.turn(nil, true)
				}
				err := <-got
				if comes && err != nil || !comes && (!errors.Is(err, authring.ErrKeyringNotReady) || !errors.Is(err, kind)) {
					t.Errorf("%v, comes up: %v: Migrate = %v", kind, comes, err)
				}
				if moved := len(other.Items()) == 1 && len(k.Items()) == 0; moved != comes {
					t.Errorf("%v, comes up: %v: moved: %v", kind, comes, moved)
				}
			})
		}
	}
}

func TestTokenWaitsForTheKeyring(t *testing.T) {
	for _, kind := range []error{keyring.ErrLocked, keyring.ErrAbsent, keyring.ErrUnavailable} {
		t.Run(kind.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, k, s := waiting(t)
				k.turn(kind, false)
				got := make(chan error, 1)
				go func() {
					_, err := s.Token(t.Context())
					got <- err
				}()
				time.Sleep(20 * time.Second)
				select {
				case err := <-got:
					t.Fatalf("Token did not wait: %v", err)
				default:
				}
				k.mu.Lock()
				tries := k.tries
				k.mu.Unlock()
				k.turn(nil, true)
				synctest.Wait()
				select {
				case err := <-got:
					if err != nil {
						t.Errorf("Token: %v", err)
					}
				default:
					t.Error("Token does not see that the keyring is up")
				}
				if tries > 4 {
					t.Errorf("it was tried %d times without a word", tries)
				}
			})
		})
	}
}

func TestWaitInVain(t *testing.T) {
	for name, call := range map[string]func(context.Context, *authring.Session) error{
		"Token":       func(ctx context.Context, s *authring.Session) error { _, err := s.Token(ctx); return err },
		"Load":        func(ctx context.Context, s *authring.Session) error { return s.Load(ctx) },
		"Linked":      func(ctx context.Context, s *authring.Session) error { _, err := s.Linked(ctx); return err },
		"Unlink":      func(ctx context.Context, s *authring.Session) error { _, err := s.Unlink(ctx); return err },
		"DeleteCreds": func(ctx context.Context, s *authring.Session) error { return s.DeleteCreds(ctx) },
		"AwaitKeyring": func(ctx context.Context, s *authring.Session) error {
			return s.AwaitKeyring(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, k, s := waiting(t)
				k.turn(keyring.ErrLocked, false)
				began := time.Now()
				err := call(t.Context(), s)
				if !errors.Is(err, authring.ErrKeyringNotReady) || !errors.Is(err, keyring.ErrLocked) {
					t.Errorf("error %v", err)
				}
				if took := time.Since(began); took != time.Minute {
					t.Errorf("waited %v", took)
				}
			})
		})
	}
}

func TestSaveWaitsForTheKeyring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := &late{Memory: keyringtest.NewMemory(keyring.SecretService), kind: keyring.ErrAbsent}
		s := w.open(t, "default", authring.WithKeyrings(k, w.plain), authring.WithKeyringWait(time.Minute))
		w.verify(t, s)
		if _, err := s.SaveCreds(t.Context()); !errors.Is(err, authring.ErrKeyringNotReady) {
			t.Errorf("SaveCreds: %v", err)
		}
		go func() {
			time.Sleep(30 * time.Second)
			k.turn(nil, true)
		}()
		saved, err := s.SaveCreds(t.Context())
		if err != nil || saved.Keyring != keyring.SecretService {
			t.Errorf("SaveCreds: %+v, %v", saved, err)
		}
	})
}

// The last try is made when the time is up, for a keyring that does not tell.
func TestLastTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, k, s := waiting(t)
		k.turn(keyring.ErrLocked, false)
		go func() {
			time.Sleep(30 * time.Second)
			k.turn(nil, false)
		}()
		if _, err := s.Token(t.Context()); err != nil {
			t.Errorf("Token: %v", err)
		}
	})
}

// A keyring that tells of changes without end, and cannot be used, costs a try
// a second.
func TestNoisyKeyring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, k, s := waiting(t)
		k.turn(keyring.ErrLocked, false)
		ctx, cancel := context.WithCancel(t.Context())
		var noise sync.WaitGroup
		noise.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(time.Millisecond)
				k.turn(keyring.ErrLocked, true)
			}
		})
		defer noise.Wait()
		defer cancel()
		if err := s.Load(ctx); !errors.Is(err, authring.ErrKeyringNotReady) {
			t.Errorf("Load: %v", err)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.tries > 80 {
			t.Errorf("it was tried %d times within a minute", k.tries)
		}
	})
}

// A keyring that hangs takes no longer than the wait, and its last try a moment.
func TestWaitForAKeyringThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, k, s := waiting(t)
		k.turn(keyring.ErrLocked, false)
		k.hang = true
		began := time.Now()
		if err := s.Load(t.Context()); !errors.Is(err, authring.ErrKeyringNotReady) {
			t.Errorf("Load: %v", err)
		}
		if took := time.Since(began); took > 62*time.Second {
			t.Errorf("waited %v", took)
		}
	})
}

// One that hangs from the start is waited for no longer either, however long a
// keyring may take where it is not waited for.
func TestWaitForAKeyringThatHangsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, k, _ := waiting(t)
		k.deaf = true
		s := w.open(t, "default", authring.WithKeyrings(k, w.plain), authring.WithKeyringWait(3*time.Second))
		for what, use := range map[string]func() error{
			"Token":        func() error { _, err := s.Token(t.Context()); return err },
			"Load":         func() error { return s.Load(t.Context()) },
			"AwaitKeyring": func() error { return s.AwaitKeyring(t.Context()) },
		} {
			began := time.Now()
			if err := use(); !errors.Is(err, authring.ErrKeyringNotReady) {
				t.Errorf("%s: %v", what, err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s waited %v", what, took)
			}
		}
	})
}

func TestWaitIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, k, s := waiting(t)
		k.turn(keyring.ErrLocked, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.AwaitKeyring(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, authring.ErrKeyringNotReady) {
			t.Errorf("AwaitKeyring: %v", err)
		}
		if _, err := s.Token(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Token: %v", err)
		}
	})
}

// Nothing waits for what waiting does not mend.
func TestNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, k, s := waiting(t)
		began := time.Now()
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
		if status, err := s.Status(t.Context()); err != nil || status.State != authring.Linked {
			t.Errorf("Status: %v, %v", status, err)
		}
		k.turn(keyring.ErrLocked, false)
		if status, err := s.Status(t.Context()); err != nil || status.State != authring.Locked {
			t.Errorf("Status: %v, %v", status, err)
		}
		nobody := w.open(t, "nobody", authring.WithKeyrings(k, w.plain), authring.WithKeyringWait(time.Minute))
		if _, err := nobody.Token(t.Context()); !errors.Is(err, authring.ErrNotLinked) {
			t.Errorf("Token: %v", err)
		}
		if _, err := nobody.Unlink(t.Context()); !errors.Is(err, authring.ErrNotLinked) {
			t.Errorf("Unlink: %v", err)
		}
		plain := w.open(t, "nobody", authring.WithKeyrings(k, w.plain), authring.WithKeyringWait(time.Minute), authring.WithKeyring(keyring.Plaintext))
		if err := plain.AwaitKeyring(t.Context()); err != nil {
			t.Errorf("AwaitKeyring: %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v", took)
		}
	})
	if _, err := authring.Open("default", authring.WithKeyringWait(0)); err == nil {
		t.Error("a wait of nothing was accepted")
	}
}
