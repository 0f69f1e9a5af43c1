package authring_test

import (
	"context"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

func boundHouse(t *testing.T) *house {
	return newHouse(t, oauthtest.Options{DPoP: true, Nonces: true, Rotate: true})
}

// kept is the one item of the keyring.
func (h *house) kept(t *testing.T) string {
	t.Helper()
	items := h.memory.Items()
	for _, value := range items {
		if len(items) == 1 {
			return value.Reveal()
		}
	}
	t.Fatalf("the keyring holds %d items, and not one", len(items))
	return ""
}

// TestDPoPLink: token and key are one item, in the keyring alone, and stay
// together through rotation, another process, a move and an unlink.
func TestDPoPLink(t *testing.T) {
	h := boundHouse(t)
	other := keyringtest.NewMemory(keyring.KWallet)
	h.options = func() []authring.Option {
		return []authring.Option{authring.WithKeyrings(h.memory, other)}
	}
	s, saved := h.link(t)
	if saved.AccountID != "ada" {
		t.Errorf("saved %+v", saved)
	}
	held := strings.Split(h.kept(t), " ")
	if len(held) != 3 || held[0] != "dpop+jwk" {
		t.Fatalf("the item has %d parts, the first is %q", len(held), held[0])
	}
	key, err := provider.ParseDPoPKey(secret.New(held[1]))
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Token(t.Context())
	if err != nil || token.TokenType != authring.DPoP || strings.Contains(token.AccessToken.Reveal(), " ") {
		t.Fatalf("%+v, %v", token, err)
	}
	if refresh, err := s.RefreshToken(t.Context()); err != nil || refresh.Reveal() != held[2] {
		t.Errorf("RefreshToken: %v", err)
	}
	h.server.NewNonce()
	for range 2 {
		another := h.open(t)
		if token, err := another.Token(t.Context()); err != nil || token.TokenType != authring.DPoP {
			t.Fatalf("%+v, %v", token, err)
		}
		_ = another.Close()
	}
	after := strings.Split(h.kept(t), " ")
	if after[1] != held[1] || after[2] == held[2] {
		t.Error("the key was replaced, or the refresh token was not")
	}
	h.hidesKey(t, held[1])
	if moved, err := s.Migrate(t.Context(), keyring.KWallet); err != nil || len(h.memory.Items()) != 0 || len(other.Items()) != 1 {
		t.Fatalf("%+v, %v", moved, err)
	}
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Error(err)
	}
	if result, err := s.Unlink(t.Context()); err != nil || !result.Revoked || h.server.Grants() != 0 || len(other.Items()) != 0 {
		t.Errorf("%+v, %v, %d grants, %d items", result, err, h.server.Grants(), len(other.Items()))
	}
	h.hidesKey(t, held[1])
	if key.Thumbprint() == "" {
		t.Error("the key has no thumbprint")
	}
}

// hidesKey fails if the private key is in a file.
func (h *house) hidesKey(t *testing.T, key string) {
	t.Helper()
	for _, folder := range []string{h.layout.ConfigFolder(), h.layout.StateFolder()} {
		err := filepath.WalkDir(filepath.Dir(folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if strings.Contains(string(data), `"d"`) || key != "" && strings.Contains(string(data), key[20:60]) {
				t.Errorf("%s has the key", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDPoPCode: the code of a redirect is bound to a key of this process; that
// of a link that any process can finish is not.
func TestDPoPCode(t *testing.T) {
	h := boundHouse(t)
	s := h.open(t)
	pending, err := s.BeginRedirect(t.Context(), "http://127.0.0.1:4000/")
	if err != nil || len(mustParse(t, pending.AuthURL).Query().Get("dpop_jkt")) != 43 {
		t.Fatalf("%+v, %v", pending, err)
	}
	if s.AuthURL() == "" || mustParse(t, s.AuthURL()).Query().Get("dpop_jkt") == "" {
		t.Error("AuthURL binds nothing")
	}
	answer := h.follow(t, pending.AuthURL)
	h.hidesKey(t, "")
	other := h.open(t)
	wantErr(t, other.VerifyRedirect(t.Context(), answer), authring.ErrNoPendingLink)
	again, err := other.BeginRedirect(t.Context(), "http://127.0.0.1:4000/")
	if err != nil || again.State == pending.State {
		t.Errorf("a page that is bound to another process is taken up: %v", err)
	}
	if err := s.VerifyRedirect(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveCreds(t.Context()); err != nil {
		t.Fatal(err)
	}
	anybody, err := s.BeginLink(t.Context())
	if err != nil || mustParse(t, anybody.AuthURL).Query().Has("dpop_jkt") {
		t.Fatalf("%+v, %v", anybody, err)
	}
	third := h.open(t)
	if err := third.VerifyAuthToken(t.Context(), h.follow(t, anybody.AuthURL)); err != nil {
		t.Fatal(err)
	}
	if _, err := third.SaveCreds(t.Context()); err != nil || h.server.Grants() != 1 {
		t.Errorf("%v, %d grants", err, h.server.Grants())
	}
}

// TestDPoPClient: each request of the interface has a proof; a new nonce costs
// one more, and no refresh.
func TestDPoPClient(t *testing.T) {
	h := boundHouse(t)
	s, _ := h.link(t)
	tokens, asked := 0, 0
	proofs := map[string]bool{}
	h.seen = func(r *http.Request) {
		switch r.URL.Path {
		case "/token":
			tokens++
		case "/userinfo":
			asked++
			proofs[r.Header.Get("DPoP")] = true
		}
	}
	client := s.Client(t.Context())
	get := func() int {
		resp, err := client.Get(h.server.URL + "/userinfo?x=1")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if status := get(); status != 200 || asked != 1 {
		t.Errorf("status %d, asked %d times", status, asked)
	}
	h.server.NewNonce()
	if status := get(); status != 200 || asked != 3 || tokens != 0 || len(proofs) != 3 {
		t.Errorf("status %d, asked %d times, %d proofs, %d refreshes", status, asked, len(proofs), tokens)
	}
	token, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodGet, "https://elsewhere.example/", nil)
	if err := s.Authorize(req, token); err == nil || req.Header.Get("Authorization") != "" {
		t.Error("the token was sent elsewhere")
	}
	// The token alone is worth nothing.
	bare, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/userinfo", nil)
	bare.Header.Set("Authorization", "DPoP "+token.AccessToken.Reveal())
	if resp, err := h.RoundTrip(bare); err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a proof: %v, %v", resp.StatusCode, err)
	}
}

// TestDPoPNotForUs: a server that takes proofs, and gives tokens that need none.
func TestDPoPNotForUs(t *testing.T) {
	h := newHouse(t, oauthtest.Options{Rotate: true})
	h.provider.DPoPAlgs = []string{"RS256", "ES256"}
	s, _ := h.link(t)
	if strings.Contains(h.kept(t), " ") {
		t.Error("a key is kept that binds nothing")
	}
	if token, err := s.Token(t.Context(), authring.Fresh()); err != nil || token.TokenType != authring.Bearer {
		t.Errorf("%+v, %v", token, err)
	}
	h.provider.DPoPAlgs = []string{"RS256"}
	if h.provider.DPoP() {
		t.Error("proofs of RS256 are offered")
	}
}

// TestDPoPUnreadable: an item that a newer version wrote is left alone.
func TestDPoPUnreadable(t *testing.T) {
	for _, value := range []string{"dpop+jwk {} x", "dpop+x {} x", "dpop+jwk {}", "dpop+jwk {} x y", "x y", " "} {
		h := boundHouse(t)
		s, _ := h.link(t)
		_ = s.Close()
		for key := range h.memory.Items() {
			if err := h.memory.Set(t.Context(), key, secret.New(value), keyring.NoPrompt); err != nil {
				t.Fatal(err)
			}
		}
		asked := 0
		h.seen = func(*http.Request) { asked++ }
		if _, err := h.open(t).Token(t.Context()); err == nil || asked != 0 || h.kept(t) != value {
			t.Errorf("%q: %v, asked %d times", value, err, asked)
		}
		if _, err := h.open(t).Unlink(t.Context(), authring.LocalOnly()); err != nil {
			t.Error(err)
		}
	}
}

// TestDPoPUnsaved: a rotation that the keyring does not take loses neither token
// nor key.
func TestDPoPUnsaved(t *testing.T) {
	h := boundHouse(t)
	s, _ := h.link(t)
	before := strings.Split(h.kept(t), " ")
	h.memory.Before(func(op string, _ keyring.Key) error {
		if op == "write" {
			return &keyring.Error{Op: op, Kind: keyring.ErrLocked}
		}
		return nil
	})
	if _, err := s.Token(t.Context(), authring.Fresh()); err == nil {
		t.Fatal("a token was handed out whose refresh token is nowhere")
	}
	if h.kept(t) != strings.Join(before, " ") {
		t.Error("the item was changed")
	}
	h.memory.Before(nil)
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Fatal(err)
	}
	after := strings.Split(h.kept(t), " ")
	if len(after) != 3 || after[1] != before[1] || after[2] == before[2] || h.server.Grants() != 1 {
		t.Errorf("%d parts, %d grants", len(after), h.server.Grants())
	}
}

// TestDPoPRevokedByAccess: a grant that is revoked by an access token is
// refreshed for that, and both requests have their proofs.
func TestDPoPRevokedByAccess(t *testing.T) {
	h := boundHouse(t)
	revoked := 0
	h.provider.Revoke = func(ctx context.Context, call *provider.API, token secret.Secret) error {
		revoked++
		return call.Do(ctx, http.MethodGet, h.provider.UserinfoURL, token, nil, nil)
	}
	s, _ := h.link(t)
	if result, err := s.Unlink(t.Context()); err != nil || !result.Revoked || revoked != 1 {
		t.Errorf("%+v, %v, revoked %d times", result, err, revoked)
	}
	s, _ = h.link(t)
	h.down = true
	result, err := s.Unlink(t.Context())
	if err != nil || !result.Queued {
		t.Fatalf("%+v, %v", result, err)
	}
	h.down = false
	if results, err := s.RetryRevocations(t.Context()); err != nil || len(results) != 1 || !results[0].Done || len(h.memory.Items()) != 0 {
		t.Errorf("%+v, %v, %v", results, err, h.memory.Items())
	}
}
