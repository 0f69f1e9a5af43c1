package keyring

import (
	"context"
	"slices"
	"sync"
)

// Probed is one keyring with how it stood.
type Probed struct {
	Keyring Keyring
	Status  Status
}

// Choice is the keyring to use, and those passed over before it.
type Choice struct {
	Probed
	// Passed holds the keyrings that rank higher and cannot be used, with
	// the reason of each.
	Passed []Probed
}

// Choose probes keyrings, given in order of preference, and returns the first
// that can be used. A usable one whose status says that the desktop prefers it
// goes first. Without any, the error is [ErrAbsent] and the choice tells why
// each was passed over.
func Choose(ctx context.Context, keyrings []Keyring) (Choice, error) {
	probed := ProbeAll(ctx, keyrings)
	slices.SortStableFunc(probed, func(a, b Probed) int {
		return rank(a.Status) - rank(b.Status)
	})
	for i, p := range probed {
		if p.Status.Availability.Usable() {
			return Choice{Probed: p, Passed: probed[:i]}, nil
		}
	}
	return Choice{Passed: probed}, &Error{Op: "choose", Name: "a keyring", Kind: ErrAbsent}
}

func rank(s Status) int {
	if s.Preferred && s.Availability.Usable() {
		return 0
	}
	return 1
}

// ProbeAll probes side by side and keeps the order.
func ProbeAll(ctx context.Context, keyrings []Keyring) []Probed {
	probed := make([]Probed, len(keyrings))
	var wg sync.WaitGroup
	for i, k := range keyrings {
		wg.Go(func() { probed[i] = Probed{Keyring: k, Status: Probe(ctx, k)} })
	}
	wg.Wait()
	return probed
}
