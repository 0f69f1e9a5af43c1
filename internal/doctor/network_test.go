//go:build linux

package doctor_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/doctor"
)

func TestServer(t *testing.T) {
	for name, c := range map[string]struct {
		fault    string
		id       string
		severity doctor.Severity
	}{
		"fault":          {"token:server-error", "server-fault", doctor.Warn},
		"rate limit":     {"token:rate-limit", "server-fault", doctor.Warn},
		"captive portal": {"token:captive-portal", "not-the-server", doctor.Fail},
		"redirect":       {"token:redirect", "not-the-server", doctor.Fail},
		"reset":          {"token:reset-before-commit", "unreachable", doctor.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, nil, dropboxtest.WithFault(c.fault))
			want(t, w.examine(), c.id, c.severity)
		})
	}
}

func TestServerThatCannotBeReached(t *testing.T) {
	w := newWard(t, nil)
	w.link("default", inPlaintext)
	w.dropbox.Close()
	report := w.examine()
	want(t, report, "refused", doctor.Fail, "curl")
	want(t, report, "token-unknown", doctor.Fail)
	if worst, _ := report.Worst("default"); worst.Cause != doctor.Unreachable {
		t.Errorf("the worst is %+v", worst)
	}
	report = w.examine(func(p *doctor.Patient) { p.Offline = true })
	want(t, report, "offline", doctor.Note)
	wantNoFail(t, report)
}

func TestTLS(t *testing.T) {
	w := newWard(t, nil)
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	w.at(server.URL)
	want(t, w.examine(), "tls-unknown", doctor.Fail, "ca-certificates")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = plain.Serve(listener) }()
	defer plain.Close()
	w.at("https://" + listener.Addr().String())
	want(t, w.examine(), "tls-none", doctor.Fail)
}

func TestClock(t *testing.T) {
	for name, c := range map[string]struct {
		off      time.Duration
		id       string
		severity doctor.Severity
		says     string
	}{
		"right":       {0, "clock", doctor.OK, ""},
		"behind":      {2 * time.Minute, "clock-off", doctor.Warn, "behind"},
		"far behind":  {25 * time.Hour, "clock-off", doctor.Fail, "timedatectl"},
		"far ahead":   {-time.Hour, "clock-off", doctor.Fail, "ahead"},
		"a bit ahead": {-20 * time.Second, "clock", doctor.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t, nil, dropboxtest.WithClock(func() time.Time { return time.Now().Add(c.off) }))
			want(t, w.examine(), c.id, c.severity, c.says)
		})
	}
}

func TestProxies(t *testing.T) {
	w := newWard(t, nil)
	want(t, w.examine(), "proxy-none", doctor.OK)
	env := func(values map[string]string) func(*doctor.Patient) {
		return func(p *doctor.Patient) { p.Getenv = func(name string) string { return values[name] } }
	}
	report := w.examine(env(map[string]string{"HTTPS_PROXY": "http://ada:hunter2@proxy.example:3128", "NO_PROXY": "localhost", "ALL_PROXY": "socks5://bob:hunter3@x"}))
	want(t, report, "proxy-set", doctor.Note, "http://***@proxy.example:3128", "NO_PROXY")
	want(t, report, "proxy-ignored", doctor.Note, "ALL_PROXY")
	if text := shown(report); strings.Contains(text, "hunter") || strings.Contains(text, "ada:") {
		t.Errorf("the report shows who uses the proxy:\n%s", text)
	}
	want(t, w.examine(env(map[string]string{"https_proxy": "http://%zz:hunter2@"})), "proxy-malformed", doctor.Fail, "unset https_proxy")
}
