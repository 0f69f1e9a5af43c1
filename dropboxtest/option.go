package dropboxtest

import "time"

// Option changes an emulator that is being made.
type Option func(*config)

// config is what options say. It does not change once the emulator is made.
type config struct {
	clock              func() time.Time
	accessTTL          time.Duration
	codeTTL            time.Duration
	stateLimit         int
	autoApprove        bool
	rotate             bool
	detectReuse        bool
	grace              time.Duration
	splitInvalidClient bool
	burnCode           bool
	apps               []App
	startUsers         []User
	startFaults        []Fault
}

func newConfig(opts []Option) config {
	c := config{
		clock:      time.Now,
		accessTTL:  4 * time.Hour,
		codeTTL:    10 * time.Minute,
		stateLimit: 500,
	}
	for _, opt := range opts {
		opt(&c)
	}
	if len(c.apps) == 0 {
		c.apps = []App{DefaultApp()}
	}
	if len(c.startUsers) == 0 {
		c.startUsers = []User{DefaultUser()}
	}
	return c
}

// WithClock makes now the time of the emulator. It must be safe for concurrent
// use and must not call the emulator.
func WithClock(now func() time.Time) Option { return func(c *config) { c.clock = now } }

// WithAutoApprove makes the authorize page allow every valid request at once,
// for the user who is signed in.
func WithAutoApprove() Option { return func(c *config) { c.autoApprove = true } }

// WithAccessTokenTTL sets how long access tokens are good, 4 hours by default.
// Answers round it down to seconds.
func WithAccessTokenTTL(d time.Duration) Option { return func(c *config) { c.accessTTL = d } }

// WithCodeTTL sets how long authorization codes are good: 10 minutes by
// default, the most that RFC 6749 section 4.1.2 recommends.
func WithCodeTTL(d time.Duration) Option { return func(c *config) { c.codeTTL = d } }

// WithStateLimit sets how many bytes the parameter state may have: 500 by
// default; Dropbox's newer documentation says 2000.
func WithStateLimit(bytes int) Option { return func(c *config) { c.stateLimit = bytes } }

// WithApp registers an app. The first one takes the place of [DefaultApp].
// The first app is also the one that [Dropbox.RefreshToken] and
// [Dropbox.LegacyToken] mint for.
func WithApp(app App) Option { return func(c *config) { c.apps = append(c.apps, app) } }

// WithUser adds a user. The first one takes the place of [DefaultUser] and is
// signed in. With several, the consent page lets the person choose.
func WithUser(user User) Option {
	return func(c *config) { c.startUsers = append(c.startUsers, user.completed()) }
}

// WithFault adds a fault; the package comment gives the grammar. It panics when
// spec is not one: check what a user wrote with [ParseFault].
func WithFault(spec string) Option {
	f := mustParseFault(spec)
	return func(c *config) { c.startFaults = append(c.startFaults, f) }
}

// WithRotation makes every refresh hand out a new refresh token and end the old
// one at once (RFC 6749 section 6), which Dropbox does not do: for clients that
// must be ready for it. Access tokens that came before stay good.
func WithRotation() Option { return func(c *config) { c.rotate = true } }

// WithReuseDetection is [WithRotation], and a used refresh token that comes back
// ends the grant: its newest refresh token (RFC 9700 section 4.14.2) and all of
// its access tokens.
func WithReuseDetection() Option { return func(c *config) { c.rotate, c.detectReuse = true, true } }

// WithGrace is [WithRotation] with a window: for d after its first redemption,
// and not at d, a used refresh token is answered as if that answer had been
// lost, with the same new refresh token as then and a fresh access token.
// However often it comes back, the window is not prolonged and no other refresh
// token is minted. Afterwards it is refused, and with [WithReuseDetection] ends
// the grant. A d of 0 is no window.
func WithGrace(d time.Duration) Option {
	return func(c *config) { c.rotate, c.grace = true, d }
}

// WithSplitInvalidClient makes a wrong client id or secret answer with error and
// error_description apart, as RFC 6749 section 5.2 has it, instead of both in
// error, as Dropbox was seen to do.
func WithSplitInvalidClient() Option { return func(c *config) { c.splitInvalidClient = true } }

// WithBurnCodeOnWrongVerifier makes a wrong code verifier spend the code. It is
// not known what Dropbox does; by default the code stays good.
func WithBurnCodeOnWrongVerifier() Option { return func(c *config) { c.burnCode = true } }
