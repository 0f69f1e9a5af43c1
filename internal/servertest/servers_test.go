package servertest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/servertest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// TestServers links with each server in each way, and looks at each feature. It
// fails where it could not look, and where something does not work that is not
// known for a fault of the server. All that it finds is held against the tables
// in the documents by ./test.
func TestServers(t *testing.T) {
	folder(t)
	program := build(t)
	for name, k := range map[string]kind{
		"oidc-provider":         oidcProvider("lenient"),
		"oidc-provider, strict": oidcProvider("strict"),
		"zitadel/oidc":          zitadel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, name, k)
			for _, flow := range servertest.Flows {
				t.Run(string(flow), func(t *testing.T) {
					t.Parallel()
					look(t, s, flow, program)
				})
			}
		})
	}
}

// visit is a look at a server, by one way to link.
type visit struct {
	t        *testing.T
	server   *server
	flow     servertest.Flow
	provider *provider.Provider
	person   *person
	found    []servertest.Finding
	linked   bool // there is a way to link at all

	tokenType string // of the tokens of the session that was linked first
}

func look(t *testing.T, s *server, flow servertest.Flow, program string) {
	v := &visit{t: t, server: s, flow: flow, person: newPerson(t)}
	v.discover()
	if flow == servertest.Device {
		v.linkDevices()
	} else {
		v.linkPages()
	}
	if v.linked {
		v.tool(program)
	}
	for _, feature := range servertest.Features {
		seen := 0
		for _, f := range v.found {
			if f.Feature == feature {
				seen++
			}
		}
		switch {
		case seen == 0 && !v.linked:
			v.find(feature, servertest.Unseen)
		case seen != 1:
			t.Errorf("%s: %d findings, want one", feature, seen)
		}
	}
	if err := servertest.Save(v.found); err != nil {
		t.Error(err)
	}
}

// find notes what was found; why may be nil.
func (v *visit) find(feature servertest.Feature, outcome servertest.Outcome, why ...string) {
	v.t.Helper()
	v.found = append(v.found, servertest.Finding{
		Server: v.server.Name, Version: v.server.Version, Flow: v.flow, Feature: feature, Outcome: outcome, Why: strings.Join(why, "; "),
	})
	v.t.Logf("%s: %s %s", feature, outcome, strings.Join(why, "; "))
}

// judge is find of what works unless there is an error.
func (v *visit) judge(feature servertest.Feature, err error, why ...string) bool {
	v.t.Helper()
	if err != nil {
		v.fail(feature, said(err))
		return false
	}
	v.find(feature, servertest.Works, why...)
	return true
}

// fail is find of what does not work. Where the reason is not known to be the
// server's, the test fails.
func (v *visit) fail(feature servertest.Feature, what string) {
	v.t.Helper()
	reason := v.server.reasons[v.flow][feature]
	if reason == "" {
		v.t.Errorf("%s: %s", feature, what)
	} else {
		what += ": " + reason
	}
	v.find(feature, servertest.Fails, what)
}

// discover has the server describe itself.
func (v *visit) discover() {
	v.t.Helper()
	metadata, err := provider.Discover(v.t.Context(), v.server.Issuer)
	if !v.judge(servertest.Discovery, err) {
		v.t.FailNow()
	}
	v.provider = &provider.Provider{Name: "tried", Title: v.server.Name}
	metadata.Describe(v.provider)
	home, err := url.Parse(v.server.Issuer)
	if err != nil {
		v.t.Fatal(err)
	}
	v.provider.Hosts = []string{home.Host}
}

func (v *visit) desk() *desk { return newDesk(v.t, v.provider, v.server.native) }

// withSecret is the desk of a program that has a client secret.
func (v *visit) withSecret(auth provider.ClientAuth, clientID string) *desk {
	p := *v.provider
	p.ClientAuth = auth
	return newDesk(v.t, &p, clientID)
}

// authenticated looks at a link of a program with a client secret, and at the
// refresh after it. The wrong secret must be told as what it is.
func (v *visit) authenticated(feature servertest.Feature, d *desk, err error) {
	if err == nil {
		_, err = d.Token(v.t.Context(), authring.Fresh())
	}
	if err == nil {
		wrong := func(context.Context) (secret.Secret, error) { return secret.New("wrong"), nil }
		var client *provider.Client
		if client, err = provider.NewClient(d.Provider(), d.Record().AppKey, provider.WithClientSecret(wrong)); err != nil {
			v.t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		_, held := d.grant()
		if _, err = client.Refresh(v.t.Context(), held, nil); errors.Is(err, provider.ErrInvalidClient) {
			err = nil
		} else {
			err = errors.New("a wrong secret is answered with " + said(err))
		}
	}
	v.judge(feature, err)
}

// link links by the pages of the server.
func (v *visit) link(d *desk, pages []page, changed change) error {
	if v.flow == servertest.Redirect {
		return d.byRedirect(v.person, pages, changed)
	}
	return d.byPaste(v.person, pages, changed)
}

// linkPages links by the authorization endpoint.
func (v *visit) linkPages() {
	if v.server.refusal == nil || v.server.refusal[0].device {
		v.find(servertest.Denied, servertest.NotThere, "the server's pages have no way to refuse")
	} else {
		v.denied(v.link(v.desk(), v.server.refusal, asIs))
	}

	first := v.desk()
	if v.linked = v.judge(servertest.Link, v.link(first, v.server.pages, asIs)); !v.linked {
		return
	}
	v.account(first)
	v.refresh(first)
	second := v.desk()
	if err := v.link(second, v.server.pages, asIs); err != nil {
		v.t.Fatal(err)
	}
	v.revoke(second)
	v.pkce()
	v.par()
	v.issuer()
	basic := v.withSecret(provider.AuthBasic, v.server.basic)
	v.authenticated(servertest.Basic, basic, v.link(basic, v.server.pages, asIs))
	post := v.withSecret(provider.AuthPost, v.server.post)
	v.authenticated(servertest.Post, post, v.link(post, v.server.pages, asIs))
}

// linkDevices links by device codes: several devices at once, as each has to
// wait for as long as the server says. One of them is refused.
func (v *visit) linkDevices() {
	basic, post := v.withSecret(provider.AuthBasic, v.server.basic), v.withSecret(provider.AuthPost, v.server.post)
	desks := []*desk{v.desk(), v.desk(), v.desk(), basic, post}
	pages := [][]page{v.server.pages, v.server.pages, v.server.refusal, v.server.pages, v.server.pages}
	errs := make([]chan error, len(desks))
	beside, key := v.keyed()
	authorization, err := beside.client.AuthorizeDevice(v.t.Context(), nil)
	if err == nil {
		v.person.visit(authorization.VerificationURI, v.server.pages, authorization.UserCode)
	}
	for i, d := range desks {
		shown := make(chan authring.DeviceCode, 1)
		errs[i] = make(chan error, 1)
		go func() {
			defer close(shown)
			errs[i] <- d.byDevice(shown)
		}()
		if code, ok := <-shown; ok {
			v.person.visit(code.VerificationURI, pages[i], code.UserCode)
		}
	}
	if v.linked = v.judge(servertest.Link, <-errs[0]); !v.linked {
		return
	}
	if err := <-errs[1]; err != nil {
		v.t.Fatal(err)
	}
	v.account(desks[0])
	token, err := beside.client.AwaitDevice(v.t.Context(), authorization)
	if err != nil {
		v.t.Fatal(err)
	}
	v.idToken(beside.client, token, "")
	v.dpop(beside, key, token)
	v.denied(<-errs[2])
	v.authenticated(servertest.Basic, basic, <-errs[3])
	v.authenticated(servertest.Post, post, <-errs[4])
	v.refresh(desks[0])
	v.revoke(desks[1])
	v.find(servertest.PKCE, servertest.NotInFlow)
	v.find(servertest.PAR, servertest.NotInFlow)
	v.find(servertest.Issuer, servertest.NotInFlow)
}

// denied looks at whether a refusal arrives as one.
func (v *visit) denied(err error) {
	if !errors.Is(err, provider.ErrAccessDenied) {
		v.fail(servertest.Denied, said(err))
		return
	}
	v.find(servertest.Denied, servertest.Works)
}

// account looks at whose link it is.
func (v *visit) account(d *desk) {
	rec := d.Record()
	if rec.AccountID != v.server.user {
		v.fail(servertest.Account, "the account is "+rec.AccountID)
		return
	}
	// By the session's own client, as programs do it.
	resp, err := d.Client(v.t.Context()).Get(v.provider.UserinfoURL)
	if err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("a request of the session is answered with %d", resp.StatusCode)
		}
	}
	if token, tokenErr := d.Token(v.t.Context()); err == nil {
		v.tokenType, err = token.TokenType, tokenErr
	}
	v.judge(servertest.Account, err)
}

// refresh looks at what becomes of refresh tokens, and ends the grant of a desk
// if the server does.
func (v *visit) refresh(d *desk) {
	ctx := v.t.Context()
	client, first := d.grant()
	old, err := d.Token(ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	token, err := d.Token(ctx, authring.Fresh())
	if err == nil {
		err = client.Check(ctx, token.AccessToken)
	}
	if err == nil && token.AccessToken.Equal(old.AccessToken) {
		err = errors.New("the access token is the one of before")
	}
	if !v.judge(servertest.Refresh, err) {
		v.find(servertest.Rotation, servertest.Unseen)
		v.find(servertest.Reuse, servertest.Unseen)
		return
	}
	if _, second := d.grant(); second.Equal(first) {
		v.find(servertest.Rotation, servertest.NotThere, "the refresh token stays")
		v.find(servertest.Reuse, servertest.NotThere, "the refresh token stays")
		return
	}
	v.find(servertest.Rotation, servertest.Works)

	// Somebody else has a copy of the token that was used up.
	_, err = client.Refresh(ctx, first, nil)
	if !errors.Is(err, provider.ErrRevoked) {
		v.fail(servertest.Reuse, "a second use is answered with "+said(err))
		return
	}
	_, err = d.Token(ctx, authring.Fresh())
	switch state, stateErr := d.State(ctx); {
	case err == nil:
		v.find(servertest.Reuse, servertest.Works, "a second use is refused, and the grant lives on")
	case stateErr != nil:
		v.fail(servertest.Reuse, said(stateErr))
	case !errors.Is(err, authring.ErrRevoked) || state != authring.Revoked:
		v.fail(servertest.Reuse, "the link is then "+state.String()+": "+said(err))
	default:
		v.find(servertest.Reuse, servertest.Works, "a second use ends the grant, and the link says so")
	}
}

// revoke looks at how a link ends.
func (v *visit) revoke(d *desk) {
	ctx := v.t.Context()
	client, refreshToken := d.grant()
	token, err := d.Token(ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	if v.provider.Revocation() == provider.RevokeNever {
		v.find(servertest.Revocation, servertest.NotThere)
		return
	}
	result, err := d.Unlink(ctx)
	if err == nil && !result.Revoked {
		err = result.RevokeErr
	}
	if err != nil {
		v.fail(servertest.Revocation, said(err))
		return
	}
	if _, err = client.Refresh(ctx, refreshToken, nil); !errors.Is(err, provider.ErrRevoked) {
		v.fail(servertest.Revocation, "the refresh token still works: "+said(err))
		return
	}
	switch err = client.Check(ctx, token.AccessToken); {
	case err == nil:
		v.find(servertest.Revocation, servertest.Works, "access tokens live on until they expire")
	case errors.Is(err, provider.ErrInvalidAccessToken):
		v.find(servertest.Revocation, servertest.Works, "access tokens end with it")
	default:
		v.find(servertest.Revocation, servertest.Works, "access tokens end with it, which is then told as: "+said(err))
	}
}

// code is what the pages of the server give for a request.
func (v *visit) code(d *desk, request provider.AuthRequest) secret.Secret {
	v.t.Helper()
	address := d.client.AuthCodeURL(request)
	if v.provider.RequirePAR {
		pushed, err := d.client.PushAuthRequest(v.t.Context(), request)
		if err != nil {
			v.t.Fatal(err)
		}
		address = pushed.URL
	}
	code, err := provider.ParseCode(answer(v.t, v.person.visit(address, v.server.pages, ""), request.RedirectURI))
	if err != nil {
		v.t.Fatal(err)
	}
	return code
}

// pkce redeems a code with the verifier of another request, and one with its own.
func (v *visit) pkce() {
	v.t.Helper()
	d := v.desk()
	redirect, err := v.provider.RedirectAt(0)
	if err != nil {
		v.t.Fatal(err)
	}
	verifier := provider.NewVerifier()
	request := provider.AuthRequest{
		Challenge: provider.Challenge(verifier), State: "state", RedirectURI: redirect, Params: url.Values{"nonce": {nonce}},
	}
	if _, err = d.client.Exchange(v.t.Context(), v.code(d, request), provider.NewVerifier(), redirect); !errors.Is(err, provider.ErrInvalidToken) {
		v.fail(servertest.PKCE, "a code with the verifier of another link is answered with "+said(err))
	} else {
		v.find(servertest.PKCE, servertest.Works)
	}
	token, err := d.client.Exchange(v.t.Context(), v.code(d, request), verifier, redirect)
	if err != nil {
		v.t.Fatal(err)
	}
	v.idToken(d.client, token, nonce)

	d, key := v.keyed()
	if key != nil {
		request.DPoPKey = key.Thumbprint()
		if token, err = d.client.Exchange(v.t.Context(), v.code(d, request), verifier, redirect); err != nil {
			v.fail(servertest.DPoP, said(err))
			return
		}
	}
	v.dpop(d, key, token)
}

const nonce = "a-nonce-of-the-test"

// idToken looks at an ID token, and at what must not pass for it.
func (v *visit) idToken(client *provider.Client, token *provider.Token, nonce string) {
	v.t.Helper()
	if token.IDToken.IsZero() {
		v.find(servertest.IDToken, servertest.NotThere)
		return
	}
	ctx := v.t.Context()
	account, err := client.ValidateIDToken(ctx, token.IDToken, token.AccessToken, nonce)
	if err == nil && account.ID != v.server.user {
		err = errors.New("it is for " + account.ID)
	}
	if err != nil {
		v.fail(servertest.IDToken, said(err))
		return
	}
	another, err := provider.NewClient(v.provider, "another")
	if err != nil {
		v.t.Fatal(err)
	}
	defer another.CloseIdleConnections()
	text := token.IDToken.Reveal()
	changed := secret.New(text[:len(text)-4] + strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, text[len(text)-4:]))
	for what, err := range map[string]error{
		"another program's":      taken(another.ValidateIDToken(ctx, token.IDToken, token.AccessToken, nonce)),
		"one with another nonce": taken(client.ValidateIDToken(ctx, token.IDToken, token.AccessToken, nonce+"x")),
		"one that was changed":   taken(client.ValidateIDToken(ctx, changed, token.AccessToken, nonce)),
		"one of another answer":  taken(client.ValidateIDToken(ctx, token.IDToken, secret.New("another"), nonce)),
	} {
		if !errors.Is(err, provider.ErrIDToken) {
			v.fail(servertest.IDToken, what+" is answered with "+said(err))
			return
		}
	}
	v.find(servertest.IDToken, servertest.Works)
}

func taken(_ provider.Account, err error) error { return err }

// keyed is a program that has a key for DPoP, or, with a server that takes no
// proofs, one that has none.
func (v *visit) keyed() (*desk, *provider.DPoPKey) {
	v.t.Helper()
	if !v.provider.DPoP() {
		return v.desk(), nil
	}
	key, err := provider.NewDPoPKey()
	if err != nil {
		v.t.Fatal(err)
	}
	d := newDesk(v.t, v.provider, v.server.bound)
	d.client = d.client.WithDPoP(key)
	return d, key
}

// dpop looks at a token that is bound to a key, and at what others can do with
// it.
func (v *visit) dpop(d *desk, key *provider.DPoPKey, token *provider.Token) {
	v.t.Helper()
	if key == nil {
		v.find(servertest.DPoP, servertest.NotThere)
		return
	}
	ctx := v.t.Context()
	var err error
	if !token.Bound() || v.tokenType != authring.DPoP {
		err = fmt.Errorf("the tokens are of type %s and %s", token.TokenType, v.tokenType)
	}
	if err == nil {
		err = d.client.Check(ctx, token.AccessToken)
	}
	renewed := token
	if err == nil {
		renewed, err = d.client.Refresh(ctx, token.RefreshToken, nil)
	}
	if err == nil {
		err = d.client.Check(ctx, renewed.AccessToken)
	}
	if err != nil {
		v.fail(servertest.DPoP, said(err))
		return
	}
	bare := newDesk(v.t, v.provider, v.server.bound).client
	other, err := provider.NewDPoPKey()
	if err != nil {
		v.t.Fatal(err)
	}
	for what, err := range map[string]error{
		"its token without a key":      bare.Check(ctx, renewed.AccessToken),
		"its token with another key":   bare.WithDPoP(other).Check(ctx, renewed.AccessToken),
		"its refresh without a key":    refreshed(bare.Refresh(ctx, renewed.RefreshToken, nil)),
		"its refresh with another key": refreshed(bare.WithDPoP(other).Refresh(ctx, renewed.RefreshToken, nil)),
	} {
		if err == nil {
			v.fail(servertest.DPoP, what+" is answered with success")
			return
		}
	}
	v.find(servertest.DPoP, servertest.Works)
}

func refreshed(_ *provider.Token, err error) error { return err }

// par looks at how the request gets to the server that has just been linked
// with.
func (v *visit) par() {
	v.t.Helper()
	if v.provider.PARURL == "" {
		v.find(servertest.PAR, servertest.NotThere)
		return
	}
	pending, err := v.desk().BeginLink(v.t.Context())
	if err != nil {
		v.fail(servertest.PAR, said(err))
		return
	}
	page, err := url.Parse(pending.AuthURL)
	if err != nil {
		v.t.Fatal(err)
	}
	if params := page.Query(); len(params) != 2 || !params.Has("client_id") || !params.Has("request_uri") {
		v.fail(servertest.PAR, "the request goes through the browser")
		return
	}
	why := ""
	if v.provider.RequirePAR {
		why = "the server takes no other"
	}
	v.find(servertest.PAR, servertest.Works, why)
}

// issuer puts another server's issuer into the answer.
func (v *visit) issuer() {
	v.t.Helper()
	err := v.link(v.desk(), v.server.pages, with("iss", "https://other.example"))
	switch {
	case !errors.Is(err, authring.ErrInvalidToken):
		v.fail(servertest.Issuer, "the answer of another server is taken: "+said(err))
	case !v.provider.IssParameter:
		v.find(servertest.Issuer, servertest.NotThere)
	default:
		v.find(servertest.Issuer, servertest.Works)
	}
}

// said is an error in words.
func said(err error) string {
	if err == nil {
		return "success"
	}
	if answered, ok := errors.AsType[*provider.Error](err); ok {
		err = answered
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}
