package dropboxtest

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Endpoints of a fault, beside the routes of the API.
const (
	endpointToken     = "token"
	endpointCode      = "code"
	endpointRefresh   = "refresh"
	endpointAuthorize = "authorize"
	endpointAPI       = "api"
	endpointAll       = "all"
)

// Fault says which requests go wrong, and how. The package comment gives the
// grammar in which it is written.
type Fault struct {
	// Name is one of [FaultNames].
	Name string
	// Endpoint is token, code, refresh, authorize, api, all, or a route.
	Endpoint string
	// Duration is the argument of the faults that take one.
	Duration time.Duration
	// Count is how many requests are hit; 0 is all of them.
	Count int
}

// String writes the fault as [ParseFault] reads it.
func (f Fault) String() string {
	var b strings.Builder
	if f.Endpoint != endpointToken {
		b.WriteString(f.Endpoint + ":")
	}
	b.WriteString(f.Name)
	if kind, ok := lookupFault(f.Name); ok && f.Duration != kind.duration {
		b.WriteString("=" + f.Duration.String())
	}
	if f.Count > 0 {
		b.WriteString("*" + strconv.Itoa(f.Count))
	}
	return b.String()
}

// ParseFault reads a fault. An error says what is wrong and what there is
// instead.
func ParseFault(spec string) (Fault, error) {
	f := Fault{Endpoint: endpointToken}
	fail := func(format string, args ...any) (Fault, error) {
		return Fault{}, fmt.Errorf("could not read the fault %q: %s", spec, fmt.Sprintf(format, args...))
	}
	rest, count, counted := strings.Cut(spec, "*")
	if counted {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > maxFaultCount {
			return fail("what follows * is a number from 1 to %d", maxFaultCount)
		}
		f.Count = n
	}
	if endpoint, name, found := strings.Cut(rest, ":"); found {
		f.Endpoint, rest = endpoint, name
	}
	switch _, isRoute := lookupRoute(f.Endpoint); f.Endpoint {
	case endpointToken, endpointCode, endpointRefresh, endpointAuthorize, endpointAPI, endpointAll:
	default:
		if !isRoute {
			return fail("what precedes : is token, code, refresh, authorize, api, all or a route such as auth/token/revoke")
		}
	}
	name, duration, timed := strings.Cut(rest, "=")
	kind, known := lookupFault(name)
	if !known {
		return fail("the faults are %s", strings.Join(FaultNames(), ", "))
	}
	f.Name, f.Duration = name, kind.duration
	if timed {
		d, err := time.ParseDuration(duration)
		switch {
		case kind.duration == 0:
			return fail("%s takes no duration", name)
		case err != nil || d <= 0 || d > maxFaultDuration:
			return fail("what follows = is a duration such as 15s, more than 0 and at most %s", maxFaultDuration)
		}
		f.Duration = d
	}
	return f, nil
}

const (
	maxFaultCount    = 1_000_000
	maxFaultDuration = 1000 * time.Hour
)

func mustParseFault(spec string) Fault {
	f, err := ParseFault(spec)
	if err != nil {
		panic("dropboxtest: " + err.Error())
	}
	return f
}

// FaultNames returns the names of all faults.
func FaultNames() []string {
	var names []string
	for _, kind := range faultKinds() {
		names = append(names, kind.name)
	}
	return names
}

// FaultAbout returns one line about a fault, or "" for a name that is none.
func FaultAbout(name string) string {
	kind, _ := lookupFault(name)
	return kind.about
}

// SetFault puts the faults in place of all that there were. The first one that
// fits a request is served. It panics when a spec cannot be read.
func (d *Dropbox) SetFault(specs ...string) {
	var faults []Fault
	for _, spec := range specs {
		faults = append(faults, mustParseFault(spec))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = faults
}

// FaultNext makes the next n requests that fit go wrong, before any other fault
// is looked at; a count in the spec gives way to n. It panics when the spec cannot
// be read or n is less than 1.
func (d *Dropbox) FaultNext(spec string, n int) {
	f := mustParseFault(spec)
	if n < 1 {
		panic("dropboxtest: FaultNext takes a count of at least 1")
	}
	f.Count = n
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = slices.Insert(d.faults, 0, f)
}

// ClearFaults ends all faults. An answer that is being spoiled stays so.
func (d *Dropbox) ClearFaults() { d.SetFault() }

// Faults returns the faults that are left.
func (d *Dropbox) Faults() []Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.faults)
}

// target is where a request goes.
type target struct {
	endpoint  string // authorize, token or api
	grantType string // of a token request
	form      url.Values
	route     string // of an API call
}

func (f Fault) hits(t target) bool {
	switch f.Endpoint {
	case endpointAll:
		return true
	case endpointCode:
		return t.endpoint == endpointToken && t.grantType == grantCode
	case endpointRefresh:
		return t.endpoint == endpointToken && t.grantType == grantRefresh
	}
	return f.Endpoint == t.endpoint || t.endpoint == endpointAPI && f.Endpoint == t.route
}

// takeFault returns the fault that a request meets and counts it.
func (d *Dropbox) takeFault(t target) (Fault, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.faults, func(f Fault) bool { return f.hits(t) })
	if i < 0 {
		return Fault{}, false
	}
	f := d.faults[i]
	switch f.Count {
	case 0:
	case 1:
		d.faults = slices.Delete(d.faults, i, i+1)
	default:
		d.faults[i].Count--
	}
	return f, true
}
