package oauthtest

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// pushed is an authorization request that the client has sent.
type pushed struct {
	query url.Values
	until time.Time
}

// push is the pushed authorization request endpoint (RFC 9126 section 2).
func (s *Server) push(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.options.PAR && !s.options.RequirePAR:
		http.NotFound(w, r)
		return
	case !s.client(r):
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	case r.PostForm.Has("request_uri"), s.check(r.PostForm) != nil:
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	life := s.options.PushedLife
	if life == 0 {
		life = time.Minute
	}
	name := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	s.mu.Lock()
	s.pushed[name] = pushed{r.PostForm, time.Now().Add(life)}
	s.mu.Unlock()
	writeJSON(w, http.StatusCreated, map[string]any{"request_uri": name, "expires_in": int(life / time.Second)})
}

// requested is the authorization request that a browser brings, or that it
// names. One that was pushed is used once (RFC 9126 section 4).
func (s *Server) requested(query url.Values) (url.Values, error) {
	name := query.Get("request_uri")
	if name == "" {
		if s.options.RequirePAR {
			return nil, errors.New("the request must be pushed")
		}
		return query, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.pushed[name]
	delete(s.pushed, name)
	if !ok || query.Get("client_id") != found.query.Get("client_id") || !time.Now().Before(found.until) {
		return nil, errors.New("there is no such request, or it is over")
	}
	return found.query, nil
}
