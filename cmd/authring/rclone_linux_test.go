package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

// The real rclone reads an exported remote, and uses its access token.
func TestRcloneUsesTheExport(t *testing.T) {
	needs.Programs(t, "rclone")
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	section, stderr := p.want(0, "", "export", "rclone", "--yes", "--remote", "box")
	if !strings.Contains(stderr, "rclone 1.67 and newer") {
		t.Errorf("export says:\n%s", stderr)
	}
	conf := filepath.Join(p.home, "rclone.conf")
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save(section)
	api := newAPI(t)

	out := p.rclone(t, api, "config", "dump", "--config", conf)
	var remotes map[string]map[string]string
	if err := json.Unmarshal([]byte(out), &remotes); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	var token struct {
		Access  string    `json:"access_token"`
		Refresh string    `json:"refresh_token"`
		Type    string    `json:"token_type"`
		Expiry  time.Time `json:"expiry"`
	}
	if err := json.Unmarshal([]byte(remotes["box"]["token"]), &token); err != nil || remotes["box"]["type"] != "dropbox" ||
		token.Refresh == "" || token.Type != "bearer" || !token.Expiry.After(time.Now()) {
		t.Fatalf("rclone reads %v, %v", remotes, err)
	}

	p.rclone(t, api, "lsd", "box:", "--config", conf)
	if got := api.authorization(); got != "Bearer "+token.Access {
		t.Error("rclone does not use the access token that was exported")
	}

	// It renews the token by itself, from the version on that help names.
	old := regexp.MustCompile(`"expiry":"[^"]*"`).ReplaceAllString(section, `"expiry":"2020-01-01T00:00:00Z"`)
	save(old)
	err := p.tryRclone(t, api, "lsd", "box:", "--config", conf, "--dropbox-token-url", p.dropbox.URL+"/oauth2/token")
	if renews := rcloneVersion(t) >= 67; renews != (err == nil) {
		t.Errorf("rclone 1.%d renews the access token: %v", rcloneVersion(t), err)
	}
	// Whatever rclone did, the link is good.
	p.want(0, "", "token")
}

// The real rclone wrote it, and we read it.
func TestImportWhatRcloneWrote(t *testing.T) {
	needs.Programs(t, "rclone")
	p := newPerson(t)
	refresh := p.dropbox.RefreshToken(p.dropbox.User().AccountID)
	api := newAPI(t)
	conf := filepath.Join(p.home, "rclone.conf")
	p.rclone(t, api, "config", "create", "box", "dropbox", "--config", conf, "--non-interactive",
		"client_id", "2jmbq42w7vof78h", "config_is_local", "false", "config_refresh_token", "false",
		"token", fmt.Sprintf(`{"access_token":"sl.x","token_type":"bearer","refresh_token":%q,"expiry":"2020-01-01T00:00:00Z"}`, refresh))
	p.want(0, "", "import", "rclone", "--config", conf, "--yes", "--keyring", "plaintext")
	p.want(0, "", "token", "-c", "box")

	// What it encrypted is left to it.
	p.encrypt(t, api, conf)
	if _, stderr := p.want(64, "", "import", "rclone", "--config", conf, "--relink", "--yes"); !strings.Contains(stderr, "encrypted by rclone") {
		t.Errorf("import says:\n%s", stderr)
	}
	p.want(0, "", "token", "-c", "box")
}

// encrypt gives rclone's configuration a password, in rclone's dialog.
func (p *person) encrypt(t *testing.T, api *api, conf string) {
	t.Helper()
	cmd := p.rcloneCommand(t, api, "config", "--config", conf)
	answers, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = tell, tell
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tell.Close()
	for _, step := range [][2]string{{"/q> ", "s"}, {"/q> ", "a"}, {"\npassword:", "pw"}, {"\npassword:", "pw"}, {"/q> ", "q"}, {"/q> ", "q"}} {
		text, letter := "", make([]byte, 1)
		for !strings.HasSuffix(text, step[0]) {
			if _, err := said.Read(letter); err != nil {
				t.Fatalf("rclone does not ask %q: %v: %s", step[0], err, text)
			}
			text += string(letter)
		}
		if _, err := io.WriteString(answers, step[1]+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	_ = said.Close()
}

func rcloneVersion(t *testing.T) int {
	t.Helper()
	out, err := exec.Command("rclone", "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`rclone v1\.(\d+)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("no version in %s", out)
	}
	minor, _ := strconv.Atoi(string(found[1]))
	return minor
}

func (p *person) rclone(t *testing.T, api *api, args ...string) string {
	t.Helper()
	cmd := p.rcloneCommand(t, api, args...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("rclone %s: %v: %s", args[0], err, out)
	}
	return string(out)
}

func (p *person) tryRclone(t *testing.T, api *api, args ...string) error {
	t.Helper()
	return p.rcloneCommand(t, api, args...).Run()
}

// rcloneCommand is rclone with no way to anywhere but this machine: all that
// goes to Dropbox goes to api.
func (p *person) rcloneCommand(t *testing.T, api *api, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "rclone", append(args, "--ca-cert", api.certificate, "--retries", "1", "--low-level-retries", "1")...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.home, "HTTPS_PROXY=" + api.proxy, "HTTP_PROXY=" + api.proxy}
	return cmd
}

// api is what rclone takes for Dropbox's interface: every folder is empty. It
// stands behind a proxy, which brings every connection there.
type api struct {
	proxy       string
	certificate string // the file with the certificate to trust

	mu     sync.Mutex
	header string
}

func (a *api) authorization() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.header
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{certificate: filepath.Join(t.TempDir(), "ca.pem")}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.header = r.Header.Get("Authorization")
		a.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"entries":[],"cursor":"c","has_more":false}`)
	}))
	server.TLS = certificateFor(t, a.certificate, "api.dropboxapi.com")
	server.StartTLS()
	t.Cleanup(server.Close)

	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "nothing but TLS", http.StatusForbidden)
			return
		}
		there, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			http.Error(w, "gone", http.StatusBadGateway)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			_ = there.Close()
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
		_, _ = io.Copy(here, there)
		_ = here.Close()
	}))
	t.Cleanup(proxy.Close)
	a.proxy = proxy.URL
	return a
}
