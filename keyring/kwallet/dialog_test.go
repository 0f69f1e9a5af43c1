//go:build linux

package kwallet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/kwallet"
)

// closedWallet starts a daemon on a display, with a closed wallet that holds
// one secret.
func closedWallet(t *testing.T, opts ...daemontest.KWalletOption) (w *daemontest.KWallet, k *kwallet.Keyring, display string) {
	t.Helper()
	desk := sit(t)
	display = daemontest.StartDisplay(t)
	w = daemontest.StartKWallet(t, desk, append(opts, daemontest.WithDisplay(display))...)
	k = newKeyring(t)
	must(t, set(t, k, "a", "1", keyring.NoPrompt))
	eventually(t, "nobody uses the wallet", func() bool { return len(w.Users(t)) == 0 })
	w.Close(t)
	return w, k, display
}

type result struct {
	value string
	err   error
}

// ask begins a Get that brings up the question.
func ask(ctx context.Context, k keyring.Keyring, prompt keyring.Prompt) <-chan result {
	done := make(chan result, 1)
	go func() {
		value, err := k.Get(ctx, testKey("a"), prompt)
		done <- result{value.Reveal(), err}
	}()
	return done
}

func TestQuestionAnswered(t *testing.T) {
	_, k, display := closedWallet(t)
	done := ask(bounded(t), k, keyring.AskUser)
	dialog(t, display)
	answer(t, display, daemontest.WalletPassword)
	if r := <-done; r.err != nil || r.value != "1" {
		t.Errorf("Get = %q, %v", r.value, r.err)
	}
}

func TestQuestionAnsweredWronglyThenRight(t *testing.T) {
	_, k, display := closedWallet(t)
	done := ask(bounded(t), k, keyring.AskUser)
	dialog(t, display)
	answer(t, display, "wrong")
	dialog(t, display)
	answer(t, display, daemontest.WalletPassword)
	if r := <-done; r.err != nil || r.value != "1" {
		t.Errorf("Get = %q, %v", r.value, r.err)
	}
}

func TestQuestionDismissed(t *testing.T) {
	w, k, display := closedWallet(t)
	done := ask(bounded(t), k, keyring.AskUser)
	dialog(t, display)
	xdo(t, display, "key", "Escape")
	wantError(t, "Get", (<-done).err, keyring.ErrDismissed, "denied")
	if w.IsOpen(t) {
		t.Error("the wallet is open")
	}
}

func TestQuestionNeverAnswered(t *testing.T) {
	w, k, display := closedWallet(t)
	done := ask(bounded(t), k, keyring.Prompt(time.Second))
	dialog(t, display)
	r := <-done
	wantError(t, "Get", r.err, keyring.ErrLocked, "nobody answered")
	if errors.Is(r.err, keyring.ErrDismissed) {
		t.Errorf("Get = %v: nobody dismissed it", r.err)
	}
	// KWallet keeps its dialog. Its answer comes too late for us, and there
	// is no second question.
	answer(t, display, daemontest.WalletPassword)
	eventually(t, "the wallet is open", func() bool { return w.IsOpen(t) })
	eventually(t, "nobody uses the wallet", func() bool { return len(w.Users(t)) == 0 })
}

func TestContextEndsTheWait(t *testing.T) {
	_, k, display := closedWallet(t)
	ctx, cancel := context.WithCancel(bounded(t))
	first, second := ask(ctx, k, keyring.AskUser), ask(ctx, k, keyring.AskUser)
	dialog(t, display)
	cancel()
	for _, done := range []<-chan result{first, second} {
		r := <-done
		wantError(t, "Get", r.err, keyring.ErrLocked, "in time")
		wantError(t, "Get", r.err, context.Canceled, "")
	}
	// The request that waited for its turn is withdrawn: once this dialog is
	// dismissed there is no other, and the next question is a new one.
	xdo(t, display, "key", "Escape")
	third := ask(bounded(t), k, keyring.AskUser)
	dialog(t, display)
	answer(t, display, daemontest.WalletPassword)
	if r := <-third; r.err != nil || r.value != "1" {
		t.Errorf("Get = %q, %v", r.value, r.err)
	}
}

func TestDaemonKilledDuringTheQuestion(t *testing.T) {
	w, k, display := closedWallet(t)
	done := ask(bounded(t), k, keyring.AskUser)
	dialog(t, display)
	w.Stop(t)
	wantError(t, "Get", (<-done).err, keyring.ErrUnavailable, "has ended")
}

// TestPromptOnOpen: where programs need permission, an open wallet is no
// reason to believe that nobody will be asked.
func TestPromptOnOpen(t *testing.T) {
	desk := sit(t)
	display := daemontest.StartDisplay(t)
	w := daemontest.StartKWallet(t, desk, daemontest.WithDisplay(display), daemontest.WithWalletSetting("Prompt on Open=true"))
	k := newKeyring(t)
	wantStatus(t, k, keyring.Locked, "whether authring may")
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrLocked, "whether authring may")
	if users := w.Users(t); len(users) != 0 {
		t.Errorf("users of the wallet: %v", users)
	}
	done := ask(bounded(t), k, keyring.AskUser)
	dialog(t, display)
	xdo(t, display, "key", "Escape")
	wantError(t, "Get", (<-done).err, keyring.ErrDismissed, "denied")
}

func TestPromptOnOpenAllowed(t *testing.T) {
	desk := sit(t)
	daemontest.StartKWallet(t, desk, daemontest.WithWalletSetting(
		"Prompt on Open=true\n\n[Auto Allow]\n"+daemontest.WalletName+"=other,authring"))
	k := newKeyring(t)
	wantStatus(t, k, keyring.Ready, "open")
	must(t, set(t, k, "a", "1", keyring.NoPrompt))
}

// TestFirstWallet: to write, where there is no wallet, KWallet makes one with
// its user.
func TestFirstWallet(t *testing.T) {
	desk := sit(t)
	display := daemontest.StartDisplay(t)
	daemontest.StartKWallet(t, desk, daemontest.WithoutWallet(), daemontest.WithDisplay(display))
	k := newKeyring(t)
	done := make(chan error, 1)
	go func() { done <- set(t, k, "a", "1", keyring.AskUser) }()
	dialog(t, display)
	xdo(t, display, "key", "Escape")
	wantError(t, "Set", <-done, keyring.ErrDismissed, "denied")
	wantStatus(t, k, keyring.Locked, "no wallet yet")
}
