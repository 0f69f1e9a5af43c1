package authring

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/authring/authring/internal/bootclock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// DefaultAppKey is the app key of the seed, Maestral's own with Dropbox.
const DefaultAppKey = "2jmbq42w7vof78h"

// Option changes how a session works. The zero choice is right for most.
type Option func(*config) error

// config is what the options set.
type config struct {
	app           string
	layout        *record.Layout
	appKey        string
	clientSecret  func(context.Context) (secret.Secret, error)
	secretKeyring keyring.ID
	provider      *provider.Provider
	scope         []string
	keyrings      []keyring.Keyring
	find          func(keyring.ID) (keyring.Keyring, bool)
	keyringID     keyring.ID
	prompt        keyring.Prompt
	keyringWait   time.Duration // zero: do not wait
	consent       func(context.Context, PlaintextRequest) (bool, error)
	switchAccount bool
	events        func(Event)
	logger        *slog.Logger
	transport     http.RoundTripper
	clock         bootclock.Clock
	agent         bool
}

// WithAppKey sets the client identifier (RFC 6749 section 2.2) of new links.
// Without it, it is the one of the record, or the provider's own (for Dropbox
// [DefaultAppKey]).
func WithAppKey(key string) Option {
	return func(c *config) error {
		if key == "" {
			return errors.New("the app key is empty")
		}
		c.appKey = key
		return nil
	}
}

// WithClientSecret says where the client secret (RFC 6749 section 2.3.1) comes
// from, for a provider that authenticates its clients. It is asked at each
// request that needs it.
func WithClientSecret(get func(context.Context) (Secret, error)) Option {
	return func(c *config) error { c.clientSecret = get; return nil }
}

// WithClientSecretIn has the client secret be read from the keyring id, where
// [Session.SaveClientSecret] has put it. [WithClientSecret] takes precedence.
func WithClientSecretIn(id keyring.ID) Option {
	return func(c *config) error { c.secretKeyring = id; return nil }
}

// WithApp names the program that owns the links: its folder of records, and
// its service in the keyring. "Maestral" shares links with Maestral, in that
// program's own files and keyring items. The default is "authring".
func WithApp(app string) Option {
	return func(c *config) error { c.app = app; return nil }
}

// WithLayout puts the files of the session where layout says, in place of the
// folders of the environment. It takes the place of [WithApp].
func WithLayout(layout record.Layout) Option {
	return func(c *config) error { c.layout = &layout; return nil }
}

// WithProvider sets the server; the default is provider.Dropbox().
func WithProvider(p *provider.Provider) Option {
	return func(c *config) error { c.provider = p; return nil }
}

// WithScope asks for these scopes (RFC 6749 section 3.3) when linking. Without
// it the provider gives what the app is registered for.
func WithScope(scope ...string) Option {
	return func(c *config) error { c.scope = scope; return nil }
}

// WithKeyrings replaces the keyrings of the platform, in order of preference.
func WithKeyrings(keyrings ...keyring.Keyring) Option {
	return func(c *config) error {
		if len(keyrings) == 0 {
			return errors.New("no keyring was given")
		}
		c.keyrings = keyrings
		return nil
	}
}

// WithNamedKeyrings has find return keyrings that are never chosen, and used
// where a record, or [WithKeyring], names them; it is asked for identifiers
// that none of the session's keyrings has. Without this option, and without
// [WithKeyrings], credential helpers are found (helper:NAME).
func WithNamedKeyrings(find func(keyring.ID) (keyring.Keyring, bool)) Option {
	return func(c *config) error { c.find = find; return nil }
}

// WithKeyring stores a new secret in the keyring id and in no other. An
// existing link goes on using the one that its record names until it is
// relinked.
func WithKeyring(id keyring.ID) Option {
	return func(c *config) error { c.keyringID = id; return nil }
}

// WithPrompt says how long a locked keyring may ask to be unlocked. The
// default is keyring.AskUser; with keyring.NoPrompt nothing ever asks.
func WithPrompt(prompt keyring.Prompt) Option {
	return func(c *config) error { c.prompt = prompt; return nil }
}

// PlaintextRequest is what a consent function is asked.
type PlaintextRequest struct {
	// Reason is why no better keyring takes the secret.
	Reason error
	// Passed are the keyrings that were passed over.
	Passed []keyring.Probed
}

// WithPlaintextConsent has consent decide whether a secret may be stored as
// plain text, which anyone who can read the file can use. Without this option
// the session follows the seed: it falls back to plain text where no keyring
// can be used, or the user denied access to it, and reports that in [Saved]
// and as [EventPlaintext]. A keyring named by [WithKeyring] is never replaced.
func WithPlaintextConsent(consent func(context.Context, PlaintextRequest) (bool, error)) Option {
	return func(c *config) error { c.consent = consent; return nil }
}

// NoPlaintext is a consent function that always refuses.
func NoPlaintext(context.Context, PlaintextRequest) (bool, error) { return false, nil }

// WithSwitchAccount lets a relink replace the linked account by another.
func WithSwitchAccount() Option {
	return func(c *config) error { c.switchAccount = true; return nil }
}

// WithEvents reports what happens. It is called from any goroutine, must not
// block, and must not call the session.
func WithEvents(report func(Event)) Option {
	return func(c *config) error { c.events = report; return nil }
}

// WithLogger logs what a maintainer would ask for, at debug level, without
// secrets. By default nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error { c.logger = logger; return nil }
}

// WithTransport sets the transport of all requests to the provider; the
// default is the hardened one of package provider.
func WithTransport(transport http.RoundTripper) Option {
	return func(c *config) error { c.transport = transport; return nil }
}
