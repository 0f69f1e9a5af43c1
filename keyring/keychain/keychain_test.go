package keychain_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keychain"
	"github.com/authring/authring/secret"
)

var testKey = keyring.Key{Service: "authring-test", User: "config:default:dbid:AAAA"}

func TestConformance(t *testing.T) {
	_, open := newMac(t)
	matrix.Run(t, matrix.Behind{How: matrix.Fake, Name: "fake of macOS' Keychain"}, func(*testing.T) keyring.Keyring { return open() })
}

// calls are all that can be done to a secret, with what it is allowed to ask.
func calls(k *keychain.Keyring, prompt keyring.Prompt) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"read": func(ctx context.Context) error {
			_, err := k.Get(ctx, testKey, prompt)
			return err
		},
		"write":  func(ctx context.Context) error { return k.Set(ctx, testKey, secret.New("after"), prompt) },
		"delete": func(ctx context.Context) error { return k.Delete(ctx, testKey, prompt) },
	}
}

func want(t *testing.T, k *keychain.Keyring, value string) {
	t.Helper()
	got, err := k.Get(t.Context(), testKey, keyring.NoPrompt)
	if err != nil || got.Reveal() != value {
		t.Errorf("Get = %q, %v; want %q", got.Reveal(), err, value)
	}
}

// refused checks how a call failed: its kind and no other, and a word of why.
func refused(t *testing.T, what string, err, kind error, says string) {
	t.Helper()
	var kerr *keyring.Error
	if !errors.As(err, &kerr) || kerr.Kind != kind || !strings.Contains(err.Error(), says) {
		t.Errorf("%s = %v, want %v and %q", what, err, kind, says)
	}
}

func yes(string) int32 { return 0 }

// TestLocked: nobody is asked without leave, and with it the keychain is
// unlocked, once.
func TestLocked(t *testing.T) {
	for op := range calls(nil, keyring.NoPrompt) {
		t.Run(op, func(t *testing.T) {
			m, open := newMac(t)
			m.answer = yes
			k := open()
			m.put(testKey, "before", true)
			m.set(func(m *mac) { m.locked = true })
			refused(t, op, calls(k, keyring.NoPrompt)[op](t.Context()), keyring.ErrLocked, "it is locked")
			if status := k.Probe(t.Context()); status.Availability != keyring.Locked {
				t.Errorf("Probe = %+v, want locked", status)
			}
			refused(t, "Unlock", k.Unlock(t.Context(), keyring.NoPrompt), keyring.ErrLocked, "it is locked")
			if asked := m.questions(); asked != "[]" {
				t.Errorf("asked %s", asked)
			}
			if err := calls(k, keyring.AskUser)[op](t.Context()); err != nil {
				t.Error(err)
			}
			if asked := m.questions(); asked != "[password]" {
				t.Errorf("asked %s, want the password", asked)
			}
		})
	}
}

// TestLockedAndMissing: an item is not said to be missing while the keychain is
// locked, or cannot be seen.
func TestLockedAndMissing(t *testing.T) {
	m, open := newMac(t)
	m.answer = yes
	k := open()
	for _, op := range []string{"read", "delete"} {
		m.set(func(m *mac) { m.locked = true })
		refused(t, op, calls(k, keyring.NoPrompt)[op](t.Context()), keyring.ErrLocked, "it is locked")
		refused(t, op, calls(k, keyring.AskUser)[op](t.Context()), keyring.ErrNotFound, "no such item")
		if asked := m.questions(); asked != "[password]" {
			t.Errorf("%s: asked %s, want the password", op, asked)
		}
		m.before = func(call string) int32 {
			if call == "state" {
				return noKeychain
			}
			return 0
		}
		refused(t, op, calls(k, keyring.NoPrompt)[op](t.Context()), keyring.ErrUnavailable, "gone or damaged")
		m.before = func(string) int32 { return 0 }
	}
}

func TestUnlock(t *testing.T) {
	m, open := newMac(t)
	m.answer = yes
	k := open()
	if err := k.Unlock(t.Context(), keyring.NoPrompt); err != nil {
		t.Errorf("Unlock of an open keychain = %v", err)
	}
	m.set(func(m *mac) { m.locked = true })
	if err := k.Unlock(t.Context(), keyring.AskUser); err != nil {
		t.Error(err)
	}
	if asked := m.questions(); asked != "[password]" {
		t.Errorf("asked %s", asked)
	}
}

// TestAnotherProgramsItem: macOS asks whether this program may use it, when it
// may be asked.
func TestAnotherProgramsItem(t *testing.T) {
	m, open := newMac(t)
	m.answer = yes
	k := open()
	m.put(testKey, "theirs", false)
	for _, op := range []string{"read", "write"} {
		refused(t, op, calls(k, keyring.NoPrompt)[op](t.Context()), keyring.ErrLocked, "has to ask its user first")
		if asked := m.questions(); asked != "[]" {
			t.Errorf("%s: asked %s", op, asked)
		}
	}
	got, err := k.Get(t.Context(), testKey, keyring.AskUser)
	if err != nil || got.Reveal() != "theirs" {
		t.Errorf("Get = %q, %v", got.Reveal(), err)
	}
	if asked := m.questions(); asked != "[read]" {
		t.Errorf("asked %s", asked)
	}
}

// TestSaidNo: macOS says so in several ways.
func TestSaidNo(t *testing.T) {
	for code, says := range map[int32]string{
		cancelled: "said no", authFailed: "access was denied", noDialog: "cannot be asked here", -60006: "said no", -25243: "access was denied",
	} {
		for _, locked := range []bool{true, false} {
			m, open := newMac(t)
			m.answer = func(string) int32 { return code }
			m.put(testKey, "before", false)
			m.locked = locked
			k := open()
			for _, op := range []string{"read", "write"} {
				err := calls(k, keyring.AskUser)[op](t.Context())
				refused(t, op, err, keyring.ErrDismissed, says)
				if !errors.Is(err, keyring.ErrLocked) {
					t.Errorf("%d: %v is no ErrLocked", code, err)
				}
				if asked := m.questions(); strings.Count(asked, " ") != 0 || asked == "[]" {
					t.Errorf("%d: asked %s, want one question", code, asked)
				}
			}
			if string(m.items[testKey].value) != "before" {
				t.Error("it was written nevertheless")
			}
		}
	}
}

func TestNobodyThere(t *testing.T) {
	m, open := newMac(t)
	m.put(testKey, "before", true)
	m.set(func(m *mac) { m.locked = true })
	k := open()
	for op, call := range calls(k, keyring.AskUser) {
		refused(t, op, call(t.Context()), keyring.ErrDismissed, "security unlock-keychain")
	}
}

// TestStatuses: what macOS refuses is told in its words and ours.
func TestStatuses(t *testing.T) {
	for code, c := range map[int32]struct {
		kind error
		says string
	}{
		-34018:       {keyring.ErrUnavailable, "entitlements"},
		-67030:       {keyring.ErrUnavailable, "codesign --verify"},
		-67062:       {keyring.ErrUnavailable, "codesign --verify"},
		-67050:       {keyring.ErrUnavailable, "codesign --verify"},
		-67072:       {keyring.ErrUnavailable, "codesign --verify"},
		-66992:       {keyring.ErrUnavailable, "codesign --verify"},
		-67586:       {keyring.ErrUnavailable, "codesign --verify"},
		-67585:       {keyring.ErrUnavailable, "no default keychain"},
		-26275:       {keyring.ErrUnavailable, "gone or damaged"},
		100001:       {keyring.ErrUnavailable, "keeps the keychain's files"},
		100030:       {keyring.ErrUnavailable, "may not be written"},
		100028:       {keyring.ErrUnavailable, "to the disk"},
		-67073:       {keyring.ErrUnavailable, "macOS refused the call"},
		notAvailable: {keyring.ErrUnavailable, "no default keychain"},
		noDefault:    {keyring.ErrUnavailable, "no default keychain"},
		noKeychain:   {keyring.ErrUnavailable, "gone or damaged"},
		-25295:       {keyring.ErrUnavailable, "gone or damaged"},
		-25292:       {keyring.ErrUnavailable, "may not be written"},
		-61:          {keyring.ErrUnavailable, "may not be written"},
		-34:          {keyring.ErrUnavailable, "to the disk"},
		-36:          {keyring.ErrUnavailable, "to the disk"},
		-25320:       {keyring.ErrLocked, "asleep"},
		-50:          {keyring.ErrUnavailable, "macOS refused the call"},
		authFailed:   {keyring.ErrLocked, "has to ask"},
		cancelled:    {keyring.ErrDismissed, "said no"},
	} {
		m, open := newMac(t)
		m.status = code
		k := open()
		for op, call := range calls(k, keyring.NoPrompt) {
			err := call(t.Context())
			refused(t, op, err, c.kind, c.says)
			if c.kind == keyring.ErrUnavailable {
				refused(t, op, err, c.kind, "macOS says ")
			}
		}
		wants := keyring.Unavailable
		if status := k.Probe(t.Context()); status.Availability != wants || !strings.Contains(status.Detail, c.says) {
			t.Errorf("%d: Probe = %+v, want %v and %q", code, status, wants, c.says)
		}
	}
}

// TestInPlace: an item is changed and never made again, so that who may read it
// stays as it is; and others that add and delete it meanwhile are met.
func TestInPlace(t *testing.T) {
	m, open := newMac(t)
	k := open()
	m.put(testKey, "before", true)
	there := m.items[testKey]
	if err := k.Set(t.Context(), testKey, secret.New("after"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	if m.items[testKey] != there {
		t.Error("it is another item now")
	}
	want(t, k, "after")

	delete(m.items, testKey)
	m.before = func(call string) int32 {
		if call == "add" && m.items[testKey] == nil {
			m.put(testKey, "of another", true)
		}
		return 0
	}
	if err := k.Set(t.Context(), testKey, secret.New("ours"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	want(t, k, "ours")

	// In the default keychain, and in none that is searched.
	m.before = func(call string) int32 { return map[string]int32{"update": missing, "add": duplicate}[call] }
	refused(t, "Set", k.Set(t.Context(), testKey, secret.New("x"), keyring.NoPrompt), keyring.ErrUnavailable, "list-keychains")
}

func TestWhatIsNoItem(t *testing.T) {
	m, open := newMac(t)
	k := open()
	for _, key := range []keyring.Key{
		{}, {Service: "s"}, {User: "u"}, {Service: "s", User: "a\x00b"}, {Service: "\xff", User: "u"},
	} {
		_, err := k.Get(t.Context(), key, keyring.AskUser)
		refused(t, "Get", err, keyring.ErrUnavailable, "zero bytes")
		refused(t, "Set", k.Set(t.Context(), key, secret.New("x"), keyring.AskUser), keyring.ErrUnavailable, "zero bytes")
		refused(t, "Delete", k.Delete(t.Context(), key, keyring.AskUser), keyring.ErrUnavailable, "zero bytes")
	}
	m.put(testKey, "before", true)
	refused(t, "Set", k.Set(t.Context(), testKey, secret.Secret{}, keyring.AskUser), keyring.ErrUnavailable, "not empty")
	want(t, k, "before")
	m.put(testKey, "", true)
	_, err := k.Get(t.Context(), testKey, keyring.AskUser)
	refused(t, "Get", err, keyring.ErrUnavailable, "empty")
}
