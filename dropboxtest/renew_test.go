package dropboxtest_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
)

// checkQuery is an argument of check/user.
const checkQuery = `{"query":"x"}`

// stats returns the counts of the only grant.
func (b *bench) stats() dropboxtest.Stats {
	b.t.Helper()
	all := b.Stats()
	if len(all) != 1 {
		b.t.Fatalf("counts of %d grants, want 1", len(all))
	}
	return all[0]
}

// TestRotation presents the refresh tokens of one grant in turn, and notes what
// each yields: the number of the refresh token that came back, 0 for a refusal.
// Tokens are numbered from 1, which is that of the link.
func TestRotation(t *testing.T) {
	rotation, detection := dropboxtest.WithRotation(), dropboxtest.WithReuseDetection()
	grace := dropboxtest.WithGrace(3 * time.Second)
	type step struct {
		wait  time.Duration
		token int
		want  int
	}
	for _, test := range []struct {
		name  string
		opts  []dropboxtest.Option
		steps []step
		want  dropboxtest.Stats // its counts
	}{
		{"T7 no rotation", nil,
			[]step{{0, 1, 1}, {0, 1, 1}},
			dropboxtest.Stats{RefreshTokens: 1, Redemptions: 2, AccessTokens: 3}},
		{"T7 the old one ends at once", []dropboxtest.Option{rotation},
			[]step{{0, 1, 2}, {0, 1, 0}, {0, 2, 3}, {0, 1, 0}, {0, 2, 0}, {0, 3, 4}},
			dropboxtest.Stats{RefreshTokens: 4, Redemptions: 3, Reuses: 3, AccessTokens: 4}},
		{"T7 reuse ends the grant", []dropboxtest.Option{detection},
			[]step{{0, 1, 2}, {0, 2, 3}, {0, 1, 0}, {0, 3, 0}, {0, 2, 0}},
			dropboxtest.Stats{RefreshTokens: 3, Redemptions: 2, Reuses: 2, Ended: "reuse"}},
		{"T7 within the window", []dropboxtest.Option{grace, detection},
			[]step{{0, 1, 2}, {0, 1, 2}, {time.Second, 1, 2}, {time.Second, 1, 2}, {0, 2, 3}},
			dropboxtest.Stats{RefreshTokens: 3, Redemptions: 2, Replays: 3, AccessTokens: 6}},
		{"T7 within the window twice over", []dropboxtest.Option{detection, grace},
			[]step{{0, 1, 2}, {time.Second, 2, 3}, {time.Second, 1, 2}, {0, 2, 3}, {0, 3, 4}},
			dropboxtest.Stats{RefreshTokens: 4, Redemptions: 3, Replays: 2, AccessTokens: 6}},
		{"T7 after the window", []dropboxtest.Option{grace, detection},
			[]step{{0, 1, 2}, {3 * time.Second, 1, 0}, {0, 2, 0}},
			dropboxtest.Stats{RefreshTokens: 2, Redemptions: 1, Reuses: 1, Ended: "reuse"}},
		{"T7 a replay does not prolong the window", []dropboxtest.Option{grace, detection},
			[]step{{0, 1, 2}, {2 * time.Second, 1, 2}, {time.Second, 1, 0}, {0, 2, 0}},
			dropboxtest.Stats{RefreshTokens: 2, Redemptions: 1, Replays: 1, Reuses: 1, Ended: "reuse"}},
		{"T7 one window over, the next not", []dropboxtest.Option{grace},
			[]step{{0, 1, 2}, {2 * time.Second, 2, 3}, {time.Second, 2, 3}, {0, 1, 0}, {0, 3, 4}, {0, 2, 3}},
			dropboxtest.Stats{RefreshTokens: 4, Redemptions: 3, Replays: 2, Reuses: 1, AccessTokens: 6}},
		{"T7 a window of nothing", []dropboxtest.Option{dropboxtest.WithGrace(0)},
			[]step{{0, 1, 2}, {0, 1, 0}, {0, 2, 3}},
			dropboxtest.Stats{RefreshTokens: 3, Redemptions: 2, Reuses: 1, AccessTokens: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newClock()
			b := start(t, append(test.opts, dropboxtest.WithClock(c.Now))...)
			linked := b.link()
			refresh := []string{str(linked, "refresh_token")}
			access := []string{str(linked, "access_token")}
			for i, s := range test.steps {
				c.Advance(s.wait)
				a := b.renew(refresh[s.token-1])
				if s.want == 0 {
					wantError(t, a, "invalid_grant", revoked)
					continue
				}
				got := a.json(t)
				came := str(got, "refresh_token")
				if came == "" {
					came = refresh[s.token-1]
				}
				if !slices.Contains(refresh, came) {
					refresh = append(refresh, came)
				}
				if n := slices.Index(refresh, came) + 1; a.status != 200 || n != s.want || len(came) != 64 {
					t.Errorf("step %d: answer %d with the refresh token %d, want %d", i, a.status, n, s.want)
				}
				if slices.Contains(access, str(got, "access_token")) {
					t.Errorf("step %d: the access token is an old one", i)
				}
				access = append(access, str(got, "access_token"))
			}
			got := b.stats()
			want := test.want
			want.Number, want.AccessType, want.Created = 1, "offline", newClock().Now()
			want.ClientID, want.AccountID = dropboxtest.DefaultClientID, b.User().AccountID
			if want.Ended != "" {
				want.EndedAt = c.Now()
			}
			if got != want {
				t.Errorf("counts %+v, want %+v", got, want)
			}
			for i, token := range access {
				if a := b.api(token, "check/user", checkQuery); (a.status == 200) != (want.Ended == "") {
					t.Errorf("the access token %d: %d", i, a.status)
				}
			}
			if n := len(b.Grants()); (n == 1) != (want.Ended == "") {
				t.Errorf("%d grants stand", n)
			}
		})
	}
}

// TestReuseTakesTheClientsProof holds that nobody ends a grant by a used token
// without being the client that it was minted for.
func TestReuseTakesTheClientsProof(t *testing.T) {
	b := two(t, dropboxtest.WithReuseDetection())
	secretive := []string{"client_id", confidentialApp().ClientID, "client_secret", appSecret}
	first := str(b.token(append(secretive, "grant_type", "authorization_code", "code", b.approve(authorizeSecretive()))...).json(t), "refresh_token")
	again := append(secretive, "grant_type", "refresh_token", "refresh_token")
	second := str(b.token(append(again, first)...).json(t), "refresh_token")

	wantError(t, b.token("grant_type", "refresh_token", "refresh_token", first, "client_id", confidentialApp().ClientID), "invalid_request", noAuth)
	wantError(t, b.renew(first), "invalid_grant", revoked)
	a := b.token(append(again, second, "scope", "all.there.is")...)
	if got := a.json(t); got["error"] != "invalid_scope" {
		t.Errorf("a scope too many: %s", a.body)
	}
	if got := b.stats(); got.Redemptions != 1 || got.Reuses != 0 || got.Ended != "" {
		t.Errorf("counts %+v", got)
	}
	if a := b.token(append(again, second)...); a.status != 200 {
		t.Errorf("the newest afterwards: %s", a.body)
	}
}

// TestRacingClients lets many redeem the same refresh token at once.
func TestRacingClients(t *testing.T) {
	const clients = 24
	for _, test := range []struct {
		name string
		opts []dropboxtest.Option
		want dropboxtest.Stats
		good int
	}{
		{"rotation", []dropboxtest.Option{dropboxtest.WithRotation()},
			dropboxtest.Stats{RefreshTokens: 2, Redemptions: 1, Reuses: clients - 1}, 1},
		{"detection", []dropboxtest.Option{dropboxtest.WithReuseDetection()},
			dropboxtest.Stats{RefreshTokens: 2, Redemptions: 1, Reuses: clients - 1, Ended: "reuse"}, 1},
		{"window", []dropboxtest.Option{dropboxtest.WithReuseDetection(), dropboxtest.WithGrace(time.Hour)},
			dropboxtest.Stats{RefreshTokens: 2, Redemptions: 1, Replays: clients - 1}, clients},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, test.opts...)
			refresh := b.RefreshToken(b.User().AccountID)
			answers := make(chan answer, clients)
			var group sync.WaitGroup
			for range clients {
				group.Go(func() {
					answers <- b.renew(refresh)
					b.Stats()
				})
			}
			group.Wait()
			close(answers)
			good, successors := 0, make(map[string]bool)
			for a := range answers {
				if a.status == 200 {
					good++
					successors[str(a.json(t), "refresh_token")] = true
				}
			}
			if good != test.good || len(successors) != 1 {
				t.Errorf("%d answers with %d different refresh tokens, want %d with 1", good, len(successors), test.good)
			}
			got := b.stats()
			if got.RefreshTokens != test.want.RefreshTokens || got.Redemptions != test.want.Redemptions ||
				got.Replays != test.want.Replays || got.Reuses != test.want.Reuses || got.Ended != test.want.Ended {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// TestManyRefreshes holds that no used refresh token is forgotten, and of the
// access tokens only those that have expired, when there are many of them.
func TestManyRefreshes(t *testing.T) {
	c := newClock()
	d := dropboxtest.New(dropboxtest.WithReuseDetection(), dropboxtest.WithClock(c.Now),
		dropboxtest.WithAccessTokenTTL(time.Minute))
	refresh := func(token string) map[string]any {
		r, w := request(t, "POST", "/oauth2/token", values("grant_type", "refresh_token",
			"refresh_token", token, "client_id", dropboxtest.DefaultClientID).Encode())
		d.ServeHTTP(w, r)
		var out map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	call := func(token string) string {
		r, w := request(t, "POST", "/2/check/user", checkQuery)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		d.ServeHTTP(w, r)
		return summary(t, w)
	}
	first := d.RefreshToken(d.User().AccountID)
	kept := d.LegacyToken(d.User().AccountID)
	got := refresh(first)
	early := str(got, "access_token")
	for range 10_000 {
		got = refresh(str(got, "refresh_token"))
	}
	if s := call(early); s != "" {
		t.Errorf("an access token that has not expired: %s", s)
	}
	c.Advance(time.Minute)
	if s := call(early); s != "expired_access_token" {
		t.Errorf("one that has: %s", s)
	}
	late := str(got, "access_token")
	got = refresh(str(got, "refresh_token"))
	if s := call(early); s != "invalid_access_token" {
		t.Errorf("one that has long expired: %s", s)
	}
	if s := call(late); s != "expired_access_token" {
		t.Errorf("one that has just expired: %s", s)
	}
	for _, token := range []string{kept, str(got, "access_token")} {
		if s := call(token); s != "" {
			t.Errorf("one that is good: %s", s)
		}
	}
	if refresh(first)["error"] != "invalid_grant" || d.Stats()[0].Ended != "reuse" {
		t.Errorf("the first refresh token of %s was forgotten", d.Stats()[0])
	}
}

// summary returns the tag of an API error, or "" for none.
func summary(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Code == 200 {
		return ""
	}
	_, rest, _ := strings.Cut(w.Body.String(), `{".tag":"`)
	tag, _, found := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("answer %d %s", w.Code, w.Body)
	}
	return tag
}
