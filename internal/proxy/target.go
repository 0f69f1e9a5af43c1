package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/authring/authring/provider"
)

// targets are the origins that requests can go to; the first is the one of
// those that name none.
type targets struct {
	origins []*url.URL
	routes  []string // that are refused
}

// newTargets takes the origins that were asked for, or all of a provider's.
func newTargets(from *provider.Provider, asked []*url.URL) (targets, error) {
	if len(asked) == 0 {
		asked = Origins(from)
	}
	if len(asked) == 0 {
		return targets{}, fmt.Errorf("%s %w", from.Title, ErrNoHosts)
	}
	for _, u := range asked {
		if err := checkOrigin(from, u); err != nil {
			return targets{}, err
		}
	}
	return targets{origins: asked, routes: tokenRoutes(from)}, nil
}

// Origins are the hosts of a provider's interface as origins. They have the
// scheme of its token endpoint: plain http is for an emulator on this machine.
func Origins(from *provider.Provider) []*url.URL {
	scheme := "https"
	if token, err := url.Parse(from.TokenURL); err == nil && token.Scheme == "http" {
		scheme = "http"
	}
	var all []*url.URL
	for _, host := range from.Hosts {
		if u := (&url.URL{Scheme: scheme, Host: host}); from.Serves(u) {
			all = append(all, u)
		}
	}
	return all
}

// tokenRoutes are those that the provider names, and its own endpoints, as far as
// they are on hosts that tokens are sent to.
func tokenRoutes(from *provider.Provider) []string {
	routes := slices.Clone(from.TokenRoutes)
	for _, endpoint := range []string{from.AuthURL, from.TokenURL, from.DeviceURL, from.PARURL, from.RevokeURL} {
		u, err := url.Parse(endpoint)
		if err != nil || !from.Serves(u) {
			continue
		}
		if route := strings.TrimSuffix(u.Path, "/"); route != "" {
			routes = append(routes, route)
		}
	}
	return routes
}

// checkOrigin refuses what is no origin, or not the provider's.
func checkOrigin(from *provider.Provider, u *url.URL) error {
	switch {
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("a target must be a scheme and a host, such as https://api.example.com")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return fmt.Errorf("the target at %s must be a scheme and a host alone", u.Host)
	case !from.Serves(u):
		return fmt.Errorf("the access token of %s is not sent to %s://%s, only to: %s", from.Title, u.Scheme, u.Host, strings.Join(from.Hosts, ", "))
	}
	return nil
}

// find returns the origin with a host, or nil.
func (t targets) find(host string) *url.URL {
	i := slices.IndexFunc(t.origins, func(u *url.URL) bool {
		usual := ":443"
		if u.Scheme == "http" {
			usual = ":80"
		}
		return strings.EqualFold(strings.TrimSuffix(u.Host, usual), strings.TrimSuffix(host, usual))
	})
	if i < 0 {
		return nil
	}
	return t.origins[i]
}

func (t targets) named(host string) bool { return t.find(host) != nil }

// route returns where a request goes: to the host that its path begins with,
// as in /content.example.com/2/files; else to the one that its Host header
// names; else to the first.
func (t targets) route(host, escaped string) (*url.URL, *refused) {
	to := t.origins[0]
	if named := t.find(host); named != nil {
		to = named
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(escaped, "/"), "/")
	if name, err := url.PathUnescape(first); err == nil {
		if named := t.find(name); named != nil {
			to, escaped = named, "/"+rest
		}
	}
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, notPlain
	}
	if refusal := t.check(plain); refusal != nil {
		return nil, refusal
	}
	return &url.URL{Scheme: to.Scheme, Host: to.Host, Path: plain, RawPath: escaped}, nil
}

// notPlain: servers could differ on what the path means.
var notPlain = &refused{http.StatusBadRequest, "address", "the path of the request must be written plainly: without . and .. and empty segments"}

// mostDecodings is how many times a path may be encoded.
const mostDecodings = 4

// check refuses paths that are not clean, or are for tokens; also as a server
// would see them that decodes more than once, or has a proxy before it that does.
func (t targets) check(path string) *refused {
	for range mostDecodings {
		if !isClean(path) {
			return notPlain
		}
		if t.guarded(path) {
			return &refused{http.StatusForbidden, "route", "this proxy does not open the routes on which tokens are made or ended"}
		}
		next, err := url.PathUnescape(path)
		if err != nil || next == path {
			return nil // a percent sign is one
		}
		path = next
	}
	return notPlain
}

// isClean reports whether servers cannot differ on what a path means.
func isClean(plain string) bool {
	if !strings.HasPrefix(plain, "/") || strings.ContainsAny(plain, "\\\x00\r\n\t") {
		return false
	}
	for segment := range strings.SplitSeq(plain, "/") {
		// Some servers take parameters off before they go up: "..;x".
		if name, _, found := strings.Cut(segment, ";"); found && strings.Trim(name, ". ") == "" {
			return false
		}
	}
	return plain == "/" || path.Clean(plain) == strings.TrimSuffix(plain, "/")
}

// guarded reports whether a path is on a route that is refused, in whatever
// case it is written, and whatever parameters its segments have.
func (t targets) guarded(plain string) bool {
	var b strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(plain, "/"), "/") {
		name, _, _ := strings.Cut(segment, ";")
		b.WriteString("/" + strings.ToLower(strings.TrimSpace(name)))
	}
	bare := b.String() + "/"
	return slices.ContainsFunc(t.routes, func(route string) bool {
		return strings.HasPrefix(bare, strings.ToLower(route)+"/")
	})
}
