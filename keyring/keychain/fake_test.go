package keychain_test

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keychain"
)

// Statuses of SecBase.h.
const (
	cancelled    = -128
	authFailed   = -25293
	noKeychain   = -25294
	duplicate    = -25299
	missing      = -25300
	noDialog     = -25308
	noDefault    = -25307
	notAvailable = -25291
)

// mac is macOS as Apple documents it: one keychain, which can be locked,
// whose items each have a list of programs that may read them. Who is asked
// for a password, or whether a program may read an item, is answer.
type mac struct {
	mu       sync.Mutex
	items    map[keyring.Key]*item
	locked   bool
	status   int32 // of all calls, if it is not zero
	silenced bool  // the switch
	switched int
	asked    []string
	handed   [][]byte

	// before runs ahead of each call, unlocked; not zero is its status.
	before func(call string) int32
	// answer is a person before the screen: zero is yes. Without one nobody
	// can be asked, as over SSH.
	answer func(question string) int32
}

type item struct {
	value   []byte
	trusted bool // this program is on its list
	created int  // goes up when an item is added
}

func newMac(t *testing.T) (*mac, func() *keychain.Keyring) {
	m := &mac{items: map[keyring.Key]*item{}, before: func(string) int32 { return 0 }}
	t.Cleanup(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, value := range m.handed {
			if len(bytes.Trim(value, "\x00")) > 0 {
				t.Error("a secret was handed over and not wiped afterwards")
			}
		}
		if m.silenced {
			t.Error("the process is left with questions switched off")
		}
	})
	return m, keychain.Open(m)
}

// ask asks, or not. m.mu is held, and not while the person thinks.
func (m *mac) ask(question string) int32 {
	if m.silenced || m.answer == nil {
		return noDialog
	}
	m.asked = append(m.asked, question)
	answer := m.answer
	m.mu.Unlock()
	defer m.mu.Lock()
	return answer(question)
}

func (m *mac) open() int32 {
	if !m.locked {
		return 0
	}
	code := m.ask("password")
	if code == 0 {
		m.locked = false
	}
	return code
}

func (m *mac) enter(call string) (leave func(), code int32) {
	code = m.before(call)
	m.mu.Lock()
	if code == 0 {
		code = m.status
	}
	return m.mu.Unlock, code
}

func (m *mac) Find(service, account string) ([]byte, int32) {
	leave, code := m.enter("find")
	defer leave()
	if code != 0 {
		return nil, code
	}
	i, ok := m.items[keyring.Key{Service: service, User: account}]
	if !ok {
		return nil, missing // names are in clear: also of a locked keychain
	}
	if code := m.open(); code != 0 {
		return nil, code
	}
	if !i.trusted {
		if code := m.ask("read"); code != 0 {
			return nil, code
		}
	}
	value := slices.Clone(i.value)
	m.handed = append(m.handed, value)
	return value, 0
}

func (m *mac) Add(service, account string, value []byte) int32 {
	leave, code := m.enter("add")
	defer leave()
	key := keyring.Key{Service: service, User: account}
	if code == 0 && m.items[key] != nil {
		code = duplicate
	}
	if code == 0 {
		code = m.open()
	}
	if code == 0 {
		m.items[key] = &item{value: slices.Clone(value), trusted: true, created: len(m.handed) + 1}
		m.handed = append(m.handed, value)
	}
	return code
}

func (m *mac) Update(service, account string, value []byte) int32 {
	leave, code := m.enter("update")
	defer leave()
	i := m.items[keyring.Key{Service: service, User: account}]
	if code == 0 && i == nil {
		code = missing
	}
	if code == 0 {
		code = m.open()
	}
	if code == 0 && !i.trusted {
		code = m.ask("change")
	}
	if code == 0 {
		i.value = slices.Clone(value)
		m.handed = append(m.handed, value)
	}
	return code
}

func (m *mac) Remove(service, account string) int32 {
	leave, code := m.enter("remove")
	defer leave()
	key := keyring.Key{Service: service, User: account}
	if code == 0 && m.items[key] == nil {
		code = missing
	}
	if code == 0 {
		code = m.open()
	}
	if code == 0 {
		delete(m.items, key)
	}
	return code
}

func (m *mac) Unlocked() (bool, int32) {
	leave, code := m.enter("state")
	defer leave()
	return !m.locked, code
}

func (m *mac) Unlock() int32 {
	leave, code := m.enter("unlock")
	defer leave()
	if code == 0 {
		code = m.open()
	}
	return code
}

func (m *mac) Interaction() (bool, int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.silenced, 0
}

func (m *mac) SetInteraction(allowed bool) int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silenced, m.switched = !allowed, m.switched+1
	return 0
}

func (m *mac) Message(code int32) string { return fmt.Sprintf("macOS says %d.", code) }

// put stores an item past the keyring.
func (m *mac) put(key keyring.Key, value string, trusted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[key] = &item{value: []byte(value), trusted: trusted}
}

func (m *mac) set(f func(m *mac)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m)
}

// questions returns what was asked since the last time.
func (m *mac) questions() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() { m.asked = nil }()
	return fmt.Sprint(m.asked)
}
