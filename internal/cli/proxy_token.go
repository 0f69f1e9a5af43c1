package cli

import (
	"context"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// renewer gives out the tokens of a session, and replaces those that the
// provider has refused, or that are of a link as it was before it changed, once
// for all who were refused the same.
type renewer struct {
	session *authring.Session
	one     chan struct{} // held by who replaces a token

	mu      sync.Mutex
	changed func() bool // whether the link has, since it was asked before
	stale   bool        // it has, and there is no token of it yet
	over    error       // the link has no tokens, as was found out
	again   time.Time   // when that is asked again
}

// overRest is how long it is not asked again whether a link has tokens that had
// none: callers come as often as they like, and each would be a request to the
// provider. A link that is changed is asked at once.
const overRest = time.Minute

func newRenewer(s *authring.Session, changed func() bool) *renewer {
	return &renewer{session: s, one: make(chan struct{}, 1), changed: changed}
}

// token returns a token other than refused, which may be empty.
func (r *renewer) token(ctx context.Context, refused secret.Secret) (proxy.Token, error) {
	stale, err := r.state()
	if err == nil && !stale && refused.IsZero() {
		return r.shown(r.session.Token(ctx))
	}
	select {
	case r.one <- struct{}{}:
		defer func() { <-r.one }()
	case <-ctx.Done():
		return proxy.Token{}, context.Cause(ctx)
	}
	if stale, err = r.state(); err != nil {
		return proxy.Token{}, err
	}
	var token authring.Token
	if !stale {
		token, err = r.session.Token(ctx)
	}
	// Whatever the session has in memory of a link as it was, it may be of no use
	// any more, or no longer be meant for anybody.
	if stale || err == nil && !refused.IsZero() && token.AccessToken.Equal(refused) {
		token, err = r.session.Token(ctx, authring.Fresh())
		r.found(err)
	}
	return r.shown(token, err)
}

// state tells whether what the session has is of the link as it is, and the error
// of a link that has no tokens.
func (r *renewer) state() (stale bool, over error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed() {
		r.stale, r.over = true, nil
	}
	if r.over != nil && !time.Now().Before(r.again) {
		r.over = nil
	}
	return r.stale, r.over
}

// found notes what a new token was asked for with.
func (r *renewer) found(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.stale = false
	case endsLink(err):
		r.stale, r.over, r.again = true, err, time.Now().Add(overRest)
		r.changed() // that this was found out may be noted in the record
	}
}

// shown is a token as the proxy shows it: one that is bound to a key with a proof
// that the session makes, as the key is for nobody else.
func (r *renewer) shown(token authring.Token, err error) (proxy.Token, error) {
	if err != nil || token.TokenType != authring.DPoP {
		return proxy.Token{Text: token.AccessToken}, err
	}
	return proxy.Token{
		Text:       token.AccessToken,
		Authorize:  func(req *http.Request) error { return r.session.Authorize(req, token) },
		Challenged: func(resp *http.Response) bool { return r.session.Challenged(resp, token) },
	}, nil
}

// recordChanges returns a function that reports whether the link's record is
// another file than when it was asked before, as after a relink.
func (p *program) recordChanges() func() bool {
	path := ""
	if layout, err := record.NewLayout(p.app); err == nil {
		path = layout.ConfigPath(p.config)
	}
	last, _ := os.Stat(path)
	return func() bool {
		now, _ := os.Stat(path) // nil: there is none
		was := last
		last = now
		if was == nil || now == nil {
			return was != now
		}
		return !os.SameFile(was, now) || was.Size() != now.Size() || !was.ModTime().Equal(now.ModTime())
	}
}
