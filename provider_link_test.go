package authring_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

const (
	clientID     = "client:1"
	clientSecret = "p+ss w/rd of the client"
)

// elsewhere is a server that is not Dropbox, and what a session has of it.
type elsewhere struct {
	*oauthtest.Server
	provider *provider.Provider
	memory   *keyringtest.Memory
	secrets  *keyringtest.Memory // holds the client secret, where there is one
	world    *world
}

func newElsewhere(t *testing.T, options oauthtest.Options) *elsewhere {
	t.Helper()
	e := &elsewhere{Server: oauthtest.NewServer(options), world: newWorld(t), secrets: keyringtest.NewMemory(keyring.KWallet)}
	t.Cleanup(e.Close)
	e.memory = e.world.memory
	e.provider = &provider.Provider{
		Name: "elsewhere", Title: "Elsewhere", ClientID: clientID, AuthURL: e.URL + "/authorize", TokenURL: e.URL + "/token",
		RevokeURL: e.URL + "/revoke",
	}
	if !options.NoUserinfo {
		e.provider.UserinfoURL = e.URL + "/userinfo"
	}
	if options.ClientSecret != "" {
		e.provider.ClientAuth = provider.AuthBasic
	}
	return e
}

func (e *elsewhere) open(t *testing.T, name string, opts ...authring.Option) *authring.Session {
	t.Helper()
	s, err := authring.Open(name, append([]authring.Option{
		authring.WithProvider(e.provider), authring.WithKeyrings(e.memory, e.secrets), authring.WithEvents(e.world.note),
		authring.WithClientSecretIn(keyring.KWallet),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (e *elsewhere) link(t *testing.T, s *authring.Session) authring.Saved {
	t.Helper()
	end, err := e.Approve(s.AuthURL())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyAuthToken(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	saved, err := s.SaveCreds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// TestClientSecretFromTheKeyring: used where it is, told where it is locked or
// gone, and never a reason to give a grant up.
func TestClientSecretFromTheKeyring(t *testing.T) {
	e := newElsewhere(t, oauthtest.Options{ClientID: clientID, ClientSecret: clientSecret, Rotate: true})
	setUp := e.open(t, "x", authring.WithKeyring(keyring.KWallet))
	id, err := setUp.SaveClientSecret(t.Context(), secret.New(clientSecret), nil)
	if err != nil || id != keyring.KWallet {
		t.Fatal(id, err)
	}
	e.link(t, e.open(t, "x"))
	if _, err := e.open(t, "x").Token(t.Context()); err != nil {
		t.Fatal(err)
	}

	// Replaced by another process, while this one is open.
	open := e.open(t, "x")
	if _, err := open.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := e.open(t, "x", authring.WithKeyring(keyring.KWallet))
	if _, err := other.SaveClientSecret(t.Context(), secret.New("another"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := open.Token(t.Context(), authring.Fresh()); !errors.Is(err, provider.ErrInvalidClient) {
		t.Errorf("Token = %v", err)
	}
	if _, err := other.SaveClientSecret(t.Context(), secret.New(clientSecret), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := open.Token(t.Context(), authring.Fresh()); err != nil {
		t.Errorf("Token = %v", err)
	}

	// Locked, and nobody is asked.
	e.secrets.Fail(keyring.ErrLocked)
	s := e.open(t, "x", authring.WithPrompt(keyring.NoPrompt))
	if _, err := s.Token(t.Context()); !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("Token = %v", err)
	}
	if _, err := s.Unlink(t.Context()); !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("Unlink = %v", err)
	}
	if s.AccountID() == "" || e.Grants() != 1 {
		t.Errorf("the link is gone: %q, %d grants", s.AccountID(), e.Grants())
	}

	// Locked, and a person unlocks it: for the refresh, which asks nobody
	// itself.
	asked := false
	e.secrets.Fail(nil)
	e.secrets.BeforePrompt(func(op string, prompt keyring.Prompt) error {
		if !asked && prompt == keyring.NoPrompt {
			return keyring.ErrLocked
		}
		asked = true
		return nil
	})
	if _, err := e.open(t, "x").Token(t.Context()); err != nil || !asked {
		t.Errorf("Token = %v, asked %v", err, asked)
	}

	// Gone.
	if err := setUp.DeleteClientSecret(t.Context(), keyring.KWallet); err != nil {
		t.Fatal(err)
	}
	if _, err := e.open(t, "x").Token(t.Context()); !errors.Is(err, authring.ErrNoClientSecret) || !strings.Contains(err.Error(), "Elsewhere") {
		t.Errorf("Token = %v", err)
	}
	if e.Grants() != 1 {
		t.Error("the grant was lost")
	}

	// From somewhere else.
	given := authring.WithClientSecret(func(context.Context) (authring.Secret, error) { return secret.New(clientSecret), nil })
	result, err := e.open(t, "x", given).Unlink(t.Context())
	if err != nil || !result.Revoked || e.Grants() != 0 {
		t.Errorf("Unlink = %+v, %v, %d grants", result, err, e.Grants())
	}
}

// TestNobodySaysWhose: such a link has a name of its own, and keeps it.
func TestNobodySaysWhose(t *testing.T) {
	e := newElsewhere(t, oauthtest.Options{ClientID: clientID, NoUserinfo: true})
	first := e.link(t, e.open(t, "x"))
	if !strings.HasPrefix(first.AccountID, "local-") || len(first.AccountID) != len("local-")+16 {
		t.Errorf("AccountID = %q", first.AccountID)
	}
	if again := e.link(t, e.open(t, "x")); again.AccountID != first.AccountID {
		t.Errorf("a relink made %q of %q", again.AccountID, first.AccountID)
	}
	if other := e.link(t, e.open(t, "y")); other.AccountID == first.AccountID {
		t.Error("two links have one name")
	}
	if e.Grants() != 2 {
		t.Errorf("%d grants", e.Grants())
	}
}

// TestNoWayToRevoke: it is told, and no refresh token is used up for it.
func TestNoWayToRevoke(t *testing.T) {
	e := newElsewhere(t, oauthtest.Options{ClientID: clientID})
	e.provider.RevokeURL = ""
	s := e.open(t, "x")
	e.link(t, s)
	asked := len(e.Paths())
	result, err := s.Unlink(t.Context())
	if err != nil || result.Revoked || result.Queued || !errors.Is(result.RevokeErr, errors.ErrUnsupported) || len(e.Paths()) != asked {
		t.Errorf("Unlink = %+v, %v", result, err)
	}
}

// TestRevokedByRefreshToken: without a refresh before it, and later if need be.
func TestRevokedByRefreshToken(t *testing.T) {
	e := newElsewhere(t, oauthtest.Options{ClientID: clientID, Rotate: true})
	s := e.open(t, "x")
	e.link(t, s)
	asked := len(e.Paths())
	if result, err := s.Unlink(t.Context()); err != nil || !result.Revoked || e.Grants() != 0 {
		t.Errorf("Unlink = %+v, %v", result, err)
	}
	if got := e.Paths()[asked:]; len(got) != 1 || got[0] != "/revoke" {
		t.Errorf("asked for %q", got)
	}

	e.link(t, s)
	endpoint := e.provider.RevokeURL
	e.provider.RevokeURL = "http://127.0.0.1:1/revoke"
	result, err := e.open(t, "x").Unlink(t.Context())
	if err != nil || !result.Queued || e.Grants() != 1 {
		t.Fatalf("Unlink = %+v, %v", result, err)
	}
	e.provider.RevokeURL = endpoint
	retried, err := e.open(t, "x").RetryRevocations(t.Context())
	if err != nil || len(retried) != 1 || !retried[0].Done || e.Grants() != 0 {
		t.Errorf("RetryRevocations = %+v, %v", retried, err)
	}

	end, err := e.Approve(s.AuthURL())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyAuthToken(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	if err := s.DiscardCreds(t.Context()); err != nil || e.Grants() != 0 {
		t.Errorf("DiscardCreds = %v, %d grants", err, e.Grants())
	}
}

// TestNoClientID: Maestral's app key is not sent to others.
func TestNoClientID(t *testing.T) {
	e := newElsewhere(t, oauthtest.Options{ClientID: clientID})
	e.provider.ClientID = ""
	s := e.open(t, "x")
	if _, err := s.BeginLink(t.Context()); !errors.Is(err, authring.ErrNoClientID) {
		t.Errorf("BeginLink = %v", err)
	}
	if url := s.AuthURL(); url != "" {
		t.Errorf("AuthURL = %q", url)
	}
	e.link(t, e.open(t, "x", authring.WithAppKey(clientID)))
	if _, err := e.open(t, "x").Token(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRelinkElsewhere: a link that moves to another provider tells that the
// earlier grant stays, and the app key does not go along.
func TestRelinkElsewhere(t *testing.T) {
	e := newElsewhere(t, oauthtest.Options{ClientID: clientID})
	e.world.link(t, "x", authring.WithAppKey("2jmbq42w7vof78h"))
	s := e.open(t, "x", authring.WithSwitchAccount())
	if strings.Contains(s.AuthURL(), "2jmbq42w7vof78h") {
		t.Error("the app key of Dropbox is sent to another server")
	}
	e.link(t, s)
	if rec := s.Record(); rec.Provider != "elsewhere" || rec.AccountID != "ada" {
		t.Errorf("record = %+v", rec)
	}
	told := false
	e.world.mu.Lock()
	defer e.world.mu.Unlock()
	for _, event := range e.world.events {
		told = told || event.Kind == authring.EventGrantAlive && strings.Contains(event.Text, "dropbox")
	}
	if !told {
		t.Error("nobody was told that the earlier grant stays")
	}
}
