package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/oauthtest"
)

// The contenders that get a token of an agent, or out of a file.
const (
	idSmall = "small"
	idTool  = "tool"
	idGH    = "gh"
	idOIDC  = "oidc"
)

// tokenContenders lists them as the table does.
func tokenContenders(p programs, i item) []contender {
	return []contender{
		{id: idC, name: "C hello-world", kind: floor, command: []string{p.chello}},
		{id: idGo, name: "Go hello-world", kind: floor, command: []string{p.gohello}},
		{id: idSmall, name: "authring-token", kind: agentKind, command: []string{p.small}},
		{id: idTool, name: "authring token", kind: agentKind, command: []string{p.authring, "token"}},
		{id: idOIDC, name: "oidc-token", kind: agentKind, command: []string{"/usr/bin/oidc-token", oidcAccount}},
		{id: idLibsecret, name: "secret-tool lookup", kind: encrypted,
			command: []string{"/usr/bin/secret-tool", "lookup", "service", i.service, "username", i.user}},
		{id: idGH, name: "gh auth token", kind: plainFile, command: []string{"/usr/bin/gh", "auth", "token"}},
	}
}

// loginGH gives GitHub's tool a token, in the file where it keeps them. The
// tool is not asked to use it, only to print it.
func loginGH(d *daemontest.Desk) (env []string, err error) {
	folder := filepath.Join(d.Home, ".config", "gh")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	const hosts = "github.com:\n    user: nobody\n    oauth_token: gho_notatokenofanybody\n    git_protocol: https\n"
	return []string{"GH_CONFIG_DIR=" + folder, "GH_NO_UPDATE_NOTIFIER=1"},
		os.WriteFile(filepath.Join(folder, "hosts.yml"), []byte(hosts), 0o600)
}

const (
	oidcAccount = "bench"
	oidcClient  = "client"
	oidcSecret  = "a-secret-of-nobody"
)

// startOIDC starts Debian's oidc-agent with an account at a server of this
// process. Both end with the run.
func startOIDC(ctx context.Context, h *host, d *daemontest.Desk) (env []string, err error) {
	server := oauthtest.NewServer(oauthtest.Options{
		ClientID: oidcClient, ClientSecret: oidcSecret, OpenID: true,
		Describe: func(document map[string]any) {
			document["scopes_supported"] = []string{"openid", "profile", "offline_access"}
			document["grant_types_supported"] = []string{"authorization_code", "refresh_token"}
		},
	})
	h.Cleanup(server.Close)
	refresh, err := oidcGrant(ctx, server)
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(d.Runtime, "oidc.sock")
	agent := exec.Command("/usr/bin/oidc-agent", "--console", "--socket-path="+socket)
	agent.Env = d.Environ()
	if err := agent.Start(); err != nil {
		return nil, err
	}
	h.Cleanup(func() {
		_ = agent.Process.Kill()
		_ = agent.Wait()
	})
	if err := awaitSocket(socket); err != nil {
		return nil, err
	}
	env = []string{"OIDC_SOCK=" + socket, "OIDC_ENCRYPTION_PW=none"}
	gen := exec.CommandContext(ctx, "/usr/bin/oidc-gen", oidcAccount, "--iss="+server.Issuer(),
		"--client-id="+oidcClient, "--client-secret="+oidcSecret, "--redirect-uri=http://localhost:4711/callback",
		"--scope=openid offline_access", "--rt="+refresh, "--pw-env", "--prompt=none", "--no-url-call", "--flow=refresh")
	gen.Env = d.Environ(env...)
	if out, err := gen.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("oidc-gen: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return env, nil
}

// oidcGrant links with the server as any program does, and returns the refresh
// token.
func oidcGrant(ctx context.Context, server *oauthtest.Server) (string, error) {
	const redirect = "http://127.0.0.1:4711/callback"
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	back, err := server.Approve(server.URL + "/authorize?" + url.Values{
		"client_id": {oidcClient}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"openid offline_access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode())
	if err != nil {
		return "", fmt.Errorf("could not approve the account of oidc-agent: %w", err)
	}
	answer, err := url.Parse(back)
	if err != nil {
		return "", err
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(oidcClient, oidcSecret)
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var tokens struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&tokens); err != nil || tokens.RefreshToken == "" {
		return "", fmt.Errorf("the server gave oidc-agent no refresh token: %s, %v", resp.Status, err)
	}
	return tokens.RefreshToken, nil
}
