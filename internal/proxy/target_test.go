package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/provider"
)

// The endpoints of a server that was described by itself make and end tokens,
// too, and are refused without being named for it.
func TestTheServersOwnEndpoints(t *testing.T) {
	const home = "https://as.example.org"
	p, err := proxy.New(proxy.Config{Provider: &provider.Provider{
		Name: "x", Title: "X", AuthURL: home + "/login/authorize", TokenURL: home + "/token", DeviceURL: home + "/device/",
		PARURL: home + "/par", RevokeURL: home + "/revoke", UserinfoURL: home + "/userinfo", Hosts: []string{"as.example.org"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/token", "/Token/", "/revoke", "/device", "/par;v=1", "/login/authorize", "/as.example.org/revoke"} {
		answer := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, path, nil)
		r.Host = "localhost"
		p.ServeHTTP(answer, r)
		if answer.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}
