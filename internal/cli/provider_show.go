package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
)

// providerObject is a provider in the list of JSON output. Its members are
// promises.
type providerObject struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Issuer     string `json:"issuer,omitempty"`
	Shipped    bool   `json:"shipped"`
	ClientID   string `json:"client_id,omitempty"`
	ClientAuth string `json:"client_auth,omitempty"`
	Error      string `json:"error,omitempty"`
}

func (r *providerRun) list() error {
	names, err := r.folder.List()
	if err != nil {
		return err
	}
	objects := make([]providerObject, 0, len(names))
	var broken error
	for _, name := range names {
		entry, err := r.folder.Load(name)
		if err != nil {
			broken = err
			objects = append(objects, providerObject{Name: name, Error: printable(err.Error())})
			continue
		}
		p := entry.Provider
		objects = append(objects, providerObject{
			Name: name, Title: p.Title, Issuer: p.Issuer, Shipped: entry.Shipped, ClientID: p.ClientID, ClientAuth: p.ClientAuth.String(),
		})
	}
	if r.json {
		err = r.printJSON(objects)
	} else {
		r.printProviders(objects)
	}
	if err == nil && broken != nil {
		return exitSilently(kindOf(broken).code)
	}
	return err
}

func (r *providerRun) printProviders(objects []providerObject) {
	name, title := 0, 0
	for _, o := range objects {
		name = max(name, len(o.Name))
		title = max(title, utf8.RuneCountInString(o.Title))
	}
	for _, o := range objects {
		about := ""
		switch {
		case o.Error != "":
			fmt.Fprintf(r.stdout, "%s  %s\n", pad(o.Name, name), r.stdout.paint(red, o.Error))
			continue
		case o.ClientID != "":
			about = "ready: " + r.named(defaultConfig, "link", "--provider", o.Name)
		case o.ClientAuth != provider.AuthNone.String():
			about = "needs a client id and secret: " + r.providerVerb("add", o.Name, "--client-id", "ID", "--client-secret-file", "FILE")
		default:
			about = "needs a client id: " + r.named(defaultConfig, "link", "--provider", o.Name, "--client-id", "ID")
		}
		fmt.Fprintf(r.stdout, "%s  %s  %s\n", pad(o.Name, name), pad(printable(o.Title), title), about)
	}
}

// show prints the file of a provider.
func (r *providerRun) show() error {
	entry, err := r.providerNamed(r.name)
	if err != nil {
		return err
	}
	if err := r.printEntry(entry); err != nil {
		return err
	}
	if entry.Shipped {
		r.say("It comes with authring.")
	} else {
		r.say("Its file: %s", printable(r.folder.Path(r.name)))
	}
	return nil
}

// printEntry prints a provider as its file has it: JSON, whatever was asked.
func (r *providerRun) printEntry(entry *registry.Entry) error {
	data, err := registry.Format(entry)
	if err != nil {
		return err
	}
	return r.printJSON(json.RawMessage(data))
}

// difference is a member of what a server says of itself that is not what was
// accepted.
type difference struct {
	Member string `json:"member"`
	Was    string `json:"was"`
	Is     string `json:"is"`
}

// update asks the issuer again, and changes what the options say. Those do not
// wait for an issuer that cannot be asked, or says what nobody accepts.
func (r *providerRun) update(ctx context.Context) error {
	entry, err := r.own()
	if err != nil {
		return err
	}
	p := entry.Provider
	var metadata *provider.Metadata
	var differs []difference
	if p.Issuer != "" && len(entry.Sources) > 0 && entry.Sources[0] == p.Issuer {
		metadata, differs, err = r.askAgain(ctx, p)
		switch {
		case err == nil:
		case !r.changes() || ctx.Err() != nil:
			return err
		case len(differs) == 0:
			r.warn("Only what the options say is changed: %s", r.messageOf(err))
		default:
			r.warn("Only what the options say is changed; what the server says was not taken over")
			metadata, differs = nil, nil
		}
	} else if !r.changes() && len(entry.SecretLeftIn) == 0 {
		return usage("provider", "%q was not described by an issuer, and there is nobody to ask; say what to change", r.name)
	}
	r.apply(p)
	password, err := r.readSecret()
	if err != nil {
		return err
	}
	if err := r.chooseAuth(entry, metadata, !password.IsZero()); err != nil {
		return err
	}
	if err := r.valid(entry); err != nil {
		return err
	}
	if len(differs) == 0 && !r.changes() {
		if err := r.sweep(ctx, entry); err != nil {
			return err
		}
		if r.json {
			return r.printEntry(entry)
		}
		r.done("%s says what it said when it was accepted", p.Title)
		return nil
	}
	if err := r.save(ctx, entry, password); err != nil {
		return err
	}
	return r.added(entry, "Updated")
}

// askAgain asks the issuer of a provider what it says now, and has it taken over
// if that is what the user wants; else there is an error.
func (r *providerRun) askAgain(ctx context.Context, p *provider.Provider) (*provider.Metadata, []difference, error) {
	metadata, err := r.discover(ctx, p.Issuer)
	if err != nil {
		return nil, nil, err
	}
	now := *p
	metadata.Describe(&now)
	differs := differences(p, &now)
	if len(differs) > 0 {
		if err := r.takeOver(ctx, metadata, differs); err != nil {
			return nil, differs, err
		}
		*p = now
	}
	return metadata, differs, nil
}

// changes reports whether an option changes something.
func (r *providerRun) changes() bool {
	for _, flag := range []string{
		"auth-url", "token-url", "device-url", "revoke-url", "userinfo-url", "client-id", "client-secret-file", "client-secret-fd",
		"client-auth", "scope", "host", "redirect-uri", "redirect-port", "replay", "title",
	} {
		if r.given(flag) {
			return true
		}
	}
	return false
}

// takeOver shows what differs, and asks.
func (r *providerRun) takeOver(ctx context.Context, metadata *provider.Metadata, differs []difference) error {
	r.warn("%s says other things of itself than when it was accepted:", metadata.Issuer)
	for _, d := range differs {
		r.say("  %s\n    - %s\n    + %s", d.Member, orWord(printable(d.Was), "(nothing)"), orWord(printable(d.Is), "(nothing)"))
	}
	if hosts := metadata.Hosts(); len(hosts) > 0 {
		r.say("  Hosts other than the issuer's: %s", printable(strings.Join(hosts, ", ")))
	}
	if !r.yes && !r.asks() {
		return &failure{
			err:     usage("provider", "nothing was changed"),
			message: fmt.Sprintf("%s differs from what was accepted, and nothing was changed", metadata.Issuer),
			hint:    "If that is right, take it over: " + r.providerVerb("update", r.name, "--yes"),
			extra:   map[string]any{"differences": differs},
		}
	}
	return r.sure(ctx, "Take it over?", "")
}

// differences compares what a server says of itself.
func differences(was, is *provider.Provider) []difference {
	var all []difference
	for _, one := range []struct {
		member  string
		was, is any
	}{
		{"authorization_endpoint", was.AuthURL, is.AuthURL},
		{"token_endpoint", was.TokenURL, is.TokenURL},
		{"device_authorization_endpoint", was.DeviceURL, is.DeviceURL},
		{"pushed_authorization_request_endpoint", was.PARURL, is.PARURL},
		{"require_pushed_authorization_requests", was.RequirePAR, is.RequirePAR},
		{"revocation_endpoint", was.RevokeURL, is.RevokeURL},
		{"userinfo_endpoint", was.UserinfoURL, is.UserinfoURL},
		{"jwks_uri", was.JWKSURL, is.JWKSURL},
		{"dpop_signing_alg_values_supported", strings.Join(was.DPoPAlgs, " "), strings.Join(is.DPoPAlgs, " ")},
		{"authorization_response_iss_parameter_supported", was.IssParameter, is.IssParameter},
	} {
		if !reflect.DeepEqual(one.was, one.is) {
			all = append(all, difference{one.member, fmt.Sprint(one.was), fmt.Sprint(one.is)})
		}
	}
	return all
}
