package record

import (
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/secret"
)

// PendingLifetime is how long a link that was begun can be finished: as long
// as an authorization code should be valid at most (RFC 6749, section 4.1.2).
const PendingLifetime = 10 * time.Minute

// What [Layout.LoadPending] answers besides a pending link.
var (
	// ErrNoPending: no link was begun, or it was finished.
	ErrNoPending = errors.New("no link was begun")
	// ErrPendingExpired: a link was begun too long ago, or the clock was set
	// since. It has to be begun again.
	ErrPendingExpired = errors.New("it was not finished within ten minutes")
)

// PendingLink is a link that was begun and not yet finished, so that another
// process can finish it.
type PendingLink struct {
	Config  string // set by SavePending
	AuthURL string // the page where the user approves
	// Verifier is the code verifier (RFC 7636, section 4.1).
	Verifier    secret.Secret
	State       string // of the authorization request, if it has one
	Nonce       string // likewise; what the ID token must have
	DPoPKey     string // thumbprint of the key that the code is bound to, if it is (RFC 9449 section 10)
	Provider    string
	AppKey      string
	Scope       string
	RedirectURI string
	Created     time.Time
	Expires     time.Time // [PendingLifetime] after Created when zero
}

type pendingNote struct {
	Version     int       `json:"version"`
	Config      string    `json:"config"`
	AuthURL     string    `json:"auth_url"`
	Verifier    string    `json:"code_verifier"`
	State       string    `json:"state,omitempty"`
	Nonce       string    `json:"nonce,omitempty"`
	DPoPKey     string    `json:"dpop_jkt,omitempty"`
	Provider    string    `json:"provider,omitempty"`
	AppKey      string    `json:"app_key,omitempty"`
	Scope       string    `json:"scope,omitempty"`
	RedirectURI string    `json:"redirect_uri,omitempty"`
	Created     time.Time `json:"created_at"`
	Expires     time.Time `json:"expires_at"`
}

// SavePending keeps a link that was begun, in place of an earlier one, in a
// file that only its owner can read.
func (l Layout) SavePending(config string, p PendingLink) error {
	if err := l.check(config); err != nil {
		return err
	}
	if p.Expires.IsZero() {
		p.Expires = p.Created.Add(PendingLifetime)
	}
	n := pendingNote{
		Version: noteVersion, Config: config, AuthURL: p.AuthURL, Verifier: p.Verifier.Reveal(), State: p.State, Nonce: p.Nonce, DPoPKey: p.DPoPKey,
		Provider: p.Provider, AppKey: p.AppKey, Scope: p.Scope, RedirectURI: p.RedirectURI,
		Created: p.Created.UTC(), Expires: p.Expires.UTC(),
	}
	if err := writeNote(l.PendingPath(config), n); err != nil {
		return fmt.Errorf("could not keep the link begun for %q: %w", config, err)
	}
	return nil
}

// LoadPending returns the link that was begun. There is [ErrNoPending], or at
// now [ErrPendingExpired]; a [*FileError] if the file is broken or open to
// others, which the next SavePending mends.
func (l Layout) LoadPending(config string, now time.Time) (PendingLink, error) {
	if err := l.check(config); err != nil {
		return PendingLink{}, err
	}
	var n pendingNote
	path := l.PendingPath(config)
	found, err := readNote(path, &n)
	if !found && err == nil {
		return PendingLink{}, ErrNoPending
	}
	if err == nil && n.Config != config {
		err = &FileError{Path: path, Reason: "it is for another config name"}
	}
	if err != nil {
		return PendingLink{}, fmt.Errorf("could not read the link begun for %q: %w", config, err)
	}
	// Before its creation, by more than clocks are corrected: how old it is
	// cannot be known.
	if !now.Before(n.Expires) || now.Before(n.Created.Add(-time.Minute)) {
		return PendingLink{}, ErrPendingExpired
	}
	return PendingLink{
		Config: config, AuthURL: n.AuthURL, Verifier: secret.New(n.Verifier), State: n.State, Nonce: n.Nonce, DPoPKey: n.DPoPKey,
		Provider: n.Provider, AppKey: n.AppKey, Scope: n.Scope, RedirectURI: n.RedirectURI,
		Created: n.Created, Expires: n.Expires,
	}, nil
}

// DropPending forgets the link that was begun. None is no error.
func (l Layout) DropPending(config string) error {
	return l.dropNote(config, l.PendingPath(config), "the link that was begun")
}

// check returns what a note lacks, or "".
func (n pendingNote) check() string {
	switch {
	case checkVersion(n.Version) != "":
		return checkVersion(n.Version)
	case n.AuthURL == "":
		return "it has no authorization page"
	case n.Verifier == "":
		return "it has no code verifier"
	case n.Created.IsZero() || n.Expires.Before(n.Created) || n.Expires.Sub(n.Created) > PendingLifetime:
		return fmt.Sprintf("its times are not those of a link within %v", PendingLifetime)
	}
	// They are shown and sent: nothing in them may be more than one line.
	for _, value := range []string{n.AuthURL, n.State, n.Nonce, n.DPoPKey, n.Provider, n.AppKey, n.Scope, n.RedirectURI} {
		if reason := checkLine(value, longestScope); reason != "" {
			return "one of its values " + reason
		}
	}
	return ""
}
