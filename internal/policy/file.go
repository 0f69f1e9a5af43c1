package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/internal/privatefile"
)

// largestFile bounds what is read of a policy.
const largestFile = 1 << 20

// Load reads the policy at path; nil if there is none. A file that others
// could have written, that is a symbolic link, or that holds anything that is
// not understood, is an error: whoever asks is then to be refused.
func Load(path string) (*Policy, error) {
	data, err := privatefile.Read(path, largestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not read the policy: %w", err)
	}
	p, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("could not read the policy %s: %w", path, err)
	}
	return p, nil
}

// Parse reads what a policy file holds. A member that is not known is refused:
// it may be what limits a rule.
func Parse(data []byte) (*Policy, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var p Policy
	if err := decoder.Decode(&p); err != nil {
		return nil, fmt.Errorf("it is not a policy: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is not a policy: something follows it")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return &p, nil
}

// Update changes the policy at path, with the lock of another file held, so
// that two changes at once are both made. A policy without rules is no file.
func Update(ctx context.Context, path, lock string, change func(*Policy) error) (*Policy, error) {
	held, err := filelock.Acquire(ctx, lock)
	if err != nil {
		return nil, fmt.Errorf("could not change the policy: %w", err)
	}
	defer func() { _ = held.Release() }()
	p, err := Load(path)
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = &Policy{Version: version}
	}
	if err := change(p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("could not change the policy: %w", err)
	}
	if len(p.Rules) == 0 {
		if err := atomicfile.Remove(path); err != nil {
			return nil, fmt.Errorf("could not remove the policy: %w", err)
		}
		return p, nil
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err == nil {
		err = atomicfile.Write(path, append(data, '\n'), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("could not write the policy: %w", err)
	}
	return p, nil
}

// Add gives a rule an ID of its own and puts it behind the others, or before
// them.
func (p *Policy) Add(r Rule, first bool) Rule {
	r.ID = 1
	for _, other := range p.Rules {
		r.ID = max(r.ID, other.ID+1)
	}
	if first {
		p.Rules = slices.Insert(p.Rules, 0, r)
	} else {
		p.Rules = append(p.Rules, r)
	}
	return r
}

// Remove takes the rule with an ID away, and reports whether there was one.
func (p *Policy) Remove(id int) bool {
	before := len(p.Rules)
	p.Rules = slices.DeleteFunc(p.Rules, func(r Rule) bool { return r.ID == id })
	return len(p.Rules) < before
}
