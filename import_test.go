package authring_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// offlineGrant is a grant that another program got from this world's Dropbox.
func offlineGrant(w *world) authring.Grant {
	account := w.dropbox.User().AccountID
	return authring.Grant{
		TokenAccessType: authring.Offline, Secret: secret.New(w.dropbox.RefreshToken(account)),
		AppKey: authring.DefaultAppKey, AccountID: account, From: "another program",
	}
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	account := w.dropbox.User()
	for name, grant := range map[string]authring.Grant{
		"offline": offlineGrant(w),
		"legacy":  {TokenAccessType: authring.Legacy, Secret: secret.New(w.dropbox.LegacyToken(account.AccountID))},
	} {
		s := w.open(t, name)
		saved, err := s.Import(t.Context(), grant)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if saved.AccountID != account.AccountID || saved.Email != account.Email || saved.Keyring != keyring.SecretService {
			t.Errorf("%s: saved %+v", name, saved)
		}
		if got := w.item(t, name); got != grant.Secret.Reveal() {
			t.Errorf("%s: another secret was saved", name)
		}
		rec := s.Record()
		if rec.TokenAccessType != string(grant.TokenAccessType) || rec.AppKey != grant.AppKey || rec.Linked.IsZero() {
			t.Errorf("%s: the record is %+v", name, rec)
		}
		// The answer that proved it serves this session too.
		asked := w.refreshes()
		if _, err := s.Token(t.Context()); err != nil || w.refreshes() != asked {
			t.Errorf("%s: Token: %v, with %d refreshes", name, err, w.refreshes()-asked)
		}
		if _, err := w.open(t, name).Token(t.Context()); err != nil {
			t.Errorf("%s: another session: %v", name, err)
		}
	}
	events, err := w.open(t, "offline").History()
	if err != nil || len(events) == 0 || events[0].What != record.EventLinked || events[0].Detail != "imported from another program" {
		t.Errorf("the history is %+v, %v", events, err)
	}
}

func TestImportUnverified(t *testing.T) {
	w := newWorld(t)
	w.offline.Store(true)
	grant := offlineGrant(w)
	grant.Unverified, grant.Email, grant.DisplayName = true, "told@example.org", "As Told"
	s := w.open(t, "default")
	saved, err := s.Import(t.Context(), grant)
	if err != nil || saved.Email != "told@example.org" || saved.DisplayName != "As Told" {
		t.Fatalf("Import = %+v, %v", saved, err)
	}
	if n := w.asked("/oauth2/token", "refresh_token"); n != 0 {
		t.Errorf("the provider was asked %d times", n)
	}
	_, err = s.Token(t.Context())
	wantErr(t, err, authring.ErrConnectionFailed)
	w.offline.Store(false)
	wantUsable(t, s, "once there is a network")
}

func TestImportRefuses(t *testing.T) {
	w := newWorld(t)
	good := offlineGrant(w)
	single := *provider.Dropbox()
	single.Replay = provider.ReplaySingleUse
	waiting := func(s *authring.Session) { w.verify(t, s) }
	for name, c := range map[string]struct {
		spoil   func(*authring.Grant)
		prepare func(*authring.Session)
		options []authring.Option
		want    error
		text    string
	}{
		"no secret":                        {spoil: func(g *authring.Grant) { g.Secret = secret.Secret{} }, want: authring.ErrNoCredentials},
		"an unknown kind":                  {spoil: func(g *authring.Grant) { g.TokenAccessType = "online" }, text: `"online" is unknown`},
		"no app key":                       {spoil: func(g *authring.Grant) { g.AppKey = "" }, text: "app key"},
		"another app key":                  {spoil: func(g *authring.Grant) { g.AppKey = "another" }, want: authring.ErrInvalidToken},
		"a grant that ended":               {spoil: func(g *authring.Grant) { g.Secret = secret.New("unknown") }, want: authring.ErrRevoked},
		"a legacy token that ended":        {spoil: func(g *authring.Grant) { g.TokenAccessType, g.Secret = authring.Legacy, secret.New("unknown") }, want: authring.ErrInvalidToken},
		"somebody else's":                  {spoil: func(g *authring.Grant) { g.AccountID = "dbid:another" }, want: authring.ErrInvalidToken, text: "belongs to"},
		"nobody's, and not to be verified": {spoil: func(g *authring.Grant) { g.AccountID, g.Unverified = "", true }, text: "whose it is"},
		"refresh tokens for a single use":  {options: []authring.Option{authring.WithProvider(&single)}, text: "link anew"},
		"another one that is not saved":    {prepare: waiting, text: "waits to be saved"},
	} {
		grant := good
		if c.spoil != nil {
			c.spoil(&grant)
		}
		s := w.open(t, "default", c.options...)
		if c.prepare != nil {
			c.prepare(s)
		}
		live := w.live()
		_, err := s.Import(t.Context(), grant)
		if err == nil || c.want != nil && authring.ResultCode(err) != authring.ResultCode(c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), grant.Secret.Reveal()) && !grant.Secret.IsZero() && grant.Secret.Reveal() != "unknown" {
			t.Errorf("%s: the error holds the secret", name)
		}
		if w.live() != live {
			t.Errorf("%s: a grant was revoked", name)
		}
		wantState(t, w.open(t, "default"), authring.Unlinked)
		wantHeld(t, w.memory)
	}
	w.offline.Store(true)
	_, err := w.open(t, "default").Import(t.Context(), good)
	wantErr(t, err, authring.ErrConnectionFailed)
	wantHeld(t, w.memory)
}

func TestImportOverALink(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	first := s.AccountID()
	grant := offlineGrant(w)

	// The same account: the link's own grant ends.
	if _, err := s.Import(t.Context(), grant); err != nil {
		t.Fatal(err)
	}
	if w.live() != 1 || w.item(t, "default") != grant.Secret.Reveal() {
		t.Errorf("%d grants are valid", w.live())
	}
	// The same grant once more: it must not end.
	if _, err := s.Import(t.Context(), grant); err != nil || w.live() != 1 {
		t.Errorf("the same again: %v, %d grants", err, w.live())
	}
	wantUsable(t, s, "after three imports")

	// Another account.
	w.dropbox.SetUser(dropboxtest.User{AccountID: "dbid:another", Email: "bob@example.org"})
	other := offlineGrant(w)
	_, err := s.Import(t.Context(), other)
	wantErr(t, err, authring.ErrAccountMismatch)
	if s.AccountID() != first || w.live() != 2 {
		t.Errorf("linked to %s, with %d grants", s.AccountID(), w.live())
	}
	if _, err := w.open(t, "default", authring.WithSwitchAccount()).Import(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if now := w.open(t, "default"); now.AccountID() != "dbid:another" || w.live() != 1 {
		t.Errorf("linked to %s, with %d grants", now.AccountID(), w.live())
	}

	// A second link of the same grant ends with the first.
	second := w.open(t, "second")
	if _, err := second.Import(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Unlink(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = w.open(t, "default").Token(t.Context())
	wantErr(t, err, authring.ErrRevoked)
	if names := held(w.memory); !slices.Equal(names, []string{"config:default:dbid:another"}) {
		t.Errorf("the keyring holds %q", names)
	}
}
