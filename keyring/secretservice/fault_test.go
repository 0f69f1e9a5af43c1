package secretservice_test

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/secretservice"
	"github.com/authring/authring/secret"
)

var (
	ours   = map[string]string{"service": account.Service, "username": account.User, "application": "Python keyring library"}
	theirs = map[string]string{"service": account.Service, "username": account.User}
)

func TestPlainOnlyWhereRefused(t *testing.T) {
	desk := daemontest.NewDesk(t)
	f := startFake(t, desk, nil)
	k := onDesk(desk)
	mustSet(t, k, account, "token")
	wantValue(t, k, account, keyring.NoPrompt, "token")
	if want := []string{"dh-ietf1024-sha256-aes128-cbc-pkcs7", "plain"}; !slices.Equal(f.algorithms(), want) {
		t.Errorf("sessions asked for: %q, want %q", f.algorithms(), want)
	}
}

// No other failure to agree on a key makes us send the secret in clear.
func TestNoDowngrade(t *testing.T) {
	for _, name := range []string{
		"org.freedesktop.DBus.Error.Failed", "org.freedesktop.DBus.Error.InvalidArgs", "org.freedesktop.DBus.Error.AccessDenied",
	} {
		desk := daemontest.NewDesk(t)
		plain := make(chan struct{}, 8)
		f := startFake(t, desk, map[string]any{"OpenSession": func(algorithm string, _ dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
			if algorithm == "plain" {
				plain <- struct{}{}
			}
			return dbus.MakeVariant(""), noObject, dbus.NewError(name, nil)
		}})
		wantError(t, onDesk(desk).Set(bounded(t), account, secret.New("token"), keyring.NoPrompt), keyring.ErrUnavailable)
		if len(plain) > 0 || len(f.values()) > 0 {
			t.Errorf("after %s: asked for a plain session %d times, stored %q", name, len(plain), f.values())
		}
	}
}

func TestWeakPublicKeys(t *testing.T) {
	for name, key := range map[string]*big.Int{"0": big.NewInt(0), "1": big.NewInt(1), "huge": new(big.Int).Lsh(big.NewInt(1), 1024)} {
		desk := daemontest.NewDesk(t)
		f := startFake(t, desk, map[string]any{"OpenSession": func(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
			return dbus.MakeVariant(key.FillBytes(make([]byte, 129))), fakeSession, nil
		}})
		wantError(t, onDesk(desk).Set(bounded(t), account, secret.New("token"), keyring.NoPrompt), keyring.ErrUnavailable)
		if len(f.values()) > 0 {
			t.Errorf("public key %s: stored %q", name, f.values())
		}
	}
}

func TestNewestOfSeveral(t *testing.T) {
	desk := daemontest.NewDesk(t)
	f := startFake(t, desk, nil)
	k := onDesk(desk)
	f.add("stale", 7, theirs)
	f.add("older of ours", 6, ours)
	wantValue(t, k, account, keyring.NoPrompt, "stale")
	f.add("newest", 7, ours) // within the same second
	wantValue(t, k, account, keyring.NoPrompt, "newest")
	other := f.add("another account", 99, map[string]string{"service": account.Service, "username": strings.ToLower(account.User)})
	mustSet(t, k, account, "ours")
	if got := f.values(); !slices.Equal(got, []string{"another account", "ours"}) {
		t.Errorf("stored: %q", got)
	}
	if !slices.Contains(f.paths(), other) {
		t.Error("an item of another account was touched")
	}
}

// A provider that searches loosely must not hand out the token of another.
func TestItemsOfOthersAreNotTaken(t *testing.T) {
	desk := daemontest.NewDesk(t)
	f := newFake(t, desk)
	f.serve(t, map[string]any{"SearchItems": func(map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
		return f.search(nil)
	}})
	f.add("another's", 9, map[string]string{"service": account.Service, "username": "dbid:BBBB", "application": "Python keyring library"})
	k := onDesk(desk)
	_, err := k.Get(bounded(t), account, keyring.NoPrompt)
	wantError(t, err, keyring.ErrNotFound)
	mustSet(t, k, account, "ours")
	wantValue(t, k, account, keyring.NoPrompt, "ours")
	if err := k.Delete(bounded(t), account, keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	if got := f.values(); !slices.Equal(got, []string{"another's"}) {
		t.Errorf("stored: %q", got)
	}
}

func TestLostWrite(t *testing.T) {
	for name, before := range map[string]bool{"new item": false, "existing item": true} {
		t.Run(name, func(t *testing.T) {
			desk := daemontest.NewDesk(t)
			f := newFake(t, desk)
			f.deaf = true
			f.serve(t, nil)
			if before {
				f.add("old", 7, ours)
				f.add("older", 6, theirs)
			}
			k := onDesk(desk)
			err := k.Set(bounded(t), account, secret.New("token"), keyring.NoPrompt)
			if kerr := wantError(t, err, keyring.ErrUnavailable); !strings.Contains(kerr.Error(), "did not keep") {
				t.Errorf("the error reads %q", err)
			}
			if f.deletions() > 0 {
				t.Error("an item was deleted though the new one was not kept")
			}
			if before {
				wantValue(t, k, account, keyring.NoPrompt, "old")
			}
		})
	}
}

// Where an older item may not be deleted it gets the new secret; where that
// fails too, the caller learns it, and reads the new secret nevertheless.
func TestOlderItemThatStays(t *testing.T) {
	refuse := func() (dbus.ObjectPath, *dbus.Error) {
		return noObject, dbus.NewError("org.freedesktop.DBus.Error.Failed", nil)
	}
	desk := daemontest.NewDesk(t)
	f := startFake(t, desk, map[string]any{"Delete": refuse})
	f.add("stale", 7, theirs)
	k := onDesk(desk)
	mustSet(t, k, account, "new")
	if got := f.values(); !slices.Equal(got, []string{"new", "new"}) {
		t.Errorf("stored: %q", got)
	}
	wantError(t, k.Delete(bounded(t), account, keyring.NoPrompt), keyring.ErrUnavailable)

	desk = daemontest.NewDesk(t)
	f = startFake(t, desk, map[string]any{"Delete": refuse, "SetSecret": func(fakeSecret) *dbus.Error {
		return dbus.NewError("org.freedesktop.DBus.Error.Failed", nil)
	}})
	f.add("stale", 7, theirs)
	k = onDesk(desk)
	wantError(t, k.Set(bounded(t), account, secret.New("new"), keyring.NoPrompt), keyring.ErrUnavailable)
	wantValue(t, k, account, keyring.NoPrompt, "new")
}

// all calls every operation and returns their errors.
func all(ctx context.Context, k *secretservice.Keyring) []error {
	_, err := k.Get(ctx, account, keyring.NoPrompt)
	return []error{err, k.Set(ctx, account, secret.New("new"), keyring.NoPrompt), k.Delete(ctx, account, keyring.NoPrompt)}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	many := make([]dbus.ObjectPath, 5000)
	for i := range many {
		many[i] = fakeCollection
	}
	for name, replaced := range map[string]map[string]any{
		"session without a path":  {"OpenSession": func(string, dbus.Variant) (dbus.Variant, *dbus.Error) { return dbus.MakeVariant([]byte{9}), nil }},
		"session of another type": {"OpenSession": func(string, dbus.Variant) (string, dbus.ObjectPath, *dbus.Error) { return "x", fakeSession, nil }},
		"session at the root": {"OpenSession": func(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
			return dbus.MakeVariant([]byte{9}), noObject, nil
		}},
		"key that is a string": {"OpenSession": func(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
			return dbus.MakeVariant("9"), fakeSession, nil
		}},
		"nothing at all":          {"SearchItems": func(map[string]string) *dbus.Error { return nil }},
		"items that are strings":  {"SearchItems": func(map[string]string) ([]string, *dbus.Error) { return []string{"/a"}, nil }},
		"very many items":         {"SearchItems": func(map[string]string) ([]dbus.ObjectPath, *dbus.Error) { return many, nil }},
		"locked that is a number": {"Get": func(string, string) (dbus.Variant, *dbus.Error) { return dbus.MakeVariant(uint32(0)), nil }},
		"no attributes":           {"GetAll": func(string) (map[string]dbus.Variant, *dbus.Error) { return map[string]dbus.Variant{}, nil }},
		"attributes in bytes": {"GetAll": func(string) (map[string]dbus.Variant, *dbus.Error) {
			return map[string]dbus.Variant{"Attributes": dbus.MakeVariant([]byte{1})}, nil
		}},
		"properties that are none": {"GetAll": func(string) (uint64, *dbus.Error) { return 1, nil }},
		"secret that is a string":  {"GetSecret": func(dbus.ObjectPath) (string, *dbus.Error) { return "x", nil }, "Delete": func() (string, *dbus.Error) { return "x", nil }},
		"secret of fewer parts": {"GetSecret": func(dbus.ObjectPath) (struct{ A, B string }, *dbus.Error) { return struct{ A, B string }{}, nil },
			"Delete": func() (uint32, *dbus.Error) { return 1, nil }},
		"secret of another session": {"GetSecret": func(dbus.ObjectPath) (fakeSecret, *dbus.Error) {
			return fakeSecret{"/org/freedesktop/secrets/session/s2", nil, []byte("x"), ""}, nil
		}, "Delete": func() (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
			return "", "", dbus.NewError("org.freedesktop.DBus.Error.Failed", nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			desk := daemontest.NewDesk(t)
			f := startFake(t, desk, replaced)
			f.add("old", 7, ours)
			_, err := onDesk(desk).Get(bounded(t), account, keyring.NoPrompt)
			wantError(t, err, keyring.ErrUnavailable)
			err = onDesk(desk).Set(bounded(t), account, secret.New("new"), keyring.NoPrompt)
			wantError(t, err, keyring.ErrUnavailable)
			if strings.Contains(err.Error(), "new") && !strings.Contains(err.Error(), "answer") {
				t.Errorf("the error reads %q", err)
			}
			if f.deletions() > 0 {
				t.Error("an item was deleted")
			}
		})
	}
}

func TestProviderThatDoesNotAnswer(t *testing.T) {
	for _, method := range []string{"OpenSession", "SearchItems", "Get", "GetAll", "GetSecret"} {
		t.Run(method, func(t *testing.T) {
			desk := daemontest.NewDesk(t)
			end := make(chan struct{})
			t.Cleanup(func() { close(end) })
			hang := func(dbus.Message) *dbus.Error { <-end; return nil }
			var replaced any = hang
			switch method {
			case "OpenSession":
				replaced = func(string, dbus.Variant) *dbus.Error { <-end; return nil }
			case "SearchItems":
				replaced = func(map[string]string) *dbus.Error { <-end; return nil }
			case "Get":
				replaced = func(string, string) *dbus.Error { <-end; return nil }
			case "GetAll":
				replaced = func(string) *dbus.Error { <-end; return nil }
			case "GetSecret":
				replaced = func(dbus.ObjectPath) *dbus.Error { <-end; return nil }
			}
			f := startFake(t, desk, map[string]any{method: replaced})
			f.add("old", 7, ours)
			k := onDesk(desk, secretservice.WithCallBound(100*time.Millisecond))
			// Without a deadline of the caller's.
			_, err := k.Get(context.Background(), account, keyring.AskUser)
			if kerr := wantError(t, err, keyring.ErrUnavailable); errors.Is(err, context.DeadlineExceeded) || !strings.Contains(kerr.Error(), "does not answer") {
				t.Errorf("the error reads %q", err)
			}
			// And with one.
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err = onDesk(desk).Get(ctx, account, keyring.AskUser)
			wantError(t, err, context.DeadlineExceeded)
			if method == "Get" {
				if status := wantAvailability(t, k, keyring.Unavailable); !strings.Contains(status.Detail, "does not answer") {
					t.Errorf("Probe().Detail = %q", status.Detail)
				}
			}
		})
	}
}

func TestDismissReachesTheProvider(t *testing.T) {
	desk := daemontest.NewDesk(t)
	dismissed := make(chan struct{}, 8)
	f := newFake(t, desk)
	f.locked = true
	f.serve(t, map[string]any{"Dismiss": func() *dbus.Error { dismissed <- struct{}{}; return nil }})
	k := onDesk(desk)
	_, err := k.Get(bounded(t), account, soon)
	wantError(t, err, keyring.ErrLocked)
	await(t, "the question to be withdrawn", dismissed)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = k.Get(ctx, account, keyring.AskUser)
	wantError(t, err, context.DeadlineExceeded)
	wantError(t, err, keyring.ErrLocked)
	await(t, "the question to be withdrawn", dismissed)
}

func TestProviderVanishes(t *testing.T) {
	for _, method := range []string{"GetSecret", "Prompt"} {
		t.Run(method, func(t *testing.T) {
			desk := daemontest.NewDesk(t)
			f := newFake(t, desk)
			var replaced any = func(dbus.ObjectPath) (fakeSecret, *dbus.Error) {
				_ = f.conn.Close()
				return fakeSecret{}, nil
			}
			if method == "Prompt" {
				replaced = func(string) *dbus.Error { _ = f.conn.Close(); return nil }
			}
			f.locked = method == "Prompt"
			f.serve(t, map[string]any{method: replaced})
			f.add("old", 7, ours)
			_, err := onDesk(desk).Get(bounded(t), account, keyring.AskUser)
			wantError(t, err, keyring.ErrUnavailable)
			wantAvailability(t, onDesk(desk), keyring.Absent)
		})
	}
}

func TestDenials(t *testing.T) {
	for message, want := range map[string]string{
		"An AppArmor policy prevents this sender from sending this message": "password-manager-service",
		"Rejected send message": "the session bus denies access",
	} {
		desk := daemontest.NewDesk(t)
		deny := dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{message})
		startFake(t, desk, map[string]any{
			"Get":       func(string, string) (dbus.Variant, *dbus.Error) { return dbus.MakeVariant(""), deny },
			"ReadAlias": func(string) (dbus.ObjectPath, *dbus.Error) { return noObject, deny },
		})
		k := onDesk(desk)
		for _, err := range all(bounded(t), k) {
			if kerr := wantError(t, err, keyring.ErrUnavailable); !strings.Contains(kerr.Error(), want) {
				t.Errorf("the error reads %q, want %q in it", err, want)
			}
		}
		if status := wantAvailability(t, k, keyring.Unavailable); !strings.Contains(status.Detail, want) {
			t.Errorf("Probe().Detail = %q", status.Detail)
		}
	}
}

// The words of the service are not ours to repeat.
func TestErrorsAreNotQuoted(t *testing.T) {
	desk := daemontest.NewDesk(t)
	startFake(t, desk, map[string]any{"CreateItem": func(_ map[string]dbus.Variant, in fakeSecret, _ bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
		return noObject, noObject, dbus.NewError("org.example.Error.Rude", []any{"cannot store " + string(in.Value)})
	}})
	err := onDesk(desk).Set(bounded(t), account, secret.New("do-not-print-me"), keyring.NoPrompt)
	wantError(t, err, keyring.ErrUnavailable)
	if strings.Contains(err.Error(), "do-not-print-me") || !strings.Contains(err.Error(), "org.example.Error.Rude") {
		t.Errorf("the error reads %q", err)
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	desk := daemontest.NewDesk(t)
	f := startFake(t, desk, nil)
	f.add("old", 7, ours)
	k := onDesk(desk)
	for _, key := range []keyring.Key{{}, {Service: account.Service}, {User: account.User}, {Service: "a\x00b", User: "c"}, {Service: "a", User: "\xff"}} {
		_, err := k.Get(bounded(t), key, keyring.NoPrompt)
		for _, err := range []error{err, k.Set(bounded(t), key, secret.New("x"), keyring.NoPrompt), k.Delete(bounded(t), key, keyring.NoPrompt)} {
			var kerr *keyring.Error
			if !errors.As(err, &kerr) || errors.Is(err, keyring.ErrNotFound) {
				t.Errorf("%q: %v", key, err)
			}
		}
	}
	if got := f.values(); !slices.Equal(got, []string{"old"}) || len(f.algorithms()) > 0 {
		t.Errorf("stored %q, sessions %q", got, f.algorithms())
	}
}
