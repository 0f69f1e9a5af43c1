package doctor

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/authring/authring/internal/cure"
)

// proxies tells of the variables that name one. User names and passwords in
// them are not shown.
func (e *examination) proxies() []Finding {
	var set []string
	var found []Finding
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"} {
		value := e.Getenv(name)
		if value == "" || isOther(name) {
			continue
		}
		if strings.EqualFold(name, "NO_PROXY") {
			set = append(set, name)
			continue
		}
		address, ok := shownProxy(value)
		if !ok {
			found = append(found, Finding{ID: "proxy-malformed", Severity: Fail, Cause: Unreachable, Title: "The variable " + name + " is not the address of a proxy",
				Cure: cure.Unset(name)})
			continue
		}
		set = append(set, name+"="+address)
	}
	for _, name := range []string{"ALL_PROXY", "all_proxy"} {
		if e.Getenv(name) != "" && !isOther(name) {
			found = append(found, Finding{ID: "proxy-ignored", Severity: Note, Title: "The variable " + name + " is not used",
				Detail: "HTTPS_PROXY is", Cure: cure.Take("HTTPS_PROXY", name)})
		}
	}
	if len(set) == 0 && slices.ContainsFunc(found, func(f Finding) bool { return f.ID == "proxy-malformed" }) {
		return found
	}
	if len(set) == 0 {
		return append(found, Finding{ID: "proxy-none", Title: "No proxy is set"})
	}
	f := Finding{ID: "proxy-set", Severity: Note, Title: "A proxy is set", Detail: strings.Join(set, ", "), Cure: cure.Proxies}
	if req, err := http.NewRequest(http.MethodPost, e.Provider.TokenURL, nil); err == nil {
		if used, err := http.ProxyFromEnvironment(req); err == nil && used == nil {
			f.Title = "A proxy is set, and is not used for " + e.Provider.Title
		}
	}
	return append(found, f)
}

// isOther reports whether a name in small letters is another way to write one
// in capitals.
func isOther(name string) bool { return namesFold && name != strings.ToUpper(name) }

// proxyVariables are those that are set of the two that name the proxy for an
// address.
func (e *examination) proxyVariables(endpoint *url.URL) []string {
	var set []string
	for _, name := range []string{strings.ToUpper(endpoint.Scheme) + "_PROXY", endpoint.Scheme + "_proxy"} {
		if e.Getenv(name) != "" && !isOther(name) {
			set = append(set, name)
		}
	}
	return set
}

// shownProxy is the address of a proxy without what is secret in it.
func shownProxy(value string) (address string, ok bool) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		// "If the value has no scheme, http is assumed", says net/http.
		if u, err = url.Parse("http://" + value); err != nil || u.Host == "" {
			return "", false
		}
	}
	who := ""
	if u.User != nil {
		who = "***@"
	}
	return u.Scheme + "://" + who + u.Host, true
}
