package secretservice_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/secretservice"
	"github.com/authring/authring/secret"
)

var account = keyring.Key{Service: "authring-test", User: "config:default:dbid:AAAA"}

// soon is a prompt that nobody is given time to answer.
const soon = keyring.Prompt(50 * time.Millisecond)

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// lockedGNOME is gnome-keyring with one item in its locked keyring.
func lockedGNOME(t *testing.T) (*daemontest.Desk, *daemontest.GNOME, *secretservice.Keyring) {
	t.Helper()
	desk := daemontest.NewDesk(t)
	daemon := daemontest.StartGNOME(t, desk)
	k := onDesk(desk)
	mustSet(t, k, account, "token")
	daemon.Lock(t)
	return desk, daemon, k
}

func mustSet(t *testing.T, k keyring.Keyring, key keyring.Key, value string) {
	t.Helper()
	if err := k.Set(bounded(t), key, secret.New(value), keyring.NoPrompt); err != nil {
		t.Fatalf("Set: %v", err)
	}
}

func wantValue(t *testing.T, k keyring.Keyring, key keyring.Key, prompt keyring.Prompt, value string) {
	t.Helper()
	got, err := k.Get(bounded(t), key, prompt)
	if err != nil || got.Reveal() != value {
		t.Errorf("Get = %q, %v, want %q", got.Reveal(), err, value)
	}
}

func wantError(t *testing.T, err, want error) *keyring.Error {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got the error %v, want %v", err, want)
	}
	var kerr *keyring.Error
	if !errors.As(err, &kerr) || kerr.Keyring != keyring.SecretService {
		t.Fatalf("got %T (%v), want a *keyring.Error", err, err)
	}
	return kerr
}

func await(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(30 * time.Second):
		t.Fatalf("waited 30 s for %s", what)
	}
}

func wantAvailability(t *testing.T, k keyring.Keyring, want keyring.Availability) keyring.Status {
	t.Helper()
	status := keyring.Probe(bounded(t), k)
	if status.Availability != want {
		t.Errorf("Probe() = %v (%s), want %v", status.Availability, status.Detail, want)
	}
	return status
}

func TestLockedAndNobodyIsAsked(t *testing.T) {
	desk, _, k := lockedGNOME(t)
	prompter := daemontest.StartPrompter(t, desk)
	wantAvailability(t, k, keyring.Locked)
	for range 3 {
		_, err := k.Get(bounded(t), account, keyring.NoPrompt)
		kerr := wantError(t, err, keyring.ErrLocked)
		if kerr.Name != "GNOME Keyring" || !strings.Contains(err.Error(), "locked") {
			t.Errorf("the error reads %q", err)
		}
		// Not to be found and locked are not the same.
		_, err = k.Get(bounded(t), keyring.Key{Service: "no", User: "such"}, keyring.NoPrompt)
		wantError(t, err, keyring.ErrLocked)
		wantError(t, k.Set(bounded(t), account, secret.New("x"), keyring.NoPrompt), keyring.ErrLocked)
		wantError(t, k.Delete(bounded(t), account, keyring.NoPrompt), keyring.ErrLocked)
	}
	if len(prompter.Asked) != 0 {
		t.Error("somebody was asked")
	}
}

func TestPromptAnswers(t *testing.T) {
	right, wrong, cancel := daemontest.Type(daemontest.GNOMEPassword), daemontest.Type("wrong"), daemontest.Cancel()
	for name, test := range map[string]struct {
		answers []daemontest.Answer
		want    error
	}{
		"right":             {[]daemontest.Answer{right}, nil},
		"wrong then right":  {[]daemontest.Answer{wrong, wrong, right}, nil},
		"cancel":            {[]daemontest.Answer{cancel}, keyring.ErrDismissed},
		"wrong then cancel": {[]daemontest.Answer{wrong, cancel}, keyring.ErrDismissed},
	} {
		t.Run(name, func(t *testing.T) {
			desk, _, k := lockedGNOME(t)
			prompter := daemontest.StartPrompter(t, desk, test.answers...)
			got, err := k.Get(bounded(t), account, keyring.AskUser)
			if asked := len(prompter.Asked); asked != len(test.answers) {
				t.Errorf("%d questions, want %d", asked, len(test.answers))
			}
			if test.want != nil {
				wantError(t, err, test.want)
				wantError(t, err, keyring.ErrLocked)
				wantAvailability(t, k, keyring.Locked)
				return
			}
			if err != nil || got.Reveal() != "token" {
				t.Fatalf("Get = %q, %v", got.Reveal(), err)
			}
			wantAvailability(t, k, keyring.Ready)
			wantValue(t, k, account, keyring.NoPrompt, "token")
		})
	}
}

func TestWritingAndDeletingAsk(t *testing.T) {
	right := daemontest.Type(daemontest.GNOMEPassword)
	desk, daemon, k := lockedGNOME(t)
	daemontest.StartPrompter(t, desk, right, right)
	if err := k.Set(bounded(t), account, secret.New("new"), keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	wantValue(t, k, account, keyring.NoPrompt, "new")
	daemon.Lock(t)
	if err := k.Delete(bounded(t), account, keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	_, err := k.Get(bounded(t), account, keyring.NoPrompt)
	wantError(t, err, keyring.ErrNotFound)
}

func TestNobodyThereToAsk(t *testing.T) {
	_, _, k := lockedGNOME(t)
	_, err := k.Get(bounded(t), account, keyring.AskUser)
	wantError(t, err, keyring.ErrDismissed)
}

// A question of gnome-keyring cannot be withdrawn: it takes the daemon down.
// It stands, and is answered for all who ask.
func TestPromptThatNobodyAnswersInTime(t *testing.T) {
	desk, _, k := lockedGNOME(t)
	answered := make(chan struct{})
	prompter := daemontest.StartPrompter(t, desk, daemontest.After(answered, daemontest.Type(daemontest.GNOMEPassword)))
	for range 3 {
		_, err := k.Get(bounded(t), account, soon)
		if kerr := wantError(t, err, keyring.ErrLocked); !strings.Contains(kerr.Error(), "nobody answered in time") {
			t.Errorf("the error reads %q", err)
		}
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, keyring.ErrDismissed) {
			t.Errorf("the error %v is one of the caller's or of the user's", err)
		}
	}
	// The daemon lives, others are served, and the user was asked once.
	if status := wantAvailability(t, k, keyring.Locked); status.Name != "GNOME Keyring" {
		t.Errorf("the provider is %q", status.Name)
	}
	if asked := len(prompter.Asked); asked != 1 {
		t.Errorf("%d questions, want 1", asked)
	}
	close(answered)
	wantValue(t, k, account, keyring.AskUser, "token")
}

// A program that ends while its question stands harms nobody either.
func TestProgramEndsBeforeTheAnswer(t *testing.T) {
	desk, daemon, k := lockedGNOME(t)
	answered := make(chan struct{})
	prompter := daemontest.StartPrompter(t, desk, daemontest.After(answered, daemontest.Type(daemontest.GNOMEPassword)))
	_, err := k.Get(bounded(t), account, soon)
	wantError(t, err, keyring.ErrLocked)
	k.Disconnect()
	close(answered)
	await(t, "the end of the question", prompter.Withdrawn)
	wantValue(t, onDesk(desk), account, keyring.NoPrompt, "token")
	daemon.Lock(t)
	wantAvailability(t, onDesk(desk), keyring.Locked)
}

func TestContextEndsDuringPrompt(t *testing.T) {
	desk, _, k := lockedGNOME(t)
	prompter := daemontest.StartPrompter(t, desk)
	for i, call := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := k.Get(ctx, account, keyring.AskUser); return err },
		func(ctx context.Context) error { return k.Set(ctx, account, secret.New("x"), keyring.AskUser) },
		func(ctx context.Context) error { return k.Delete(ctx, account, keyring.AskUser) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- call(ctx) }()
		if i == 0 {
			// All three share the one question.
			await(t, "the question", prompter.Asked)
		}
		cancel()
		select {
		case err := <-ended:
			wantError(t, err, context.Canceled)
		case <-time.After(30 * time.Second):
			t.Fatal("the call did not return")
		}
	}
}

// Any program on the bus can send us signals that look like an answer.
func TestForgedSignalsAreIgnored(t *testing.T) {
	desk, _, k := lockedGNOME(t)
	answered := make(chan struct{})
	prompter := daemontest.StartPrompter(t, desk, daemontest.After(answered, daemontest.Type(daemontest.GNOMEPassword)))
	ended := make(chan error, 1)
	go func() { _, err := k.Get(bounded(t), account, keyring.AskUser); ended <- err }()
	await(t, "the question", prompter.Asked)

	other := desk.Connect(t)
	var names []string
	if err := other.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	var owner string
	if err := other.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, daemontest.SecretsName).Store(&owner); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, ":") || name == owner {
			continue
		}
		for _, forged := range []struct {
			path          dbus.ObjectPath
			iface, member string
			body          []any
		}{
			{"/org/freedesktop/secrets/prompt/u1", "org.freedesktop.Secret.Prompt", "Completed", []any{true, dbus.MakeVariant([]dbus.ObjectPath{})}},
			{"/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", []any{owner, owner, ""}},
		} {
			other.Send(&dbus.Message{
				Type: dbus.TypeSignal,
				Headers: map[dbus.HeaderField]dbus.Variant{
					dbus.FieldDestination: dbus.MakeVariant(name), dbus.FieldPath: dbus.MakeVariant(forged.path),
					dbus.FieldInterface: dbus.MakeVariant(forged.iface), dbus.FieldMember: dbus.MakeVariant(forged.member),
					dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(forged.body...)),
				},
				Body: forged.body,
			}, make(chan *dbus.Call, 1))
		}
	}
	// Delivered once the bus has answered what was asked after them.
	if err := other.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil {
		t.Fatal(err)
	}
	wantAvailability(t, k, keyring.Locked)
	select {
	case err := <-ended:
		t.Fatalf("a forged signal ended the question: %v", err)
	default:
	}
	close(answered)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestManyAskTogether(t *testing.T) {
	desk, _, k := lockedGNOME(t)
	answered := make(chan struct{})
	prompter := daemontest.StartPrompter(t, desk, daemontest.After(answered, daemontest.Type(daemontest.GNOMEPassword)))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { wantValue(t, k, account, keyring.AskUser, "token") })
	}
	await(t, "the question", prompter.Asked)
	close(answered)
	wg.Wait()
	if more := len(prompter.Asked); more != 0 {
		t.Errorf("the user was asked %d times more", more)
	}
}

func TestDaemonKilledDuringPrompt(t *testing.T) {
	desk, daemon, k := lockedGNOME(t)
	prompter := daemontest.StartPrompter(t, desk)
	ended := make(chan error, 1)
	go func() { _, err := k.Get(bounded(t), account, keyring.AskUser); ended <- err }()
	await(t, "the question", prompter.Asked)
	daemon.Stop(t)
	wantError(t, <-ended, keyring.ErrUnavailable)
	daemon.StartUnlocked(t)
	wantValue(t, k, account, keyring.NoPrompt, "token")
}

func TestBusKilledDuringPrompt(t *testing.T) {
	desk, _, k := lockedGNOME(t)
	prompter := daemontest.StartPrompter(t, desk)
	ended := make(chan error, 1)
	go func() { _, err := k.Get(bounded(t), account, keyring.AskUser); ended <- err }()
	await(t, "the question", prompter.Asked)
	desk.StopBus(t)
	wantError(t, <-ended, keyring.ErrUnavailable)
	_, err := k.Get(bounded(t), account, keyring.AskUser)
	wantError(t, err, keyring.ErrUnavailable)
	wantAvailability(t, k, keyring.Unavailable)
}

func TestNoCollection(t *testing.T) {
	desk := daemontest.NewDesk(t)
	daemontest.StartEmptyGNOME(t, desk)
	k := onDesk(desk)
	if status := wantAvailability(t, k, keyring.Unavailable); !strings.Contains(status.Detail, "no default keyring") {
		t.Errorf("Probe().Detail = %q", status.Detail)
	}
	_, err := k.Get(bounded(t), account, keyring.AskUser)
	wantError(t, err, keyring.ErrUnavailable)
	wantError(t, k.Delete(bounded(t), account, keyring.AskUser), keyring.ErrUnavailable)
	wantError(t, k.Set(bounded(t), account, secret.New("x"), keyring.NoPrompt), keyring.ErrUnavailable)

	// A password, and the consent to one that is weak.
	prompter := daemontest.StartPrompter(t, desk, daemontest.Cancel(), daemontest.Ignore(), daemontest.Type("new"), daemontest.Type(""))
	wantError(t, k.Set(bounded(t), account, secret.New("x"), keyring.AskUser), keyring.ErrDismissed)
	await(t, "the end of the first question", prompter.Withdrawn)
	wantError(t, k.Set(bounded(t), account, secret.New("x"), soon), keyring.ErrLocked)
	// This kind of question can be withdrawn, and is.
	await(t, "the question to be withdrawn", prompter.Withdrawn)
	if err := k.Set(bounded(t), account, secret.New("x"), keyring.AskUser); err != nil {
		t.Fatal(err)
	}
	wantValue(t, k, account, keyring.NoPrompt, "x")
	wantAvailability(t, k, keyring.Ready)
}

func TestKeePassXCLocked(t *testing.T) {
	desk := daemontest.NewDesk(t)
	app := daemontest.StartKeePassXC(t, desk)
	k := onDesk(desk)
	mustSet(t, k, account, "token")
	app.Lock(t)
	// A locked database finds nothing, which is not to say there is nothing.
	wantAvailability(t, k, keyring.Locked)
	_, err := k.Get(bounded(t), account, keyring.NoPrompt)
	if kerr := wantError(t, err, keyring.ErrLocked); kerr.Name != "KeePassXC" {
		t.Errorf("the error reads %q", err)
	}
	_, err = k.Get(bounded(t), account, soon)
	wantError(t, err, keyring.ErrLocked)
	wantError(t, k.Set(bounded(t), account, secret.New("x"), keyring.NoPrompt), keyring.ErrLocked)
	wantError(t, k.Delete(bounded(t), account, keyring.NoPrompt), keyring.ErrLocked)
	app.Unlock(t)
	wantValue(t, k, account, keyring.NoPrompt, "token")
	app.Stop(t)
	app.Start(t, false)
	wantAvailability(t, k, keyring.Unavailable)
	_, err = k.Get(bounded(t), account, keyring.NoPrompt)
	wantError(t, err, keyring.ErrUnavailable)
}

// As it comes, KeePassXC asks its user before a program gets an entry that it
// did not make itself.
func TestKeePassXCAsksForEachEntry(t *testing.T) {
	desk := daemontest.NewDesk(t)
	daemontest.StartKeePassXC(t, desk, daemontest.WithConfirmation())
	maker, another := onDesk(desk), onDesk(desk)
	mustSet(t, maker, account, "token")
	wantValue(t, maker, account, keyring.NoPrompt, "token")
	mustSet(t, maker, account, "second")
	_, err := another.Get(bounded(t), account, keyring.NoPrompt)
	wantError(t, err, keyring.ErrLocked)
	_, err = another.Get(bounded(t), account, soon)
	wantError(t, err, keyring.ErrLocked)
	wantError(t, another.Set(bounded(t), account, secret.New("x"), keyring.NoPrompt), keyring.ErrLocked)
	wantError(t, another.Set(bounded(t), account, secret.New("x"), soon), keyring.ErrLocked)
	_, err = another.Get(bounded(t), keyring.Key{Service: "no", User: "such"}, keyring.NoPrompt)
	wantError(t, err, keyring.ErrNotFound)
	wantValue(t, maker, account, keyring.NoPrompt, "second")
}
