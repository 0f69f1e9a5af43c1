//go:build unix

package sealed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

// person answers questions, one after the other, and remembers them.
type person struct {
	mu      sync.Mutex
	answers []string
	asked   []sealed.Question
}

func (p *person) ask(_ context.Context, q sealed.Question) (secret.Secret, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q)
	if len(p.answers) == 0 {
		return secret.Secret{}, errors.New("gone away")
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return secret.New(answer), nil
}

func asking(path string, answers ...string) (*sealed.Keyring, *person) {
	p := &person{answers: answers}
	return sealed.New(sealed.WithPath(path), sealed.WithPassphrasePrompt(p.ask), sealed.WithCheapPassphrase()), p
}

func (p *person) wasAsked(t *testing.T, want ...sealed.Question) {
	t.Helper()
	if fmt.Sprint(p.asked) != fmt.Sprint(want) {
		t.Errorf("asked: %+v, want %+v", p.asked, want)
	}
}

func TestPrompt(t *testing.T) {
	path := newPath(t)
	k, p := asking(path, "right")
	wantStatus(t, k, keyring.Locked, "new passphrase")
	if err := k.Set(t.Context(), testKey("a"), secret.New("value"), keyring.NoPrompt); !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("Set without a prompt = %v, want ErrLocked", err)
	}
	p.wasAsked(t)
	if err := k.Set(t.Context(), testKey("a"), secret.New("value"), keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	want(t, k, "a", "value") // without another question
	set(t, k, "a", "value")
	wantStatus(t, k, keyring.Ready, "encrypted")
	p.wasAsked(t, sealed.Question{Path: path, New: true})

	k, p = asking(path, "wrong", "right", "right")
	wantStatus(t, k, keyring.Locked, "asks for its passphrase")
	wantFailure(t, k, keyring.ErrLocked)
	p.wasAsked(t)
	got, err := k.Get(t.Context(), testKey("a"), keyring.AskUser)
	if err != nil || got.Reveal() != "value" {
		t.Errorf("Get = %q, %v", got.Reveal(), err)
	}
	p.wasAsked(t, sealed.Question{Path: path}, sealed.Question{Path: path, Again: true})

	k, p = asking(path, "wrong", "wrong", "wrong", "right")
	if _, err := k.Get(t.Context(), testKey("a"), keyring.AskUser); !errors.Is(err, sealed.ErrWrongKey) || !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("Get with wrong answers = %v", err)
	}
	if len(p.asked) != 3 {
		t.Errorf("asked %d times", len(p.asked))
	}
	for _, answers := range [][]string{{}, {""}, {"wrong", ""}} {
		k, _ = asking(path, answers...)
		if _, err := k.Get(t.Context(), testKey("a"), keyring.AskUser); !errors.Is(err, keyring.ErrDismissed) {
			t.Errorf("Get with answers %q = %v, want ErrDismissed", answers, err)
		}
	}
}

// TestUnlockAsksOnce: what was asked before is not asked again when the file
// is made.
func TestUnlockAsksOnce(t *testing.T) {
	path := newPath(t)
	k, p := asking(path, "right")
	if err := k.Unlock(t.Context(), keyring.NoPrompt); !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("Unlock without a prompt = %v", err)
	}
	if err := k.Unlock(t.Context(), keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	set(t, k, "a", "value")
	k2, p2 := asking(path, "right")
	if err := k2.Unlock(t.Context(), keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	want(t, k2, "a", "value")
	if len(p.asked) != 1 || len(p2.asked) != 1 {
		t.Errorf("asked %d and %d times", len(p.asked), len(p2.asked))
	}
}

// TestTheQuestionIsWithdrawn at the end of its time, and of the context.
func TestTheQuestionIsWithdrawn(t *testing.T) {
	path := newPath(t)
	k, _ := asking(path, "right")
	if err := k.Unlock(t.Context(), keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	set(t, k, "a", "value")
	asked := make(chan struct{}, 1)
	k = sealed.New(sealed.WithPath(path), sealed.WithCheapPassphrase(), sealed.WithPassphrasePrompt(func(ctx context.Context, _ sealed.Question) (secret.Secret, error) {
		asked <- struct{}{}
		<-ctx.Done()
		return secret.Secret{}, errors.New("withdrawn")
	}))
	_, err := k.Get(t.Context(), testKey("a"), keyring.Prompt(time.Millisecond))
	if !errors.Is(err, keyring.ErrLocked) || errors.Is(err, keyring.ErrDismissed) || !strings.Contains(err.Error(), "in time") {
		t.Errorf("Get when its time is over = %v", err)
	}
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := k.Get(ctx, testKey("a"), keyring.AskUser); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want context.Canceled", err)
	}
}

// TestOneQuestionForAll who wait at the same time.
func TestOneQuestionForAll(t *testing.T) {
	path := newPath(t)
	k, _ := asking(path, "right")
	if err := k.Set(t.Context(), testKey("a"), secret.New("value"), keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	k, p := asking(path, "right")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := k.Get(t.Context(), testKey("a"), keyring.AskUser); err != nil || got.Reveal() != "value" {
				t.Errorf("Get = %q, %v", got.Reveal(), err)
			}
		})
	}
	wg.Wait()
	if len(p.asked) != 1 {
		t.Errorf("asked %d times", len(p.asked))
	}
}
