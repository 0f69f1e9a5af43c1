package dropboxtest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
)

func TestStatsOverHTTP(t *testing.T) {
	c := newClock()
	b := start(t, dropboxtest.WithClock(c.Now), dropboxtest.WithReuseDetection(), dropboxtest.WithFault("all:hang"))
	b.ClearFaults()
	if a := b.get("/_emulator/stats"); a.body != "[]" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("without a grant: %s", a.body)
	}
	linked := b.link()
	refresh := str(linked, "refresh_token")
	b.renew(refresh)
	c.Advance(time.Second)
	b.renew(refresh)
	legacy := b.LegacyToken(b.User().AccountID)
	online := str(b.link("token_access_type", "online"), "access_token")
	b.api(online, "auth/token/revoke", "null")
	b.ResetRequests()
	b.SetFault("all:hang")

	a := b.get("/_emulator/stats")
	for _, s := range []string{refresh, str(linked, "access_token"), legacy, online} {
		if strings.Contains(a.body, s) {
			t.Error("the counts hold a token")
		}
	}
	var got []dropboxtest.Stats
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	at := newClock().Now()
	id, user := dropboxtest.DefaultClientID, b.User().AccountID
	want := []dropboxtest.Stats{
		{Number: 1, ClientID: id, AccountID: user, AccessType: "offline", Created: at,
			RefreshTokens: 2, Redemptions: 1, Reuses: 1, Ended: "reuse", EndedAt: at.Add(time.Second)},
		{Number: 2, ClientID: id, AccountID: user, AccessType: "legacy", Created: at.Add(time.Second), AccessTokens: 1},
		{Number: 3, ClientID: id, AccountID: user, AccessType: "online", Created: at.Add(time.Second),
			Ended: "client", EndedAt: at.Add(time.Second)},
	}
	if !slices.Equal(got, want) || !slices.Equal(b.Stats(), want) {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if got, want := got[0].String(), "grant 1: 2 refresh tokens minted, 1 redemptions, 0 replays, 1 reuses, ended by reuse"; got != want {
		t.Errorf("String = %s", got)
	}
	if n := b.Revoke(user); n != 1 || b.Stats()[1].Ended != "user" {
		t.Errorf("after the user ended %d: %v", n, b.Stats()[1])
	}
	if a := b.do(b.request("POST", "/_emulator/stats", nil)); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
	if log := b.Requests(); len(log) != 0 {
		t.Errorf("the log holds who asked for the counts: %v", log)
	}
}

func TestStatsAreBounded(t *testing.T) {
	d := dropboxtest.New()
	user := d.User().AccountID
	standing := d.RefreshToken(user)
	if standing == "" {
		t.Fatal("no refresh token")
	}
	bob := d.SetUser(dropboxtest.User{GivenName: "Bob"}).AccountID
	for range 1_100 {
		d.RefreshToken(bob)
		d.Revoke(bob)
	}
	got := d.Stats()
	if len(got) != 1_001 || got[0].Number != 1 || got[0].Ended != "" || got[1].Number != 102 || got[1000].Number != 1_101 {
		t.Errorf("counts of %d grants, the first %s, the last %s", len(got), got[0], got[len(got)-1])
	}
}
