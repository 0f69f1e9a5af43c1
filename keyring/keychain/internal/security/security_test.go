//go:build linux

package security_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/ebitengine/purego"

	"github.com/authring/authring/keyring/keychain/internal/security"
	"github.com/authring/authring/keyring/keychain/internal/standin"
)

// backstage is what the stand-in tells tests.
type backstage struct {
	alive, unwiped func() int
	lock           func(refuses bool)
}

func load(t *testing.T) (*security.Library, *backstage) {
	t.Helper()
	path := standin.Build(t)
	l, err := security.Load(path, path)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		t.Fatal(err)
	}
	b := &backstage{}
	purego.RegisterLibFunc(&b.alive, handle, "standin_alive")
	purego.RegisterLibFunc(&b.unwiped, handle, "standin_unwiped")
	purego.RegisterLibFunc(&b.lock, handle, "standin_lock")
	t.Cleanup(func() {
		if n := b.alive(); n != 0 {
			t.Errorf("%d objects were not released", n)
		}
		if n := b.unwiped(); n != 0 {
			t.Errorf("%d secrets were not wiped", n)
		}
	})
	return l, b
}

func TestALifeOfAnItem(t *testing.T) {
	l, _ := load(t)
	const service, account = "service ü", "config:default:dbid:AAAA 🔑"
	if _, status := l.Find(service, account); status != -25300 {
		t.Errorf("Find = %d, want -25300", status)
	}
	if status := l.Update(service, account, []byte("x")); status != -25300 {
		t.Errorf("Update = %d, want -25300", status)
	}
	big := bytes.Repeat([]byte("0123456789abcde\x00"), 4096)
	if status := l.Add(service, account, big); status != 0 {
		t.Fatalf("Add = %d", status)
	}
	if got, status := l.Find(service, account); status != 0 || !bytes.Equal(got, big) {
		t.Errorf("Find = %d bytes, %d; want %d", len(got), status, len(big))
	}
	if status := l.Add(service, account, []byte("again")); status != -25299 {
		t.Errorf("Add = %d, want -25299", status)
	}
	value := []byte("second")
	if status := l.Update(service, account, value); status != 0 || string(value) != "second" {
		t.Errorf("Update = %d, of %q", status, value)
	}
	if got, status := l.Find(service, account); status != 0 || string(got) != "second" {
		t.Errorf("Find = %q, %d", got, status)
	}
	if _, status := l.Find(service, account[1:]); status != -25300 {
		t.Errorf("Find of another = %d, want -25300", status)
	}
	if status := l.Update(service, account, nil); status != 0 {
		t.Errorf("Update to nothing = %d", status)
	}
	if got, status := l.Find(service, account); status != 0 || got != nil {
		t.Errorf("Find of nothing = %q, %d", got, status)
	}
	if status := l.Remove(service, account); status != 0 {
		t.Errorf("Remove = %d", status)
	}
	if status := l.Remove(service, account); status != -25300 {
		t.Errorf("Remove = %d, want -25300", status)
	}
}

func TestALockedKeychain(t *testing.T) {
	l, b := load(t)
	if status := l.Add("s", "u", []byte("value")); status != 0 {
		t.Fatal(status)
	}
	b.lock(true)
	if open, status := l.Unlocked(); open || status != 0 {
		t.Errorf("Unlocked = %v, %d", open, status)
	}
	if _, status := l.Find("s", "u"); status != -128 {
		t.Errorf("Find = %d, want -128", status)
	}
	b.lock(false)
	if status := l.SetInteraction(false); status != 0 {
		t.Error(status)
	}
	if allowed, status := l.Interaction(); allowed || status != 0 {
		t.Errorf("Interaction = %v, %d", allowed, status)
	}
	if _, status := l.Find("s", "u"); status != -25308 {
		t.Errorf("Find = %d, want -25308", status)
	}
	if status := l.SetInteraction(true); status != 0 {
		t.Error(status)
	}
	if allowed, status := l.Interaction(); !allowed || status != 0 {
		t.Errorf("Interaction = %v, %d", allowed, status)
	}
	if status := l.Unlock(); status != 0 {
		t.Errorf("Unlock = %d", status)
	}
	if open, status := l.Unlocked(); !open || status != 0 {
		t.Errorf("Unlocked = %v, %d", open, status)
	}
}

func TestMessages(t *testing.T) {
	l, _ := load(t)
	for status, want := range map[int32]string{
		-25300: "The specified item could not be found in the keychain.",
		-25308: "User interaction is not allowed – 🔒.",
		-1:     "",
	} {
		if got := l.Message(status); got != want {
			t.Errorf("Message(%d) = %q, want %q", status, got, want)
		}
	}
}

// TestNamesThatAreNoText: what was made for the call is released all the same.
func TestNamesThatAreNoText(t *testing.T) {
	l, _ := load(t)
	if status := l.Add("service", "\xff", []byte("x")); status != -108 {
		t.Errorf("Add = %d, want -108", status)
	}
	if _, status := l.Find("\xff", "user"); status != -108 {
		t.Errorf("Find = %d, want -108", status)
	}
}

func TestSideBySide(t *testing.T) {
	l, _ := load(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			account := strings.Repeat("u", i+1)
			for round := range 50 {
				value := strings.Repeat("v", round+1)
				if status := l.Add("s", account, []byte(value)); status != 0 {
					t.Errorf("Add = %d", status)
				}
				if got, status := l.Find("s", account); status != 0 || string(got) != value {
					t.Errorf("Find = %q, %d", got, status)
				}
				if status := l.Remove("s", account); status != 0 {
					t.Errorf("Remove = %d", status)
				}
			}
		})
	}
	wg.Wait()
}

func TestALibraryThatLacksSomething(t *testing.T) {
	if _, err := security.Load("/no/such/library", "/no/such/library"); err == nil || !strings.Contains(err.Error(), "could not load /no/such/library") {
		t.Errorf("Load = %v", err)
	}
	if _, err := security.Load("libc.so.6", "libc.so.6"); err == nil || !strings.Contains(err.Error(), "in libc.so.6") {
		t.Errorf("Load = %v", err)
	}
}
