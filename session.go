package authring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authring/authring/internal/bootclock"
	"github.com/authring/authring/internal/flight"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/system"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// Secret is a value that prints as *** in every verb of package fmt, in slog
// and in JSON; its method Reveal gives the value.
type Secret = secret.Secret

// Session is one config name opened by one process. It is safe for concurrent
// use by several goroutines; several processes may have sessions of the same
// config name.
type Session struct {
	name     string
	config   config
	layout   record.Layout
	keyrings []keyring.Keyring

	// cached is the access token that callers share. It is read without a
	// lock.
	cached     atomic.Pointer[cachedToken]
	loading    flight.Flight
	refreshing flight.Flight
	asking     flight.Flight // the agent
	refused    atomic.Pointer[secret.Secret]
	proving    atomic.Pointer[provider.DPoPKey] // the one of the link, with its nonces
	clock      bootclock.Clock

	// What goes on in the background, all of which ends with Close.
	life       context.Context
	end        context.CancelFunc
	renewing   atomic.Bool
	background sync.WaitGroup

	// turn is held by the refresh that is under way: that of the whole
	// scope, or that of a narrower one.
	turn chan struct{}

	watching   sync.Mutex // guards what follows, and changes of cached
	closed     bool
	stopWatch  func()
	renewAfter time.Duration // on clock
	narrowed   map[string]*narrowed

	mu           sync.Mutex
	record       record.Record               // as last read
	loaded       *credentials                // what the keyring held
	verified     *credentials                // approved, and not saved yet
	begun        *begunLink                  // the link that AuthURL began
	resumed      *record.PendingLink         // the link that another process began
	clients      map[string]*provider.Client // by app key
	fingerprints *record.Fingerprints
	unsaved      *unsavedMark
	password     secret.Secret // the client secret, once it was read
}

// credentials are one grant.
type credentials struct {
	accountID string
	kind      TokenAccessType
	refresh   secret.Secret     // offline only; as the keyring holds it, see bind
	access    secret.Secret     // legacy, as the keyring holds it; offline only in the session that linked
	key       *provider.DPoPKey // that the latter is bound to; nil: none
	expires   time.Time         // of access; zero: never
	ends      time.Duration     // the same on the boot clock
	scope     string
	appKey    string
	missing   []string      // scopes that were asked for and not granted
	lives     time.Duration // the refresh token, as far as the server said; zero: unknown
	idToken   secret.Secret // not validated; of a grant that is not saved yet
	nonce     string        // what it must have
	// unsaved is set while the keyring refuses a rotated refresh token,
	// which then is here and nowhere else; replaces is the one it replaces.
	unsaved  bool
	replaces secret.Secret
}

// secret returns what the keyring holds for the grant.
func (c *credentials) secret() secret.Secret {
	if c.kind == Legacy {
		return c.access
	}
	return c.refresh
}

// Open returns the session of a config name. It reads the record of the link
// and touches neither keyring nor network, so that it works whatever state
// they are in. The errors are *record.NameError for a name that cannot be
// used, *record.FileError for a record that cannot be understood (it is left
// as it is), and those of the options.
func Open(configName string, opts ...Option) (*Session, error) {
	c := config{app: record.DefaultApp, prompt: keyring.AskUser, logger: slog.New(slog.DiscardHandler), clock: bootclock.System()}
	for _, opt := range opts {
		if err := opt(&c); err != nil {
			return nil, fmt.Errorf("could not open %q: %w", configName, err)
		}
	}
	if c.keyringWait > 0 {
		c.prompt = keyring.NoPrompt
	}
	if err := record.CheckConfigName(configName); err != nil {
		return nil, err
	}
	s := &Session{name: configName, config: c, keyrings: c.keyrings, clock: c.clock, clients: map[string]*provider.Client{}, turn: make(chan struct{}, 1)}
	s.life, s.end = context.WithCancel(context.Background())
	if c.provider == nil {
		s.config.provider = provider.Dropbox()
	}
	if c.layout != nil {
		s.layout = *c.layout
	} else {
		layout, err := record.NewLayout(c.app)
		if err != nil {
			return nil, err
		}
		s.layout = layout
	}
	if s.keyrings == nil {
		s.keyrings = system.Keyrings()
		if c.find == nil {
			s.config.find = system.Find
		}
	}
	if _, err := s.reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends what the session does in the background and gives back what it
// holds of the system. The session must not be used afterwards. A session that
// is dropped without it is collected once its token has expired.
func (s *Session) Close() error {
	s.end()
	s.watching.Lock()
	s.closed = true
	s.dropNarrowed()
	s.watching.Unlock()
	s.replace(nil)
	s.background.Wait()
	s.asking.Wait()
	s.refreshing.Wait()
	s.turn <- struct{}{} // no refresh of a narrower scope is under way
	<-s.turn
	s.loading.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved.end()
	s.unsaved = nil
	for _, client := range s.clients {
		client.CloseIdleConnections()
	}
	return nil
}

// ConfigName returns the name that the session was opened with.
func (s *Session) ConfigName() string { return s.name }

// Layout tells where the files of the session are.
func (s *Session) Layout() record.Layout { return s.layout }

// Provider returns the provider that the session is for.
func (s *Session) Provider() *provider.Provider { return s.config.provider }

// Record returns the record of the link as it was last read.
func (s *Session) Record() record.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record
}

// AccountID returns the account of the link, from the record, or the one that
// was just approved and is not saved yet. Empty: not linked.
func (s *Session) AccountID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verified != nil {
		return s.verified.accountID
	}
	return s.record.AccountID
}

// reload reads the record again: another process may have changed the link.
// What was loaded for another account, or kind of token, is forgotten.
func (s *Session) reload() (record.Record, error) {
	rec, err := s.layout.Load(s.name)
	if err != nil {
		return record.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.loaded; c != nil && (c.accountID != rec.AccountID || c.kind != TokenAccessType(rec.TokenAccessType)) {
		s.forget()
	}
	s.record = rec
	return rec, nil
}

// forget drops what is in memory. The caller holds mu.
func (s *Session) forget() {
	s.loaded = nil
	s.replace(nil)
}

// client returns the provider's client for an app key. A grant is bound to
// the app key that it was made with.
func (s *Session) client(appKey string) (*provider.Client, error) {
	if appKey == "" {
		appKey = s.config.provider.ClientID
	}
	if appKey == "" {
		return nil, fmt.Errorf("%w: %s knows programs by one, which the program must be registered for", ErrNoClientID, s.config.provider.Title)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if client := s.clients[appKey]; client != nil {
		return client, nil
	}
	opts := []provider.ClientOption{provider.WithLogger(s.config.logger)}
	if s.config.provider.ClientAuth != provider.AuthNone {
		if s.config.clientSecret == nil && s.config.secretKeyring == "" {
			// Told before the user is sent to a page in vain.
			return nil, fmt.Errorf("%w: %s authenticates its clients", ErrNoClientSecret, s.config.provider.Title)
		}
		opts = append(opts, provider.WithClientSecret(s.clientSecret))
	}
	if s.config.transport != nil {
		opts = append(opts, provider.WithHTTPTransport(s.config.transport))
	}
	client, err := provider.NewClient(s.config.provider, appKey, opts...)
	if err != nil {
		return nil, err
	}
	s.clients[appKey] = client
	return client, nil
}

// linkAppKey is the app key of a new link.
func (s *Session) linkAppKey() string {
	if s.config.appKey != "" {
		return s.config.appKey
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.resumed != nil && s.resumed.AppKey != "":
		return s.resumed.AppKey
	case s.record.AppKey != "" && s.record.Provider == s.config.provider.Name:
		return s.record.AppKey
	default:
		return s.config.provider.ClientID
	}
}

// ended returns the caller's own reason when its context has ended, so that a
// cancelled call is never taken for a fault of the keyring or the network.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}
