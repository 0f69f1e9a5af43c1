//go:build unix

package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/proxy"
)

func TestListenUnix(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	path := filepath.Join(dir, "sock")
	listener, err := proxy.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %o", name, info.Mode(), err, want)
		}
	}
	if _, err := proxy.ListenUnix(path); !errors.Is(err, proxy.ErrAddress) {
		t.Errorf("a second proxy at the same place: %v", err)
	}
	// One that was killed leaves its socket behind.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = listener.Close()
	if listener, err = proxy.ListenUnix(path); err != nil {
		t.Fatalf("what a dead proxy left is in the way: %v", err)
	}
	_ = listener.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestListenUnixRefuses(t *testing.T) {
	private := t.TempDir()
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(private, "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(private, "link")
	if err := os.Symlink(private, link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(private, "file")
	if err := os.WriteFile(file, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a folder that others can look into": filepath.Join(open, "sock"),
		"a folder behind a link":             filepath.Join(link, "sock"),
		"a file":                             file,
		"a long path":                        filepath.Join(private, strings.Repeat("x", 120)),
	} {
		if _, err := proxy.ListenUnix(path); !errors.Is(err, proxy.ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, _ := os.ReadFile(file); string(got) != "theirs" {
		t.Errorf("the file holds %q", got)
	}
}

func TestListenLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1", "", "evil@127.0.0.1:0"} {
		if listener, err := proxy.ListenLoopback(address); !errors.Is(err, proxy.ErrAddress) {
			t.Errorf("%q: %v", address, err)
			if err == nil {
				_ = listener.Close()
			}
		}
	}
}

// Over a socket there is no secret; its folder keeps others out.
func TestOverASocket(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host+r.URL.Path) })
	p, err := proxy.New(proxy.Config{Provider: u.provider, Token: (&tokens{}).get})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run", "sock")
	listener, err := proxy.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx, listener) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	client := &http.Client{Transport: transport}
	for address, want := range map[string]string{
		"http://localhost/2/x":               host(u.api) + "/2/x",
		"http://" + host(u.content) + "/2/x": host(u.content) + "/2/x",
		"http://evil.example/2/x":            "",
	} {
		resp, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if want == "" && resp.StatusCode != http.StatusMisdirectedRequest || want != "" && string(body) != want {
			t.Errorf("%s: %d %q, want %q", address, resp.StatusCode, body, want)
		}
	}
	transport.CloseIdleConnections()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
