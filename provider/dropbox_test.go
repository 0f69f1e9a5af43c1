package provider_test

import (
	"errors"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// link begins a link at an emulator: the user allows access, and the code is
// what is pasted.
func link(t *testing.T, server *dropboxtest.Server, c *provider.Client) (code, verifier secret.Secret) {
	t.Helper()
	verifier = provider.NewVerifier()
	shown, err := server.Approve(c.AuthCodeURL(provider.AuthRequest{Challenge: provider.Challenge(verifier)}))
	if err != nil {
		t.Fatal(err)
	}
	if code, err = provider.ParseCode("  " + shown + "\n"); err != nil {
		t.Fatal(err)
	}
	return code, verifier
}

func TestLifeOfALink(t *testing.T) {
	server := dropboxtest.NewServer()
	defer server.Close()
	c := dropboxClient(t, server.URL)
	ctx := bounded(t)
	code, verifier := link(t, server, c)

	first, err := c.Exchange(ctx, code, verifier, "")
	if err != nil {
		t.Fatal(err)
	}
	if first.RefreshToken.IsZero() || first.ExpiresIn != 4*time.Hour || first.AccountID != server.User().AccountID || first.Date.IsZero() {
		t.Errorf("Exchange = %+v", *first)
	}
	_, err = c.Exchange(ctx, code, verifier, "")
	fault(t, err, provider.ErrCodeRejected)

	account, err := c.Account(ctx, first.AccessToken)
	if err != nil || account.ID != first.AccountID || account.Email != server.User().Email || account.DisplayName == "" {
		t.Errorf("Account = %+v, %v", account, err)
	}
	if err := c.Check(ctx, first.AccessToken); err != nil {
		t.Error(err)
	}
	server.ExpireAccessTokens()
	fault(t, c.Check(ctx, first.AccessToken), provider.ErrExpiredToken)

	second, err := c.Refresh(ctx, first.RefreshToken, nil)
	if err != nil || !second.RefreshToken.IsZero() || second.AccessToken.Equal(first.AccessToken) {
		t.Fatalf("Refresh = %+v, %v", second, err)
	}
	narrow, err := c.Refresh(ctx, first.RefreshToken, []string{"files.metadata.read"})
	if err != nil || narrow.Scope != "files.metadata.read" {
		t.Fatalf("Refresh = %+v, %v", narrow, err)
	}
	_, err = c.Account(ctx, narrow.AccessToken)
	fault(t, err, provider.ErrMissingScope)
	_, err = c.Refresh(ctx, first.RefreshToken, []string{"no.such.scope"})
	fault(t, err, provider.ErrMissingScope)

	server.Suspend(account.ID, true)
	_, err = c.Account(ctx, second.AccessToken)
	fault(t, err, provider.ErrSuspended)
	server.Suspend(account.ID, false)

	for range 2 { // already revoked is revoked
		if err := c.Revoke(ctx, second.AccessToken); err != nil {
			t.Error(err)
		}
	}
	_, err = c.Account(ctx, second.AccessToken)
	fault(t, err, provider.ErrInvalidToken)
	_, err = c.Refresh(ctx, first.RefreshToken, nil)
	fault(t, err, provider.ErrRevoked)

	for _, r := range server.Requests() {
		if r.SecretInURL {
			t.Errorf("a secret was in the URL of %s %s", r.Method, r.Path)
		}
	}
}

func TestRefusedLinks(t *testing.T) {
	server := dropboxtest.NewServer()
	defer server.Close()
	c := dropboxClient(t, server.URL)
	ctx := bounded(t)

	code, verifier := link(t, server, c)
	_, err := c.Exchange(ctx, code, provider.NewVerifier(), "")
	fault(t, err, provider.ErrVerifierMismatch)
	_, err = c.Exchange(ctx, code, verifier, "http://127.0.0.1:53682/")
	fault(t, err, provider.ErrRedirectMismatch)
	_, err = c.Exchange(ctx, secret.New("never-issued"), verifier, "")
	fault(t, err, provider.ErrCodeRejected)
	_, err = c.Refresh(ctx, code, nil) // a code in place of a refresh token
	fault(t, err, provider.ErrRevoked)

	p, err := provider.DropboxAt(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := provider.NewClient(p, "nosuchappkey000")
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Exchange(ctx, code, verifier, "")
	fault(t, err, provider.ErrInvalidClient)
}

func TestRotation(t *testing.T) {
	server := dropboxtest.NewServer(dropboxtest.WithRotation())
	defer server.Close()
	c := dropboxClient(t, server.URL)
	code, verifier := link(t, server, c)
	first, err := c.Exchange(bounded(t), code, verifier, "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Refresh(bounded(t), first.RefreshToken, nil)
	if err != nil || second.RefreshToken.IsZero() || second.RefreshToken.Equal(first.RefreshToken) {
		t.Fatalf("Refresh = %+v, %v", second, err)
	}
}

// TestFaultsOfDropbox: with every fault of the emulator, a code fails as a
// connection does, and two faults in a row do not keep a refresh from success.
func TestFaultsOfDropbox(t *testing.T) {
	for _, name := range dropboxtest.FaultNames() {
		if name == "clock-skew" || name == "invalid-token" {
			continue // not faults of the token endpoint
		}
		if name == "revoked" {
			continue // a true answer
		}
		t.Run(name, func(t *testing.T) {
			server := dropboxtest.NewServer()
			defer server.Close()
			var bounds provider.Timeouts
			if name == "hang" || name == "slow-body" {
				bounds.Total = 500 * time.Millisecond
			}
			c := dropboxClient(t, server.URL, provider.WithTimeouts(bounds), quick)
			code, verifier := link(t, server, c)
			granted, err := c.Exchange(bounded(t), code, verifier, "")
			if err != nil {
				t.Fatal(err)
			}
			server.FaultNext("refresh:"+name, 2)
			if name != "rate-limit" && name != "rate-limit-date" { // waits of seconds: see TestRetryAfter
				if _, err := c.Refresh(bounded(t), granted.RefreshToken, nil); err != nil {
					t.Errorf("Refresh: %v", err)
				}
			}
			server.ClearFaults()
			code, verifier = link(t, server, c)
			server.ResetRequests()
			server.FaultNext("code:"+name, 1)
			_, err = c.Exchange(bounded(t), code, verifier, "")
			if e := fault(t, err, provider.ErrConnectionFailed); !e.Sent {
				t.Errorf("%v: Sent = false", err)
			}
			if n := len(server.Requests()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if errors.Is(err, provider.ErrRateLimited) {
				// It says that it did nothing: the code is still good.
				if _, err := c.Exchange(bounded(t), code, verifier, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestTransientInvalidToken: Dropbox once answered so to everybody for a day.
func TestTransientInvalidToken(t *testing.T) {
	server := dropboxtest.NewServer()
	defer server.Close()
	c := dropboxClient(t, server.URL)
	code, verifier := link(t, server, c)
	granted, err := c.Exchange(bounded(t), code, verifier, "")
	if err != nil {
		t.Fatal(err)
	}
	server.FaultNext("api:invalid-token", 1)
	_, err = c.Account(bounded(t), granted.AccessToken)
	if fault(t, err, provider.ErrInvalidToken); errors.Is(err, provider.ErrRevoked) {
		t.Errorf("%v is an ErrRevoked, which only a refresh can tell", err)
	}
	if _, err := c.Refresh(bounded(t), granted.RefreshToken, nil); err != nil {
		t.Error(err)
	}
}
