package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/record"
)

const (
	// skewNote and skewBound are how far the clock may be off: by the first
	// nothing suffers, by the second certificates and codes do.
	skewNote  = time.Minute
	skewBound = 5 * time.Minute
)

// network asks the server something that needs no token, and looks at what
// stands between.
func (e *examination) network(ctx context.Context) []Finding {
	if e.ProviderErr != nil {
		return []Finding{{
			ID: "provider-unknown", Severity: Fail, Config: e.Config, Title: fmt.Sprintf("What is to be known of the provider of %q cannot be had", e.Config),
			Detail: e.ProviderErr.Error(), Cure: e.knownProviders(),
		}}
	}
	found := e.proxies()
	endpoint, err := url.Parse(e.Provider.TokenURL)
	if err != nil {
		return append(found, Finding{ID: "endpoint", Severity: Fail, Title: "The address of the server is not a URL", Cure: e.showProvider()})
	}
	if override := e.Getenv("AUTHRING_DROPBOX_URL"); override != "" {
		found = append(found, Finding{ID: "emulated", Severity: Note, Title: "AUTHRING_DROPBOX_URL sends every request elsewhere",
			Detail: "to " + endpoint.Host, Cure: cure.Unset("AUTHRING_DROPBOX_URL")})
	}
	if e.Offline {
		return append(found, Finding{ID: "offline", Severity: Note, Title: "The server was not asked (--offline)", Cure: e.Command(e.Config, "doctor")})
	}
	return append(found, e.server(ctx, endpoint)...)
}

// stage is how far a request has come.
type stage int32

const (
	awaitsNothing stage = iota
	awaitsName
	awaitsConnection
	awaitsProxy // or, without one, what comes next
	awaitsTLS
	awaitsAnswer
)

// server sends a token request that says nothing (RFC 6749 section 5.2: such a
// one is answered with an error in JSON), as what answers that is the endpoint
// itself, and no page of the network's.
func (e *examination) server(ctx context.Context, endpoint *url.URL) []Finding {
	var secured *tls.ConnectionState
	var reached atomic.Int32
	trace := &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { reached.Store(int32(awaitsName)) },
		ConnectStart: func(string, string) { reached.Store(int32(awaitsConnection)) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				reached.Store(int32(awaitsProxy))
			}
		},
		TLSHandshakeStart: func() { reached.Store(int32(awaitsTLS)) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			if err == nil {
				secured = &state
			}
		},
		GotConn: func(httptrace.GotConnInfo) { reached.Store(int32(awaitsAnswer)) },
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, endpoint.String(), strings.NewReader(""))
	if err != nil {
		return []Finding{{ID: "endpoint", Severity: Fail, Title: "The address of the server is not a URL", Cure: e.showProvider()}}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	sent := time.Now()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return []Finding{e.unreached(ctx, endpoint, stage(reached.Load()), err)}
	}
	defer resp.Body.Close()
	half := time.Since(sent) / 2
	var found []Finding
	switch kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); {
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusTooManyRequests:
		found = append(found, Finding{ID: "server-fault", Severity: Warn, Cause: Unreachable,
			Title: fmt.Sprintf("%s has a fault: it answers %d", e.Provider.Title, resp.StatusCode), Detail: "nothing is lost by it; try again later",
			Cure: e.Command(e.Config, "token")})
	case kind != "application/json" && kind != "text/javascript":
		return append(found, Finding{ID: "not-the-server", Severity: Fail, Cause: Unreachable,
			Title:  fmt.Sprintf("Something else answers in the place of %s", e.Provider.Title),
			Detail: fmt.Sprintf("with %d and %s: the sign-in page of a network, or a proxy", resp.StatusCode, orWord(kind, "nothing")),
			Cure:   e.head(endpoint)})
	default:
		found = append(found, Finding{ID: "server-answers", Title: e.Provider.Title + " answers", Detail: endpoint.Host})
	}
	if secured != nil {
		found = append(found, encrypted(secured))
	}
	return append(found, e.clock(endpoint, resp.Header.Get("Date"), sent.Add(half))...)
}

// encrypted tells who vouches for the server: a name that is not that of a
// public authority is one that reads along.
func encrypted(state *tls.ConnectionState) Finding {
	f := Finding{ID: "tls", Title: "The connection is encrypted (" + tls.VersionName(state.Version) + ")"}
	if len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		issuer := leaf.Issuer.CommonName
		if len(leaf.Issuer.Organization) > 0 {
			issuer = leaf.Issuer.Organization[0] + ", " + issuer
		}
		f.Detail = "certificate by " + issuer + ", until " + leaf.NotAfter.Local().Format(time.DateOnly)
	}
	return f
}

// clock holds the header Date (RFC 9110 section 6.6.1) against this machine.
func (e *examination) clock(endpoint *url.URL, date string, local time.Time) []Finding {
	server, err := http.ParseTime(date)
	if err != nil {
		return []Finding{{ID: "clock-unknown", Severity: Note, Title: "The server does not tell its time", Cure: e.head(endpoint)}}
	}
	off := local.Sub(server).Round(time.Second)
	f := Finding{ID: "clock", Title: "The clock agrees with the server's"}
	if off.Abs() < skewNote {
		return []Finding{f}
	}
	side := "ahead of"
	if off < 0 {
		side = "behind"
	}
	f.ID, f.Severity = "clock-off", Warn
	f.Title = fmt.Sprintf("The clock is %v %s the server's", off.Abs(), side)
	f.Cure = cure.SetClock
	if off.Abs() >= skewBound {
		f.Severity, f.Detail = Fail, "certificates and codes are judged by it"
	}
	return []Finding{f}
}

// unreached says what stands between. No error's own text is told: it may
// quote the address of a proxy, with its password.
func (e *examination) unreached(ctx context.Context, endpoint *url.URL, reached stage, err error) Finding {
	host := endpoint.Hostname()
	f := Finding{ID: "unreachable", Severity: Fail, Cause: Unreachable, Title: e.Provider.Title + " cannot be reached",
		Cure: e.head(endpoint)}
	var dns *net.DNSError
	var operation *net.OpError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
		f.ID, f.Title = "silent", e.Provider.Title+" did not answer"
		switch {
		case reached == awaitsName:
			f.ID, f.Title, f.Cure = "dns-silent", "The name "+host+" was not looked up in time", cure.NameServers
			f.Detail = "the name servers of this system do not answer"
		case reached == awaitsConnection:
			f.Detail = "nothing takes the connection, as behind a firewall"
		case reached == awaitsProxy && len(e.proxyVariables(endpoint)) > 0:
			f.ID, f.Title, f.Cure = "proxy-silent", "The proxy of the environment does not answer", cure.Unset(e.proxyVariables(endpoint)...)
		default:
			f.Detail = "it took the connection"
		}
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		f.ID, f.Detail, f.Cure = "proxy-unreachable", "the proxy of the environment does not take the connection", cure.Unset(e.proxyVariables(endpoint)...)
	case errors.As(err, &dns):
		f.ID, f.Detail, f.Cure = "dns", "its name "+host+" is not found", cure.Resolve(host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		f.ID, f.Detail, f.Cure = "tls-expired", "its certificate is not valid at this time; the clock may be wrong", cure.ShowClock
	case errors.As(err, &authority):
		f.ID, f.Detail, f.Cure = "tls-unknown", "nobody known here vouches for its certificate: a proxy that reads along, or the certificates of this system are missing", cure.Certify(endpoint.Scheme+"://"+endpoint.Host)
	case errors.As(err, &name), errors.As(err, &invalid):
		f.ID, f.Detail = "tls-invalid", "its certificate is for another host, or not valid"
	case errors.As(err, &plain):
		f.ID, f.Detail = "tls-none", "what answers does not speak TLS: the sign-in page of a network, or a proxy"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.ID, f.Detail = "refused", endpoint.Host+" takes no connection"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		f.ID, f.Detail, f.Cure = "no-network", "there is no way to it", cure.Routes
	default:
		f.Detail = "the connection broke"
	}
	return f
}

// head asks the server for no more than its headers.
func (e *examination) head(endpoint *url.URL) string {
	return cure.Head(endpoint.Scheme + "://" + endpoint.Host)
}

// knownProviders tells which providers are known, or has the address that was
// put in the place of Dropbox's forgotten.
func (e *examination) knownProviders() string {
	if e.Provider.Name == record.DefaultProvider && e.Getenv("AUTHRING_DROPBOX_URL") != "" {
		return cure.Unset("AUTHRING_DROPBOX_URL")
	}
	return "authring provider list"
}

func (e *examination) showProvider() string {
	return "authring provider show " + e.Quote(e.Provider.Name)
}

func orWord(text, word string) string {
	if text == "" {
		return word
	}
	return text
}
