package keyringtest

import (
	"context"
	"maps"
	"sync"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// Memory is a keyring that forgets when the process ends, for tests of
// programs that use authring. It can be told to misbehave. The zero value is
// not ready: use [NewMemory].
type Memory struct {
	id keyring.ID

	mu     sync.Mutex
	items  map[keyring.Key]secret.Secret
	state  error
	before func(op string, key keyring.Key) error
	after  func(op string, key keyring.Key)
	prompt func(op string, prompt keyring.Prompt) error
	calls  int
}

// NewMemory returns an empty keyring that is unlocked and says it is id.
func NewMemory(id keyring.ID) *Memory {
	return &Memory{id: id, items: map[keyring.Key]secret.Secret{}}
}

// Fail makes every call fail with the outcome kind (keyring.ErrLocked,
// keyring.ErrUnavailable, ...) until Fail(nil).
func (m *Memory) Fail(kind error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = kind
}

// Before has f run ahead of each call; an error of f is the call's.
func (m *Memory) Before(f func(op string, key keyring.Key) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = f
}

// BeforePrompt is [Memory.Before] for tests of what a keyring may ask: f is told
// the prompt that the call allows.
func (m *Memory) BeforePrompt(f func(op string, prompt keyring.Prompt) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prompt = f
}

// After has f run at the end of each call that succeeded.
func (m *Memory) After(f func(op string, key keyring.Key)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after = f
}

// Items returns a copy of what the keyring holds.
func (m *Memory) Items() map[keyring.Key]secret.Secret {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.items)
}

// Calls returns how often the keyring was read, written or probed.
func (m *Memory) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// ID implements [keyring.Keyring].
func (m *Memory) ID() keyring.ID { return m.id }

// Get implements [keyring.Keyring].
func (m *Memory) Get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (value secret.Secret, err error) {
	err = m.call(ctx, "read", key, prompt, func() error {
		var ok bool
		if value, ok = m.items[key]; !ok {
			return keyring.ErrNotFound
		}
		return nil
	})
	return value, err
}

// Set implements [keyring.Keyring].
func (m *Memory) Set(ctx context.Context, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	return m.call(ctx, "write", key, prompt, func() error {
		m.items[key] = value
		return nil
	})
}

// Delete implements [keyring.Keyring].
func (m *Memory) Delete(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	return m.call(ctx, "delete", key, prompt, func() error {
		if _, ok := m.items[key]; !ok {
			return keyring.ErrNotFound
		}
		delete(m.items, key)
		return nil
	})
}

// Probe implements [keyring.Prober].
func (m *Memory) Probe(context.Context) keyring.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	status := keyring.Status{Name: "memory (" + string(m.id) + ")", Availability: keyring.Ready}
	switch m.state {
	case nil:
	case keyring.ErrLocked, keyring.ErrDismissed:
		status.Availability, status.Detail = keyring.Locked, "locked by the test"
	case keyring.ErrAbsent:
		status.Availability, status.Detail = keyring.Absent, "absent by the test"
	default:
		status.Availability, status.Detail = keyring.Unavailable, "made unavailable by the test"
	}
	return status
}

func (m *Memory) call(ctx context.Context, op string, key keyring.Key, prompt keyring.Prompt, do func() error) error {
	m.mu.Lock()
	before, after, asked, kind := m.before, m.after, m.prompt, m.state
	m.calls++
	m.mu.Unlock()
	fail := func(kind, err error) error {
		return &keyring.Error{Op: op, Keyring: m.id, Name: "memory", Kind: kind, Err: err}
	}
	if ctx.Err() != nil {
		return fail(nil, context.Cause(ctx))
	}
	if kind != nil {
		return fail(kind, nil)
	}
	if before != nil {
		if err := before(op, key); err != nil {
			return fail(err, nil)
		}
	}
	if asked != nil {
		if err := asked(op, prompt); err != nil {
			return fail(err, nil)
		}
	}
	m.mu.Lock()
	err := do()
	m.mu.Unlock()
	if err != nil {
		return fail(err, nil)
	}
	if after != nil {
		after(op, key)
	}
	return nil
}
