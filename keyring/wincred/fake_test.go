package wincred

import (
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/authring/authring/internal/bounded"
)

// Fake is Windows' store as its reference describes it: one credential for
// each target, whose case does not count, with a blob of at most 2,560 bytes.
type Fake struct {
	mu    sync.Mutex
	items map[string]Credential

	// Before runs ahead of each call, unlocked; its error is the call's.
	Before func(op, target string) error
}

// Credential is an item that tests can look into.
type Credential struct {
	Target, User, Comment string
	Blob                  []byte
}

// Errors and limits of the package, for tests.
var (
	Encode   = encode
	Decode   = decode
	ErrOther = errOtherCase
)

// BlobLimit and MostParts bound a secret.
const (
	BlobLimit = blobLimit
	MostParts = mostParts
)

// IsHead tells how parseHead reads text.
func IsHead(text string) (canonical string, split bool, err error) {
	h, split, err := parseHead(text)
	return h.String(), split, err
}

// NewFake returns an empty store.
func NewFake() *Fake {
	return &Fake{items: map[string]Credential{}, Before: func(string, string) error { return nil }}
}

// Open returns a keyring on the store.
func (f *Fake) Open(lockPath string) *Keyring {
	return &Keyring{vault: f, lock: func() (string, error) { return lockPath, nil }, calls: bounded.NewCalls(mostCalls)}
}

// Put stores a credential past the keyring.
func (f *Fake) Put(c Credential) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items[strings.ToLower(c.Target)] = c
}

// Items returns all credentials, in order.
func (f *Fake) Items() []Credential {
	f.mu.Lock()
	defer f.mu.Unlock()
	var items []Credential
	for _, c := range f.items {
		items = append(items, c)
	}
	slices.SortFunc(items, func(a, b Credential) int { return strings.Compare(a.Target, b.Target) })
	return items
}

// Clear removes all credentials.
func (f *Fake) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.items)
}

func (f *Fake) read(target string) (item, error) {
	if err := f.Before("read", target); err != nil {
		return item{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.items[strings.ToLower(target)]
	if !ok {
		return item{}, errNoItem
	}
	return item{target: target, user: c.User, comment: c.Comment, blob: slices.Clone(c.Blob)}, nil
}

func (f *Fake) write(i item) error {
	if err := f.Before("write", i.target); err != nil {
		return err
	}
	if len(i.blob) > blobLimit {
		return syscall.Errno(1783) // RPC_X_BAD_STUB_DATA, as Windows answers
	}
	f.Put(Credential{i.target, i.user, i.comment, slices.Clone(i.blob)})
	return nil
}

func (f *Fake) remove(target string) error {
	if err := f.Before("remove", target); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.items[strings.ToLower(target)]; !ok {
		return errNoItem
	}
	delete(f.items, strings.ToLower(target))
	return nil
}

func (f *Fake) list(prefix string) ([]string, error) {
	if err := f.Before("list", prefix); err != nil {
		return nil, err
	}
	var targets []string
	for _, c := range f.Items() {
		if strings.HasPrefix(strings.ToLower(c.Target), strings.ToLower(prefix)) {
			targets = append(targets, c.Target)
		}
	}
	return targets, nil
}
