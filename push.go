package authring

import (
	"context"
	"time"
)

// pushBound is how long [Session.AuthURL], which has no context, waits for the
// provider.
const pushBound = 30 * time.Second

// pushed is how long the page of a pushed authorization request is good.
type pushed struct{ at, until time.Time }

// fresh reports whether half of the time is left, as somebody who is to open
// the page needs.
func (p pushed) fresh(now time.Time) bool {
	return !p.until.IsZero() && now.Before(p.at.Add(p.until.Sub(p.at)/2)) && !now.Before(p.at)
}

// toBePushed reports whether a link has no page that somebody could still open.
func (s *Session) toBePushed(begun *begunLink) bool {
	return s.config.provider.PARURL != "" && (begun.url == "" || !begun.pushed.fresh(time.Now()))
}

// push has the provider keep the request of a link that was begun (RFC 9126),
// where it takes requests so. A page that was shown for too long is made anew
// for the same request: code verifier and state stay, so that the answer of
// either page is good.
func (s *Session) push(ctx context.Context, begun *begunLink) (*begunLink, error) {
	if !s.toBePushed(begun) {
		return begun, nil
	}
	client, err := s.client(begun.appKey)
	if err != nil {
		return nil, err
	}
	if err := s.unlockClientSecret(ctx); err != nil {
		return nil, err
	}
	defer s.waitingForProvider()()
	at := time.Now()
	page, err := client.PushAuthRequest(ctx, begun.request())
	if err != nil {
		return nil, err
	}
	renewed := *begun
	renewed.url, renewed.pushed = page.URL, pushed{at, page.Expires}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun == begun {
		s.begun = &renewed
	}
	return &renewed, nil
}
