package dropboxtest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/needs"
)

// python is the interpreter for which Debian packages the SDK.
const python = "/usr/bin/python3"

// sdk is the genuine Dropbox SDK for Python in a process of its own, that takes
// the emulator for Dropbox.
type sdk struct {
	*dropboxtest.Dropbox
	t   *testing.T
	in  *json.Encoder
	out *bufio.Scanner
}

func startSDK(t *testing.T, opts ...dropboxtest.Option) *sdk {
	t.Helper()
	needs.Programs(t, python)
	if err := exec.CommandContext(t.Context(), python, "-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('dropbox'))").Run(); err != nil {
		needs.Missing(t, "python3-dropbox")
	}
	d := dropboxtest.New(opts...)
	// The SDK speaks https only. The certificate of httptest is its own
	// authority and names 127.0.0.1.
	server := httptest.NewTLSServer(d)
	t.Cleanup(server.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(authority, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	host := server.Listener.Addr().String()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, python, filepath.Join("testdata", "sdk.py"))
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_PROXY=*", "PYTHONDONTWRITEBYTECODE=1",
		"REQUESTS_CA_BUNDLE=" + authority,
		"DROPBOX_API_HOST=" + host, "DROPBOX_WEB_HOST=" + host,
		"DROPBOX_API_CONTENT_HOST=" + host, "DROPBOX_API_NOTIFY_HOST=" + host,
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // ends the loop of the script
		if err := cmd.Wait(); err != nil {
			t.Errorf("the SDK's process: %v", err)
		}
	})
	return &sdk{Dropbox: d, t: t, in: json.NewEncoder(in), out: bufio.NewScanner(out)}
}

// do runs one command of the script.
func (s *sdk) do(t *testing.T, command string, arguments map[string]any) map[string]any {
	t.Helper()
	message := map[string]any{"do": command}
	maps.Copy(message, arguments)
	if err := s.in.Encode(message); err != nil {
		t.Fatal(err)
	}
	if !s.out.Scan() {
		t.Fatalf("%s: no answer: %v", command, s.out.Err())
	}
	var answer map[string]any
	if err := json.Unmarshal(s.out.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// good runs a command that must succeed.
func (s *sdk) good(t *testing.T, command string, arguments map[string]any) map[string]any {
	t.Helper()
	answer := s.do(t, command, arguments)
	if answer["error"] != nil {
		t.Fatalf("%s: %v", command, answer)
	}
	return answer
}

// bad runs a command that must fail with an exception of the SDK.
func (s *sdk) bad(t *testing.T, exception, tag, command string, arguments map[string]any) map[string]any {
	t.Helper()
	answer := s.do(t, command, arguments)
	if answer["error"] != exception || tag != "" && answer["tag"] != tag {
		t.Errorf("%s: %v, want %s %s", command, answer, exception, tag)
	}
	return answer
}

type args = map[string]any

// pkce is how Maestral starts a link.
func pkce(more args) args {
	out := args{"app_key": dropboxtest.DefaultClientID, "use_pkce": true, "token_access_type": "offline"}
	maps.Copy(out, more)
	return out
}

// link goes through the flow and returns the result.
func (s *sdk) link(t *testing.T, start args) args {
	t.Helper()
	code, err := s.Approve(str(s.good(t, "start", start), "url"))
	if err != nil {
		t.Fatal(err)
	}
	return s.good(t, "finish", args{"result": code})
}

func opened(linked args) args {
	return args{"oauth2_refresh_token": linked["refresh_token"], "app_key": dropboxtest.DefaultClientID}
}

// TestGenuineSDK holds the emulator against the SDK that Maestral is built on.
func TestGenuineSDK(t *testing.T) {
	secretive := confidentialApp()
	secret := args{"app_key": secretive.ClientID, "consumer_secret": secretive.Secret}
	s := startSDK(t, dropboxtest.WithApp(dropboxtest.DefaultApp()), dropboxtest.WithApp(secretive))
	ada := dropboxtest.DefaultUser()

	t.Run("link, call, refresh, revoke", func(t *testing.T) {
		linked := s.link(t, pkce(nil))
		if linked["account_id"] != ada.AccountID || linked["user_id"] != ada.UID || linked["expires"] != true ||
			linked["scope"] != strings.Join(dropboxtest.DefaultApp().Scopes, " ") || linked["refresh_token"] == "" {
			t.Errorf("account %v, user %v, scope %v", linked["account_id"], linked["user_id"], linked["scope"])
		}
		s.good(t, "open", opened(linked))
		got := s.good(t, "account", nil)
		if got["account_id"] != ada.AccountID || got["email"] != ada.Email || got["name"] != "Ada Lovelace" ||
			got["basic"] != true || got["root"] != "UserRootInfo" {
			t.Errorf("account %v", got)
		}
		if got := s.good(t, "check", args{"query": "foo"}); got["result"] != "foo" {
			t.Errorf("check %v", got)
		}
		if got := s.good(t, "refresh", nil); got["changed"] != true {
			t.Error("refresh left the access token")
		}
		s.ResetRequests()
		s.ExpireAccessTokens()
		s.good(t, "account", nil) // refreshes by itself after 401 expired_access_token
		var statuses []int
		for _, r := range s.Requests() {
			statuses = append(statuses, r.Status)
		}
		if len(statuses) != 3 || statuses[0] != 401 || statuses[1] != 200 || statuses[2] != 200 {
			t.Errorf("statuses %v, want 401, 200 for the refresh, 200", statuses)
		}
		s.good(t, "revoke", nil)
		if got := s.bad(t, "AuthError", "invalid_access_token", "account", nil); len(str(got, "request_id")) != 32 {
			t.Errorf("request id %v", got["request_id"])
		}
		s.bad(t, "AuthError", "invalid_access_token", "revoke", nil)
		s.bad(t, "AuthError", "invalid_access_token", "refresh", nil)
		s.good(t, "open", args{"oauth2_access_token": linked["access_token"]})
		s.bad(t, "AuthError", "invalid_access_token", "account", nil)
		if n := len(s.Grants()); n != 0 {
			t.Errorf("%d grants after the revocation", n)
		}
	})
	t.Run("codes", func(t *testing.T) {
		s.good(t, "start", pkce(nil))
		if got := s.bad(t, "HTTPError", "", "finish", args{"result": "wrong"}); got["status"] != 400.0 ||
			!strings.Contains(str(got, "body"), "code doesn't exist or has expired") {
			t.Errorf("wrong code: %v", got)
		}
		url := str(s.good(t, "start", pkce(args{"locale": "de"})), "url")
		code, err := s.Approve(url)
		if err != nil {
			t.Fatal(err)
		}
		s.good(t, "finish", args{"result": code})
		s.bad(t, "HTTPError", "", "finish", args{"result": code})
		s.good(t, "start", pkce(nil)) // another verifier
		if code, err = s.Approve(url); err != nil {
			t.Fatal(err)
		}
		if got := s.bad(t, "HTTPError", "", "finish", args{"result": code}); !strings.Contains(str(got, "body"), "invalid code verifier") {
			t.Errorf("another verifier: %v", got)
		}
	})
	t.Run("scopes", func(t *testing.T) {
		linked := s.link(t, pkce(args{"scope": []string{"account_info.read", "files.metadata.read"}}))
		if linked["scope"] != "account_info.read files.metadata.read" {
			t.Errorf("scope %v", linked["scope"])
		}
		s.good(t, "open", opened(linked))
		s.good(t, "refresh", args{"scope": []string{"files.metadata.read"}})
		if got := s.bad(t, "AuthError", "missing_scope", "account", nil); got["scope"] != "account_info.read" {
			t.Errorf("required scope %v", got["scope"])
		}
		if got := s.bad(t, "BadInputError", "", "refresh", args{"scope": []string{"sharing.read"}}); !strings.Contains(str(got, "body"), "invalid_scope") {
			t.Errorf("widening: %v", got)
		}
	})
	t.Run("online and legacy", func(t *testing.T) {
		online := s.link(t, pkce(args{"token_access_type": "online"}))
		if online["refresh_token"] != "" || online["expires"] != true {
			t.Error("online has a refresh token or no expiry")
		}
		legacy := args{"token_access_type": "legacy"}
		maps.Copy(legacy, secret)
		linked := s.link(t, legacy)
		if linked["refresh_token"] != "" || linked["expires"] != false {
			t.Error("legacy has a refresh token or an expiry")
		}
		for _, token := range []any{linked["access_token"], s.LegacyToken(ada.AccountID)} {
			s.good(t, "open", args{"oauth2_access_token": token})
			s.good(t, "account", nil)
			s.good(t, "revoke", nil)
			s.bad(t, "AuthError", "invalid_access_token", "account", nil)
		}
	})
	t.Run("client secret", func(t *testing.T) {
		offline := args{"token_access_type": "offline"}
		maps.Copy(offline, secret)
		linked := s.link(t, offline)
		client := args{"oauth2_refresh_token": linked["refresh_token"], "app_key": secretive.ClientID}
		s.good(t, "open", client)
		if got := s.bad(t, "BadInputError", "", "account", nil); !strings.Contains(str(got, "body"), "No auth function available") {
			t.Errorf("without the secret: %v", got)
		}
		client["app_secret"] = "guess"
		s.good(t, "open", client)
		if got := s.bad(t, "BadInputError", "", "account", nil); !strings.Contains(str(got, "body"), "invalid_client") {
			t.Errorf("wrong secret: %v", got)
		}
		client["app_secret"] = secretive.Secret
		s.good(t, "open", client)
		s.good(t, "account", nil)
		delete(client, "oauth2_refresh_token")
		s.good(t, "open", client)
		if got := s.good(t, "check_app", args{"query": "bar"}); got["result"] != "bar" {
			t.Errorf("check_app %v", got)
		}
		s.bad(t, "ApiError", "invalid_oauth1_token_info", "from_oauth1", nil)
	})
	t.Run("redirect", func(t *testing.T) {
		redirected := func(decision string) args {
			start := args{"redirect_uri": redirectURI, "token_access_type": "offline"}
			maps.Copy(start, secret)
			u, err := url.Parse(str(s.good(t, "start", start), "url"))
			if err != nil {
				t.Fatal(err)
			}
			r, w := request(t, "POST", u.RequestURI(), "decision="+decision)
			s.ServeHTTP(w, r)
			to, err := url.Parse(w.Header().Get("Location"))
			if err != nil || w.Code != 302 {
				t.Fatalf("answer %d (%v)", w.Code, err)
			}
			query := args{}
			for name, v := range to.Query() {
				query[name] = v[0]
			}
			return args{"result": query}
		}
		s.bad(t, "NotApprovedException", "", "finish", redirected("deny"))
		s.Revoke(ada.AccountID)
		// The result of this flow has the fields that the script reads.
		if got := s.good(t, "finish", redirected("allow")); got["account_id"] != ada.AccountID {
			t.Errorf("account %v", got["account_id"])
		}
	})
	t.Run("team member", func(t *testing.T) {
		s.SetUser(dropboxtest.User{GivenName: "Grace", Surname: "Hopper", Team: &dropboxtest.Team{Name: "Mark I"}})
		defer s.SignIn(ada.AccountID)
		s.good(t, "open", opened(s.link(t, pkce(nil))))
		if got := s.good(t, "account", nil); got["team"] != "Mark I" || got["root"] != "TeamRootInfo" || got["basic"] != false {
			t.Errorf("account %v", got)
		}
	})
	t.Run("faults", func(t *testing.T) {
		s.good(t, "open", opened(s.link(t, pkce(nil))))
		for _, test := range []struct{ fault, exception, tag, command string }{
			{"v1_retired", "BadInputError", "", "refresh"},
			{"server-error", "InternalServerError", "", "refresh"},
			{"bad-gateway", "InternalServerError", "", "refresh"},
			{"rate-limit=7s", "RateLimitError", "too_many_requests", "refresh"},
			{"reset-before-commit", "ConnectionError", "", "refresh"},
			{"captive-portal", "JSONDecodeError", "", "refresh"},
			{"truncated-json", "JSONDecodeError", "", "refresh"},
			{"api:rate-limit=7s", "RateLimitError", "too_many_requests", "account"},
			{"api:server-error", "InternalServerError", "", "account"},
			{"api:invalid-token", "AuthError", "invalid_access_token", "account"},
		} {
			s.good(t, "refresh", nil)
			s.FaultNext(test.fault, 1)
			got := s.bad(t, test.exception, test.tag, test.command, nil)
			if test.exception == "RateLimitError" && got["backoff"] != 7.0 {
				t.Errorf("backoff %v, want 7", got["backoff"])
			}
			if left := s.Faults(); len(left) != 0 {
				t.Errorf("%s was not met", test.fault)
				s.ClearFaults()
			}
		}
		s.good(t, "account", nil)
		s.Suspend(ada.AccountID, true)
		s.bad(t, "AuthError", "user_suspended", "account", nil)
		s.Suspend(ada.AccountID, false)
	})
}
