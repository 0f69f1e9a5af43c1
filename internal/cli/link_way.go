package cli

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring/internal/callback"
)

// The ways of --way.
const (
	wayAuto    = "auto"
	wayBrowser = "browser"
	wayPaste   = "paste"
	wayDevice  = "device"
)

func ways() []string { return []string{wayAuto, wayBrowser, wayPaste, wayDevice} }

// route is how a person is led through a link.
type route struct {
	// device: by a code that is typed on another device.
	device bool
	// listen are the redirect URIs to wait at, the first that is free; none:
	// the code is pasted.
	listen []string
	// pasted is the redirect URI whose address is pasted, where the user
	// named one and nobody waits at it.
	pasted string
	// open: a browser is opened.
	open bool
}

// chooseRoute looks at what the user asked for, what the provider can do, and
// where this program runs.
func (l *linking) chooseRoute() (route, error) {
	from, here := l.session.Provider(), l.hasBrowser()
	uris := l.redirectURIs()
	r := route{}
	switch l.way {
	case wayDevice:
		if from.DeviceURL == "" {
			return r, usage("link", "%s has no codes for other devices; choose another --way", l.providerTitle())
		}
		r.device = true
	case wayBrowser:
		r.listen, r.open = uris, true
	case wayPaste:
	default:
		switch {
		case from.DeviceURL != "" && len(l.redirects) == 0 && (!here || len(uris) == 0 && !from.NoRedirectCode):
			r.device = true
		case here || len(l.redirects) > 0:
			// Programs that read JSON open the page themselves.
			r.listen, r.open = uris, here && !l.json && !l.noInput
		}
	}
	r.open = r.open && !l.noBrowser
	if len(r.listen) == 0 && len(l.redirects) > 0 {
		r.pasted = l.redirects[0]
	}
	if l.noInput && !r.device && len(r.listen) == 0 {
		return r, usage("link", "--no-input leaves no way to ask for the code; use --begin, and then --finish with the code on standard input")
	}
	return r, nil
}

// redirectURIs are those at which an answer can be waited for: what the user
// named, or what the provider says that programs are registered with.
func (l *linking) redirectURIs() []string {
	uris := l.redirects
	if from := l.session.Provider(); len(uris) == 0 {
		ports := from.RedirectPorts
		if len(ports) == 0 {
			ports = []int{0}
		}
		for _, port := range ports {
			if uri, err := from.RedirectAt(port); err == nil {
				uris = append(uris, uri)
			}
		}
		if len(uris) == 1 && from.RedirectURI == "" && len(from.RedirectPorts) == 0 {
			uris = append(uris, "http://[::1]/") // where there is no IPv4
		}
	}
	// The page of a process that died or gave up may be open still.
	pending, err := l.session.Layout().LoadPending(l.config, time.Now())
	if err == nil && slices.ContainsFunc(uris, func(uri string) bool { return uri != pending.RedirectURI && sameButPort(uri, pending.RedirectURI) }) {
		uris = append([]string{pending.RedirectURI}, uris...)
	}
	return uris
}

// sameButPort reports whether two redirect URIs are the same where the first
// has no port.
func sameButPort(without, with string) bool {
	a, err := url.Parse(without)
	if err != nil || a.Port() != "" {
		return false
	}
	b, err := url.Parse(with)
	if err != nil || b.Port() == "" {
		return false
	}
	b.Host = strings.TrimSuffix(b.Host, ":"+b.Port())
	return a.String() == b.String()
}

// checkWay finds what does not fit together in the flags of this file.
func (o *linkOptions) checkWay() error {
	if !slices.Contains(ways(), o.way) {
		return usage("link", "--way is one of %s", strings.Join(ways(), ", "))
	}
	for _, uri := range o.redirects {
		if err := callback.CheckURI(uri); err != nil {
			return usage("link", "--redirect-uri: %v", err)
		}
	}
	switch {
	case o.way == wayDevice && (o.begin || o.finish):
		return usage("link", "--begin and --finish are for a page with a code to bring back; --way device has none")
	case o.way == wayDevice && len(o.redirects) > 0:
		return usage("link", "--way device needs no --redirect-uri")
	}
	return nil
}
