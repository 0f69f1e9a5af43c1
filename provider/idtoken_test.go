package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

const (
	issuer  = "https://as.example"
	atNonce = "the-nonce-of-the-request"
)

// signer signs ID tokens with a key, and has the set in which it stands.
type signer struct {
	key *ecdsa.PrivateKey
	set string
}

func newSigner(tb testing.TB) *signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: "k", Use: "sig", Algorithm: "ES256"})
	if err != nil {
		tb.Fatal(err)
	}
	return &signer{key, `{"keys":[{"kty":"OKP","crv":"Ed448"},7,{"kty":"oct","k":"AAAA"},` + string(public) + `]}`}
}

func (s *signer) sign(tb testing.TB, claims map[string]any) secret.Secret {
	tb.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return secret.New(text)
}

func claims(change func(map[string]any)) map[string]any {
	all := map[string]any{
		"iss": issuer, "aud": appKey, "sub": "ada", "name": "Ada\u001b[1m", "email": "ada@example.org", "nonce": atNonce,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	if change != nil {
		change(all)
	}
	return all
}

func openID() *provider.Provider {
	p := plain(issuer)
	p.Issuer, p.JWKSURL = issuer, issuer+"/keys"
	return p
}

func keysClient(tb testing.TB, set string) *provider.Client {
	return newClient(tb, openID(), quick, provider.WithHTTPTransport(canned(200, nil, set)))
}

// TestIDToken: what is right, and each thing that can be wrong.
func TestIDToken(t *testing.T) {
	s := newSigner(t)
	c := keysClient(t, s.set)
	account, err := c.ValidateIDToken(bounded(t), s.sign(t, claims(nil)), access, atNonce)
	if want := (provider.Account{ID: "ada", Email: "ada@example.org", DisplayName: "Ada [1m"}); err != nil || account != want {
		t.Fatalf("%+v, %v", account, err)
	}
	set := func(name string, value any) func(map[string]any) {
		return func(all map[string]any) { all[name] = value }
	}
	for name, change := range map[string]func(map[string]any){
		"issuer":             set("iss", "https://as.example/"),
		"no issuer":          func(all map[string]any) { delete(all, "iss") },
		"audience":           set("aud", []string{"another"}),
		"authorized party":   func(all map[string]any) { all["aud"], all["azp"] = []string{appKey, "another"}, "another" },
		"party alone":        set("azp", "another"),
		"several, no party":  set("aud", []string{"api", appKey}),
		"odd party":          set("azp", []string{appKey}),
		"expired":            set("exp", time.Now().Add(-time.Second).Unix()),
		"no expiry":          func(all map[string]any) { delete(all, "exp") },
		"not yet":            set("nbf", time.Now().Add(time.Hour).Unix()),
		"nonce":              set("nonce", "another"),
		"no nonce":           func(all map[string]any) { delete(all, "nonce") },
		"subject":            set("sub", "a b"),
		"no subject":         func(all map[string]any) { delete(all, "sub") },
		"other access token": set("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"),
		"a number":           set("sub", 7),
	} {
		account, err := c.ValidateIDToken(bounded(t), s.sign(t, claims(change)), access, atNonce)
		e := fault(t, err, provider.ErrIDToken)
		if account != (provider.Account{}) || !errors.Is(e, provider.ErrInvalidToken) {
			t.Errorf("%s: %+v, %v", name, account, err)
		}
	}
	for name, change := range map[string]func(map[string]any){
		"several audiences": func(all map[string]any) { all["aud"], all["azp"] = []string{appKey, "api"}, appKey },
		"the party of one":  set("azp", appKey),
	} {
		if _, err := c.ValidateIDToken(bounded(t), s.sign(t, claims(change)), access, atNonce); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := s.sign(t, claims(nil)).Reveal()
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	other := newSigner(t).sign(t, claims(nil)).Reveal()
	for name, text := range map[string]string{
		"none":            "eyJhbGciOiJub25lIn0." + body + ".",
		"no signature":    head + "." + body + ".",
		"other key":       other,
		"other signature": head + "." + body + other[strings.LastIndex(other, "."):],
		"cut":             good[:len(good)-4],
		"two parts":       head + "." + body,
		"HS256":           "eyJhbGciOiJIUzI1NiJ9." + body + "." + signature,
		"spaces":          good + " ",
		"JSON":            `{"payload":"` + body + `","protected":"` + head + `","signature":"` + signature + `"}`,
		"empty":           "",
	} {
		_, err := c.ValidateIDToken(bounded(t), secret.New(text), access, atNonce)
		if err == nil {
			t.Errorf("%s was accepted", name)
			continue
		}
		noSecret(t, fault(t, err, provider.ErrIDToken).Error(), secret.New(body), secret.New(signature))
	}
	if _, err := newClient(t, plain(issuer)).ValidateIDToken(bounded(t), secret.New(good), access, ""); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without keys: %v", err)
	}
}

// TestKeysUnusable: without keys nothing is believed, and nothing is refused.
func TestKeysUnusable(t *testing.T) {
	s := newSigner(t)
	token := s.sign(t, claims(nil))
	for _, test := range []struct {
		status int
		header http.Header
		body   string
	}{
		{200, nil, `{}`}, {200, nil, `{"keys":{}}`}, {200, nil, `{"keys":[]}`}, {200, nil, `{"keys":[{"kty":"oct","k":"AAAA"}]}`},
		{404, nil, `{}`}, {503, nil, ``}, {200, http.Header{"Content-Type": {"text/html"}}, s.set},
		{302, http.Header{"Location": {"https://other.example/"}}, ``},
		{200, nil, `{"keys":[` + strings.Repeat(" ", 1<<20) + `]}`},
		// A signature by such a key takes seconds to check.
		{200, nil, `{"keys":[{"kty":"RSA","use":"sig","e":"f____w","n":"` + strings.Repeat("_", 60_000) + `"}]}`},
	} {
		c := newClient(t, openID(), quick, provider.WithHTTPTransport(canned(test.status, test.header, test.body)))
		_, err := c.ValidateIDToken(bounded(t), token, access, atNonce)
		if !errors.Is(err, provider.ErrConnectionFailed) {
			t.Errorf("%d %.40s: %v", test.status, test.body, err)
		}
	}
}

func FuzzIDToken(f *testing.F) {
	s := newSigner(f)
	f.Add(s.sign(f, claims(nil)).Reveal(), s.set)
	f.Add("a.b.c", `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`)
	f.Add("", `{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}`)
	f.Fuzz(func(t *testing.T, token, set string) {
		account, err := keysClient(t, set).ValidateIDToken(bounded(t), secret.New(token), access, atNonce)
		if err == nil && account.ID != "ada" || err != nil && account != (provider.Account{}) {
			t.Errorf("%q was accepted: %+v", token, account)
		}
	})
}
