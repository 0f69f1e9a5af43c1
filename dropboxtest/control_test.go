package dropboxtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
)

func TestRequestsHoldNoSecret(t *testing.T) {
	c := newClock()
	b := two(t, dropboxtest.WithClock(c.Now))
	code := b.approve(authorize())
	linked := b.exchange(code).json(t)
	refresh, token := str(linked, "refresh_token"), str(linked, "access_token")
	c.Advance(time.Hour)
	b.renew(refresh)
	b.api(token, account, "null")
	b.get(authorize("state", "a-secret-state"))
	secrets := []string{code, refresh, token, verifier, challenge(), appSecret, "a-secret-state"}
	for _, s := range secrets { // a client that puts them everywhere
		for _, path := range []string{"/" + s, "/2/" + s, "/oauth2/" + s, "/2/check/user?access_token=" + s} {
			b.do(b.request("POST", path, nil))
		}
		b.token("grant_type", s)
	}
	b.do(b.request(strings.ToUpper(verifier[:12]), "/oauth2/token", nil))

	a := b.get("/_emulator/requests")
	for _, s := range secrets {
		if strings.Contains(a.body, s) || strings.Contains(fmt.Sprint(b.Requests()), s) {
			t.Errorf("the log holds the secret %.5s…", s)
		}
	}
	var got []dropboxtest.Request
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	at := newClock().Now()
	for i, want := range []dropboxtest.Request{
		{Time: at, Method: "POST", Path: "/oauth2/token", GrantType: "authorization_code", Status: 200},
		{Time: at.Add(time.Hour), Method: "POST", Path: "/oauth2/token", GrantType: "refresh_token", Status: 200},
		{Time: at.Add(time.Hour), Method: "POST", Path: "/2/users/get_current_account", Status: 200},
		{Time: at.Add(time.Hour), Method: "GET", Path: "/oauth2/authorize", Status: 200},
		{Time: at.Add(time.Hour), Method: "POST", Path: "(other)", Status: 404},
		{Time: at.Add(time.Hour), Method: "POST", Path: "/2/(other)", Status: 400},
		{Time: at.Add(time.Hour), Method: "POST", Path: "(other)", Status: 404},
		{Time: at.Add(time.Hour), Method: "POST", Path: "/2/check/user", Status: 400, SecretInURL: true},
		{Time: at.Add(time.Hour), Method: "POST", Path: "/oauth2/token", GrantType: "other", Status: 400},
	} {
		if got[i] != want {
			t.Errorf("entry %d = %+v, want %+v", i, got[i], want)
		}
	}
	if last := got[len(got)-1]; last.Method != "(other)" || last.Status != 405 {
		t.Errorf("last entry %+v", last)
	}
	b.ResetRequests()
	if a := b.get("/_emulator/requests"); a.body != "[]" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("after a reset: %s", a.body)
	}
	if a := b.do(b.request("POST", "/_emulator/requests", nil)); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	d := dropboxtest.New()
	for range 10_050 {
		r, w := request(t, "GET", "/oauth2/nothing", "")
		d.ServeHTTP(w, r)
	}
	if n := len(d.Requests()); n != 10_000 {
		t.Errorf("%d entries", n)
	}
}

func TestRedirectedClientsAreSeen(t *testing.T) {
	b := start(t, dropboxtest.WithFault("redirect"))
	b.client.CheckRedirect = nil // a client that follows
	b.renew(b.RefreshToken(b.User().AccountID))
	log := b.Requests()
	if last := log[len(log)-1]; last.Path != "/_emulator/redirected" || last.Method != "POST" {
		t.Errorf("log %+v", log)
	}
}

func TestUsers(t *testing.T) {
	b := start(t)
	if b.User() != dropboxtest.DefaultUser() {
		t.Errorf("signed in: %+v", b.User())
	}
	eve := b.SetUser(dropboxtest.User{GivenName: "Eve"})
	if len(eve.AccountID) != 40 || eve.UID == "" || eve.Email == "" || b.User() != eve {
		t.Errorf("Eve became %+v", eve)
	}
	if got := b.link(); str(got, "account_id") != eve.AccountID || str(got, "uid") != eve.UID {
		t.Errorf("linked %v", got["account_id"])
	}
	b.SignIn(dropboxtest.DefaultUser().AccountID)
	eve.Email = "eve@example.net"
	b.SetUser(eve)
	token := b.LegacyToken(eve.AccountID)
	if got := b.api(token, account, "null").json(t); got["email"] != "eve@example.net" {
		t.Errorf("email = %v", got["email"])
	}
	for name, f := range map[string]func(){
		"SignIn":       func() { b.SignIn("dbid:nobody") },
		"Suspend":      func() { b.Suspend("dbid:nobody", true) },
		"RefreshToken": func() { b.RefreshToken("dbid:nobody") },
		"apps": func() {
			dropboxtest.New(dropboxtest.WithApp(confidentialApp()), dropboxtest.WithApp(confidentialApp()))
		},
		"users": func() { dropboxtest.New(dropboxtest.WithUser(eve), dropboxtest.WithUser(eve)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took what it must not", name)
				}
			}()
			f()
		}()
	}
	if n := b.Revoke("dbid:nobody"); n != 0 { // and the lock was let go
		t.Errorf("Revoke = %d", n)
	}
}

func TestGrants(t *testing.T) {
	c := newClock()
	b := start(t, dropboxtest.WithClock(c.Now))
	b.link("token_access_type", "online", "scope", "sharing.read")
	b.LegacyToken(b.User().AccountID)
	b.link()
	if got := fmt.Sprint(b.Grants()); strings.Count(got, "1 access tokens") != 3 || !strings.HasPrefix(got, "[online grant of dbid:") {
		t.Errorf("grants %s", got)
	}
	c.Advance(4 * time.Hour)
	got := b.Grants()
	if len(got) != 2 || got[0].AccessType != "legacy" || got[1].AccessType != "offline" || got[1].AccessTokens != 0 ||
		!got[1].Created.Equal(newClock().Now()) {
		t.Errorf("grants after the expiry: %v", got)
	}
}

func TestDateIsTheClocks(t *testing.T) {
	b := start(t, dropboxtest.WithClock(newClock().Now))
	if got := b.get("/").header.Get("Date"); got != "Sun, 01 Mar 2026 12:00:00 GMT" {
		t.Errorf("Date = %q", got)
	}
}

func TestConcurrentClients(t *testing.T) {
	b := start(t)
	const clients = 32
	refresh := b.RefreshToken(b.User().AccountID)
	code := b.approve(authorize())
	won := make(chan int, clients)
	var tokens sync.Map
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			won <- b.exchange(code).status
			got := b.renew(refresh)
			token := str(got.json(t), "access_token")
			if _, twice := tokens.LoadOrStore(token, true); twice || got.status != 200 {
				t.Errorf("refresh: %d, the token was handed out before: %v", got.status, twice)
			}
			if a := b.api(token, "check/user", `{"query":"x"}`); a.status != 200 {
				t.Errorf("check: %s", a.body)
			}
			b.Requests()
			b.Grants()
			b.FaultNext("authorize:hang", 1)
			b.ClearFaults()
		})
	}
	group.Wait()
	close(won)
	n := 0
	for status := range won {
		if status == 200 {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the code was redeemed %d times", n)
	}
	if got := len(b.Requests()); got != 3*clients {
		t.Errorf("%d requests in the log, want %d", got, 3*clients)
	}
	for _, r := range b.Requests() {
		if r.Status == 0 {
			t.Errorf("entry without a status: %+v", r)
		}
	}
}
