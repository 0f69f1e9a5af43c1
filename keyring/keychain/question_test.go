package keychain_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// TestUnanswered: the question outlasts the call, nothing is written by an
// answer that comes late to the question for the password, and nobody who may
// not ask is held up.
func TestUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, open := newMac(t)
		release := make(chan struct{})
		m.answer = func(string) int32 { <-release; return 0 }
		m.put(testKey, "before", true)
		m.locked = true
		k := open()
		began := time.Now()
		err := k.Set(t.Context(), testKey, secret.New("after"), keyring.AskUser)
		refused(t, "Set", err, keyring.ErrLocked, "stays on the screen")
		if errors.Is(err, keyring.ErrDismissed) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Set = %v: nobody said no, and the caller's own time was not up", err)
		}
		if took := time.Since(began); took != time.Duration(keyring.AskUser) {
			t.Errorf("it took %v", took)
		}

		began = time.Now()
		for op, call := range calls(open(), keyring.NoPrompt) {
			refused(t, op, call(t.Context()), keyring.ErrLocked, "answer that first")
		}
		if status := open().Probe(t.Context()); status.Availability != keyring.Locked {
			t.Errorf("Probe = %+v, want locked", status)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("who may not ask waited %v", took)
		}
		refused(t, "Get", func() error {
			_, err := open().Get(t.Context(), testKey, keyring.Prompt(time.Minute))
			return err
		}(), keyring.ErrLocked, "answer that first")
		if asked := m.questions(); asked != "[password]" {
			t.Errorf("asked %s, want one question", asked)
		}

		close(release)
		synctest.Wait()
		want(t, open(), "before")
	})
}

// TestOneQuestion: callers who need the same answer have it asked for once.
func TestOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, open := newMac(t)
		m.answer = func(string) int32 { time.Sleep(10 * time.Second); return 0 }
		m.put(testKey, "value", true)
		m.locked = true
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				got, err := open().Get(t.Context(), testKey, keyring.AskUser)
				if err != nil || got.Reveal() != "value" {
					t.Errorf("Get = %q, %v", got.Reveal(), err)
				}
			})
		}
		wg.Wait()
		if asked := m.questions(); asked != "[password]" {
			t.Errorf("asked %s", asked)
		}
	})
}

// TestGivenUp: the caller's context ends the wait.
func TestGivenUp(t *testing.T) {
	for op := range calls(nil, keyring.NoPrompt) {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, open := newMac(t)
				release := make(chan struct{})
				m.answer = func(string) int32 { <-release; return 0 }
				m.put(testKey, "before", true)
				m.locked = true
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				err := calls(open(), keyring.AskUser)[op](ctx)
				refused(t, op, err, keyring.ErrUnavailable, "given up")
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v is not the context's", err)
				}
				close(release)
				synctest.Wait()
				want(t, open(), "before")
			})
		})
	}
}

// TestTheSwitch is off while nobody may be asked, as the program had it
// afterwards, and where the program has it off nothing is asked at all.
func TestTheSwitch(t *testing.T) {
	m, open := newMac(t)
	m.answer = yes
	k := open()
	m.put(testKey, "value", true)
	m.before = func(call string) int32 {
		if call == "find" && !m.silenced {
			t.Error("a call that asks nobody could have asked")
		}
		return 0
	}
	want(t, k, "value")
	if m.silenced || m.switched != 2 {
		t.Errorf("switched %d times, off: %v", m.switched, m.silenced)
	}
	m.before = func(string) int32 { return 0 }

	m.silenced, m.locked = true, true
	_, err := k.Get(t.Context(), testKey, keyring.AskUser)
	refused(t, "Get", err, keyring.ErrDismissed, "cannot be asked")
	if asked := m.questions(); asked != "[]" || !m.silenced {
		t.Errorf("asked %s, off: %v", asked, m.silenced)
	}
	m.silenced = false
}

// TestSilentCallsSideBySide: the switch comes back once all have ended, and a
// question waits until then.
func TestSilentCallsSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, open := newMac(t)
		m.answer = yes
		other := keyring.Key{Service: "authring-test", User: "other"}
		m.put(testKey, "value", true)
		m.put(other, "theirs", false)
		first := true
		m.before = func(call string) int32 {
			if slow := first && call == "find"; slow {
				first = false
				time.Sleep(5 * time.Second)
			}
			return 0
		}
		var wg sync.WaitGroup
		began := time.Now()
		wg.Go(func() { want(t, open(), "value") })
		synctest.Wait()
		wg.Go(func() {
			got, err := open().Get(t.Context(), other, keyring.AskUser)
			if err != nil || got.Reveal() != "theirs" {
				t.Errorf("Get = %q, %v", got.Reveal(), err)
			}
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("asked after %v, want 5 s", took)
			}
		})
		wg.Wait()
		if m.silenced {
			t.Error("the switch is off")
		}
	})
}

// TestAKeychainThatHangs holds nobody up for long, and a late answer changes
// nothing for those who gave up.
func TestAKeychainThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, open := newMac(t)
		k := open()
		release := make(chan struct{})
		m.before = func(string) int32 {
			select {
			case <-release:
				return 0
			default:
			}
			<-release
			return missing // so that what hung would go on to add
		}
		began := time.Now()
		for range 20 {
			err := k.Set(t.Context(), testKey, secret.New("after"), keyring.AskUser)
			refused(t, "Set", err, keyring.ErrUnavailable, "does not answer")
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v is the context's", err)
			}
		}
		if took := time.Since(began); took != 200*time.Second {
			t.Errorf("20 calls took %v, want 10 s each", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.Get(ctx, testKey, keyring.AskUser); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v, want the caller's own deadline", err)
		}
		if status := k.Probe(t.Context()); status.Availability != keyring.Unavailable || status.Detail != "it does not answer" {
			t.Errorf("Probe = %+v", status)
		}
		close(release)
		synctest.Wait()
		if len(m.items) != 0 {
			t.Error("it was written when nobody waited for it")
		}
	})
}
