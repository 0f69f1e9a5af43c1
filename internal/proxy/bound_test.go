package proxy_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// boundTokens hands out tokens that are bound to a key.
type boundTokens struct {
	tokens
	key *provider.DPoPKey
}

func (b *boundTokens) get(ctx context.Context, refused secret.Secret) (proxy.Token, error) {
	token, err := b.tokens.get(ctx, refused)
	token.Authorize = func(req *http.Request) error { return b.key.Authorize(req, token.Text) }
	token.Challenged = func(resp *http.Response) bool {
		return b.key.Challenged(resp.StatusCode, resp.Header, nil, resp.Request.URL)
	}
	return token, err
}

// TestBoundTokens: each request has a proof of its own, the answer to a challenge
// among them; a token is renewed only if it is itself refused.
func TestBoundTokens(t *testing.T) {
	var nonce atomic.Pointer[string]
	var mu sync.Mutex
	proofs := map[string]bool{}
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		proof := r.Header.Get("DPoP")
		mu.Lock()
		again := proofs[proof] || proof == "" || proof == "stolen"
		proofs[proof] = true
		mu.Unlock()
		want := nonce.Load()
		switch kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " "); {
		case kind != "DPoP" || again:
			w.WriteHeader(http.StatusForbidden)
		case value == text(1):
			w.Header().Set("WWW-Authenticate", `DPoP error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
		case want != nil && !strings.Contains(payload(proof), *want):
			w.Header().Set("DPoP-Nonce", *want)
			w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			repeatBody(w, r)
		}
	})
	key, err := provider.NewDPoPKey()
	if err != nil {
		t.Fatal(err)
	}
	b := &boundTokens{key: key}
	f := newFrontOf(t, u, b.get)
	f.tokens = &b.tokens
	good := func(body string) {
		t.Helper()
		status, _, got := f.do("POST", "/2/x?y=z", strings.NewReader(body), "DPoP", "stolen")
		if status != 200 || got != body || f.tokens.made() != 2 {
			t.Errorf("%d with %d bytes after %d tokens", status, len(got), f.tokens.made())
		}
	}
	good("first")
	for _, n := range []string{"nonce-one", "nonce-two"} {
		nonce.Store(&n)
		good("the first with " + n)
		good("the second with " + n)
	}
	n := "nonce-three"
	nonce.Store(&n)
	good(strings.Repeat("x", proxy.ReplayLimit))
	// What cannot be sent again is answered with the challenge, and the next
	// request is right.
	n4 := "nonce-four"
	nonce.Store(&n4)
	status, header, _ := f.do("POST", "/2/x", io.MultiReader(strings.NewReader(strings.Repeat("x", 4*proxy.ReplayLimit))))
	if status != 200 && (status != 401 || header.Get("DPoP-Nonce") != n4) {
		t.Errorf("%d %v", status, header)
	}
	good("after it")
}

// payload is the middle of a proof, read.
func payload(proof string) string {
	parts := strings.Split(proof, ".")
	if len(parts) != 3 {
		return ""
	}
	data, _ := base64.RawURLEncoding.DecodeString(parts[1])
	return string(data)
}
