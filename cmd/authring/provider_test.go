package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authring/authring/oauthtest"
)

type oauthServer struct {
	*oauthtest.Server
	moved atomic.Bool
}

// oauthCommand, in a script, is another server than Dropbox:
//
//	oauth start NAME OPTION...  starts one, whose issuer is then $NAME; the options are
//	                            secret, post, rotate, openid, path, nouserinfo, odd, hosts and plain
//	oauth grants NAME N         it has N grants that are valid
//	oauth move NAME             it names another token endpoint from now on
//	oauth visit NAME FILE OUT   the user opens the last page of FILE there; OUT gets the
//	                            address at which the browser ends
func oauthCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: oauth start|grants|move|visit NAME ...")
	}
	name, rest := args[1], args[2:]
	if args[0] == "start" {
		server := startOAuth(ts, rest)
		ts.Setenv(name, server.Issuer())
		ts.Defer(server.Close)
		oauthServers(ts)[name] = server
		return
	}
	server := oauthServers(ts)[name]
	if server == nil {
		ts.Fatalf("there is no server %s", name)
	}
	switch args[0] {
	case "grants":
		if n := fmt.Sprint(server.Grants()); n != rest[0] {
			ts.Fatalf("there are %s grants, want %s", n, rest[0])
		}
	case "move":
		server.moved.Store(true)
	case "visit":
		pages := regexp.MustCompile(regexp.QuoteMeta(server.URL)+`/authorize\?[^\s"]+`).FindAllString(ts.ReadFile(rest[0]), -1)
		if len(pages) == 0 {
			ts.Fatalf("there is no address in %s", rest[0])
		}
		end, err := server.Approve(pages[len(pages)-1])
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(rest[1]), []byte(end+"\n"), 0o600))
	default:
		ts.Fatalf("oauth does not know %q", args[0])
	}
}

func startOAuth(ts *testscript.TestScript, options []string) *oauthServer {
	s := &oauthServer{}
	var o oauthtest.Options
	hosts, plain := false, false
	for _, option := range options {
		switch option {
		case "secret":
			o.ClientID, o.ClientSecret = "client:1", "p+ss w/rd-of-the-client"
		case "post":
			o.AuthPost = true
		case "rotate":
			o.Rotate = true
		case "openid":
			o.OpenID = true
		case "path":
			o.Path = "/tenant"
		case "nouserinfo":
			o.NoUserinfo = true
		case "odd":
			o.Answer = func(answer map[string]any) {
				answer["token_type"] = "BEARER"
				delete(answer, "expires_in")
				answer["scope"] = strings.Fields(fmt.Sprint(answer["scope"]))
			}
		case "hosts":
			hosts = true
		case "plain":
			plain = true
		case "par":
			o.RequirePAR = true
		case "dpop":
			o.DPoP, o.Nonces = true, true
		case "idtoken":
			o.IDToken = func(map[string]any) {}
		case "less":
			o.Answer = func(answer map[string]any) { answer["scope"] = "openid" }
		case "ending":
			o.Answer = func(answer map[string]any) { answer["refresh_token_expires_in"] = 10 * 24 * 60 * 60 }
		default:
			ts.Fatalf("there is no option %q", option)
		}
	}
	o.Describe = func(document map[string]any) {
		if s.moved.Load() {
			document["token_endpoint"] = "https://tokens.example.org/token"
		}
		if plain {
			document["code_challenge_methods_supported"] = []string{"plain"}
		}
		if hosts {
			document["jwks_uri"] = "https://keys.example.org/keys"
		}
	}
	s.Server = oauthtest.NewServer(o)
	return s
}

type oauthKey struct{}

func oauthServers(ts *testscript.TestScript) map[string]*oauthServer {
	servers, _ := ts.Value(oauthKey{}).(map[string]*oauthServer)
	return servers
}
