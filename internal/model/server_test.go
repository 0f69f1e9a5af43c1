package model_test

// replay is provider.Replay.
type replay uint8

const (
	singleUse replay = iota
	grace
	reusable
)

// server is what the token endpoint knows of the refresh tokens of one link.
type server struct {
	issued token
	good   tokens               // accepted
	used   tokens               // redeemed, and replaced by another
	open   tokens               // used, and within the window of a server with grace
	heir   [maxTokens + 1]token // of a used token, what it was replaced by
	ended  bool                 // the whole grant
}

func (s *server) issue() token {
	if s.issued == maxTokens {
		panic("the model's server is out of tokens: lower the bounds")
	}
	s.issued++
	s.good = s.good.with(s.issued)
	return s.issued
}

// present is a request at the token endpoint: a new refresh token, if there is
// one, and whether it was granted.
func (r rules) present(s *server, t token) (heir token, granted bool) {
	switch {
	case s.ended:
		return 0, false
	case s.good.has(t) && !r.rotates:
		return 0, true
	case s.good.has(t) && r.replay == reusable:
		return s.issue(), true
	case s.good.has(t):
		s.good, s.used = s.good.without(t), s.used.with(t)
		heir = s.issue()
		if r.replay == grace {
			s.open, s.heir[t] = s.open.with(t), heir
		}
		return heir, true
	case s.open.has(t) && !r.newHeirs:
		// As if the first answer had been lost: the same again.
		return s.heir[t], true
	case s.open.has(t) && s.good.has(s.heir[t]):
		// Another one, in the place of the one that seems to be lost.
		s.good = s.good.without(s.heir[t])
		s.heir[t] = s.issue()
		return s.heir[t], true
	}
	// RFC 9700 section 4.14.2: a used token that comes back.
	s.ended = s.ended || r.detects && s.used.has(t)
	return 0, false
}

// accepts reports whether whoever has the token can go on.
func (s *server) accepts(t token) bool {
	if s.ended || t == 0 {
		return false
	}
	return s.good.has(t) || s.open.has(t) && (s.good.has(s.heir[t]) || s.accepts(s.heir[t]))
}
