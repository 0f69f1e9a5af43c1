package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

func newKey(tb testing.TB) *provider.DPoPKey {
	tb.Helper()
	key, err := provider.NewDPoPKey()
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// TestDPoPKey: a key is read as it was written, and shows itself to nobody.
func TestDPoPKey(t *testing.T) {
	key := newKey(t)
	again, err := provider.ParseDPoPKey(key.Text())
	if err != nil || again.Thumbprint() != key.Thumbprint() || len(key.Thumbprint()) != 43 || newKey(t).Thumbprint() == key.Thumbprint() {
		t.Errorf("%q, %q, %v", key.Thumbprint(), again.Thumbprint(), err)
	}
	if text := key.Text().Reveal(); strings.ContainsAny(text, " \n") || len(text) > 200 {
		t.Errorf("the text has %d bytes, or spaces", len(text))
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key)
	data, _ := json.Marshal(key)
	var jwk map[string]string
	if err := json.Unmarshal([]byte(key.Text().Reveal()), &jwk); err != nil || jwk["d"] == "" {
		t.Fatal("there is no private key")
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %d %x", key, key, key, key, key, key), log.String(), string(data)} {
		noSecret(t, shown, secret.New(jwk["d"]))
	}
	// RFC 7517 appendix A.2, without its use: a key pair that is right.
	good := `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`
	if key, err := provider.ParseDPoPKey(secret.New(good)); err != nil || key.Thumbprint() != "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s" {
		t.Errorf("%v, %v", key, err)
	}
	for _, bad := range []string{
		"", "{}", "[]", `{"kty":"oct","k":"AAAA"}`, strings.Replace(good, "P-256", "P-384", 1), strings.Replace(good, `"d"`, `"e"`, 1),
		strings.Replace(good, "MKBC", "MKBD", 1), good + good, strings.Repeat(" ", 2000) + good,
	} {
		if _, err := provider.ParseDPoPKey(secret.New(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		} else {
			noSecret(t, err.Error(), secret.New("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"))
		}
	}
}

// TestDPoP is the whole of it, with a server that wants nonces and replaces
// them.
func TestDPoP(t *testing.T) {
	server := oauthtest.NewServer(oauthtest.Options{PAR: true, DPoP: true, Nonces: true, Rotate: true})
	t.Cleanup(server.Close)
	found, err := provider.Discover(bounded(t), server.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	p := &provider.Provider{Name: "bound", Title: "Bound"}
	found.Describe(p)
	if !p.DPoP() {
		t.Fatalf("the server says %v", found.DPoPAlgs)
	}
	key := newKey(t)
	c, err := provider.NewClient(p, "client", quick)
	if err != nil {
		t.Fatal(err)
	}
	bare, c := c, c.WithDPoP(key)
	link := func(c *provider.Client) (*provider.Token, error) {
		v := provider.NewVerifier()
		pushed, err := c.PushAuthRequest(bounded(t), provider.AuthRequest{
			Challenge: provider.Challenge(v), RedirectURI: "http://127.0.0.1/", DPoPKey: key.Thumbprint(),
		})
		if err != nil {
			t.Fatal(err)
		}
		end, err := server.Approve(pushed.URL)
		if err != nil {
			t.Fatal(err)
		}
		code, err := provider.ParseCode(end)
		if err != nil {
			t.Fatal(err)
		}
		return c.Exchange(bounded(t), code, v, "http://127.0.0.1/")
	}
	_, err = link(bare.WithDPoP(newKey(t)))
	fault(t, err, provider.ErrCodeRejected)
	first, err := link(c)
	if err != nil || !first.Bound() {
		t.Fatalf("%+v, %v", first, err)
	}
	server.NewNonce()
	second, err := c.Refresh(bounded(t), first.RefreshToken, nil)
	if err != nil || !second.Bound() {
		t.Fatalf("%+v, %v", second, err)
	}
	server.NewNonce()
	if account, err := c.Account(bounded(t), second.AccessToken); err != nil || account.ID != "ada" {
		t.Errorf("%+v, %v", account, err)
	}
	// Without the key neither is of use.
	_, err = bare.Account(bounded(t), second.AccessToken)
	fault(t, err, provider.ErrInvalidAccessToken)
	_, err = bare.WithDPoP(newKey(t)).Refresh(bounded(t), second.RefreshToken, nil)
	fault(t, err, provider.ErrRevoked)
}

// TestDPoPNonceOnce: a server that is never content is asked twice for a code,
// and a code is not lost to the first question.
func TestDPoPNonceOnce(t *testing.T) {
	challenge := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("DPoP-Nonce", "a-nonce")
		answerJSON(400, `{"error":"use_dpop_nonce"}`)(w, r)
	}
	server := serve(t, challenge)
	c := newClient(t, plain(server.URL), quick).WithDPoP(newKey(t))
	_, err := c.Exchange(bounded(t), code, verifier, "")
	if e := fault(t, err, provider.ErrServerFault); e.Code != "use_dpop_nonce" || len(server.seen) != 2 {
		t.Errorf("%v after %d requests", err, len(server.seen))
	}
	server = serve(t, challenge, answerJSON(200, `{"access_token":"a","token_type":"dpop","refresh_token":"b"}`))
	c = newClient(t, plain(server.URL), quick).WithDPoP(newKey(t))
	if token, err := c.Exchange(bounded(t), code, verifier, ""); err != nil || !token.Bound() {
		t.Errorf("%+v, %v", token, err)
	}
	// A nonce that is none is not taken, nor a challenge without one.
	for _, nonce := range []string{"", "a b", `a"b`, strings.Repeat("x", 2000)} {
		server = serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("DPoP-Nonce", nonce)
			answerJSON(400, `{"error":"use_dpop_nonce"}`)(w, r)
		})
		c = newClient(t, plain(server.URL), quick).WithDPoP(newKey(t))
		if _, err := c.Exchange(bounded(t), code, verifier, ""); err == nil || len(server.seen) != 1 {
			t.Errorf("%q: %v after %d requests", nonce, err, len(server.seen))
		}
	}
	// Without a key no proof is sent, and a bound token is not taken.
	server = serve(t, answerJSON(200, `{"access_token":"a","token_type":"DPoP"}`))
	_, err = newClient(t, plain(server.URL), quick).Exchange(bounded(t), code, verifier, "")
	fault(t, err, provider.ErrUnexpectedAnswer)
	if r := <-server.seen; r.header.Get("DPoP") != "" {
		t.Error("a proof was sent")
	}
}

// TestDPoPClock: where the clocks differ, the server's counts, once it has
// refused a proof; also where it wants nonces besides.
func TestDPoPClock(t *testing.T) {
	for _, ahead := range []time.Duration{-26 * time.Hour, -3 * time.Minute, 0, 10 * time.Minute, 400 * 24 * time.Hour} {
		for _, nonces := range []bool{false, true} {
			server := oauthtest.NewServer(oauthtest.Options{PAR: true, DPoP: true, Nonces: nonces, Ahead: ahead})
			t.Cleanup(server.Close)
			found, err := provider.Discover(bounded(t), server.Issuer())
			if err != nil {
				t.Fatal(err)
			}
			p := &provider.Provider{Name: "bound", Title: "Bound"}
			found.Describe(p)
			c, err := provider.NewClient(p, "client", quick)
			if err != nil {
				t.Fatal(err)
			}
			c = c.WithDPoP(newKey(t))
			v := provider.NewVerifier()
			end, err := server.Approve(c.AuthCodeURL(provider.AuthRequest{Challenge: provider.Challenge(v), RedirectURI: "http://127.0.0.1/"}))
			if err != nil {
				t.Fatal(err)
			}
			code, err := provider.ParseCode(end)
			if err != nil {
				t.Fatal(err)
			}
			token, err := c.Exchange(bounded(t), code, v, "http://127.0.0.1/")
			if err != nil || !token.Bound() {
				t.Fatalf("%v ahead: %+v, %v", ahead, token, err)
			}
			before := len(server.Paths())
			if _, err := c.Account(bounded(t), token.AccessToken); err != nil || len(server.Paths()) != before+1 {
				t.Errorf("%v ahead: %v after %d requests", ahead, err, len(server.Paths())-before)
			}
			// Another process knows nothing of the clock.
			key := newKey(t)
			req, _ := http.NewRequest(http.MethodGet, p.UserinfoURL, nil)
			for try := range 3 {
				if err := key.Authorize(req, token.AccessToken); err != nil {
					t.Fatal(err)
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if again := key.Challenged(resp.StatusCode, resp.Header, nil, req.URL); again != (try == 0 && (ahead != 0 || nonces)) && !(try == 1 && nonces) {
					t.Errorf("%v ahead, try %d: asked again: %v", ahead, try, again)
				}
			}
		}
	}
}

// TestDPoPProofRefused: a proof that is refused for another reason than its time
// is not made again, and a server that is never content is asked twice.
func TestDPoPProofRefused(t *testing.T) {
	for name, c := range map[string]struct {
		date  func(n int) string
		asked int
	}{
		"the same clock": {func(int) string { return time.Now().UTC().Format(http.TimeFormat) }, 1},
		"no date":        {func(int) string { return "yesterday" }, 1},
		"another clock":  {func(int) string { return time.Now().Add(time.Hour).UTC().Format(http.TimeFormat) }, 2},
		"a wild clock":   {func(n int) string { return time.Now().Add(time.Duration(n) * time.Hour).UTC().Format(http.TimeFormat) }, 2},
	} {
		n := 0
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			n++
			w.Header().Set("Date", c.date(n))
			answerJSON(400, `{"error":"invalid_dpop_proof"}`)(w, r)
		})
		client := newClient(t, plain(server.URL), quick).WithDPoP(newKey(t))
		_, err := client.Exchange(bounded(t), code, verifier, "")
		if e := fault(t, err, provider.ErrServerFault); e.Code != "invalid_dpop_proof" || len(server.seen) != c.asked {
			t.Errorf("%s: %v after %d requests", name, err, len(server.seen))
		}
	}
}

func FuzzDPoPKey(f *testing.F) {
	f.Add(newKey(f).Text().Reveal())
	f.Add(`{"kty":"EC","crv":"P-256","x":"","y":"","d":""}`)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := provider.ParseDPoPKey(secret.New(text))
		if err != nil {
			return
		}
		req := &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "as.example"}, Header: http.Header{}}
		if err := key.Authorize(req, access); err != nil || len(key.Thumbprint()) != 43 {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func FuzzDPoPChallenge(f *testing.F) {
	f.Add(400, "n", "", `{"error":"use_dpop_nonce"}`)
	f.Add(401, "n", `DPoP error="use_dpop_nonce"`, ``)
	f.Add(200, "n\nx", "", `[`)
	f.Add(400, "", "", `{"error":"invalid_dpop_proof"}`)
	key := newKey(f)
	f.Fuzz(func(t *testing.T, status int, nonce, challenge, body string) {
		u := &url.URL{Scheme: "https", Host: "as.example", Path: "/x"}
		header := http.Header{"Dpop-Nonce": {nonce}, "Www-Authenticate": {challenge}}
		if key.Challenged(status, header, []byte(body), u) && status != 400 && status != 401 {
			t.Errorf("%d %q", status, nonce)
		}
		req := &http.Request{URL: u, Header: http.Header{}}
		if err := key.Authorize(req, access); err != nil || strings.ContainsAny(req.Header.Get("DPoP"), " \r\n") {
			t.Errorf("%q: %v", nonce, err)
		}
	})
}
