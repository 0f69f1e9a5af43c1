package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
)

const (
	// discoverBound is how long a server may take to describe itself.
	discoverBound = 30 * time.Second

	// discoverNotice is after what time it is said that it is awaited.
	discoverNotice = 400 * time.Millisecond
)

func (r *providerRun) add(ctx context.Context) error {
	entry, methods, err := r.describe(ctx)
	if err != nil {
		return err
	}
	r.apply(entry.Provider)
	password, err := r.readSecret()
	if err != nil {
		return err
	}
	if err := r.chooseAuth(entry, methods, !password.IsZero()); err != nil {
		return err
	}
	if err := r.valid(entry); err != nil {
		return err
	}
	if err := r.save(ctx, entry, password); err != nil {
		return err
	}
	return r.added(entry, "Added")
}

// describe makes the provider that is to be added: of what the server says, of
// what is known of it, or of nothing.
func (r *providerRun) describe(ctx context.Context) (*registry.Entry, *provider.Metadata, error) {
	if err := r.inProgram(); err != nil {
		return nil, nil, err
	}
	known, err := r.folder.Load(r.name)
	switch {
	case err != nil && !errors.Is(err, registry.ErrUnknown):
		return nil, nil, err
	case err == nil && !known.Shipped:
		return nil, nil, &failure{
			err:  usage("provider", "there is a provider %q already; nothing was changed", r.name),
			hint: "See it: " + r.providerVerb("show", r.name) + "\nChange it: " + r.providerVerb("update", r.name),
		}
	case err == nil && (r.issuer != "" || r.authURL != ""):
		// The tokens of links with it would go to another server.
		if err := r.unused(); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case r.issuer != "":
		return r.discovered(ctx)
	case r.authURL != "":
		p := &provider.Provider{Name: r.name, Title: titleOf(r.name, r.tokenURL), Replay: provider.ReplaySingleUse}
		return &registry.Entry{Provider: p}, nil, nil
	case err == nil:
		known.Shipped = false
		return known, nil, nil
	}
	return nil, nil, usage("provider", "say where the server is: --issuer URL, or --auth-url URL and --token-url URL")
}

// discovered asks the issuer, and has the user accept where it sends secrets.
func (r *providerRun) discovered(ctx context.Context) (*registry.Entry, *provider.Metadata, error) {
	metadata, err := r.discover(ctx, r.issuer)
	if err != nil {
		return nil, nil, err
	}
	p := &provider.Provider{Name: r.name, Title: titleOf(r.name, r.issuer), Replay: provider.ReplaySingleUse}
	metadata.Describe(p)
	if methods := metadata.ChallengeMethods; len(methods) > 0 && !slices.Contains(methods, "S256") {
		// RFC 7636 section 4.2: "If the client is capable of using "S256", it
		// MUST use "S256"".
		r.warn("%s takes proofs of who asked for a code (PKCE) as %s only, and authring always makes them by S256: it may refuse to link", metadata.Issuer, printable(strings.Join(methods, ", ")))
	}
	if err := r.accept(ctx, metadata); err != nil {
		return nil, nil, err
	}
	return &registry.Entry{Provider: p, Sources: []string{r.issuer}}, metadata, nil
}

func (r *providerRun) discover(ctx context.Context, issuer string) (*provider.Metadata, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverBound)
	defer cancel()
	defer time.AfterFunc(discoverNotice, func() {
		r.event(authring.Event{Kind: authring.EventWaiting, Text: titleOf(r.name, issuer)})
	}).Stop()
	metadata, err := provider.Discover(ctx, issuer, provider.WithLogger(r.logger()))
	if err == nil {
		return metadata, nil
	}
	var fault *provider.Error
	if !errors.As(err, &fault) {
		return nil, &failure{err: usage("provider", "%v", err)}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		fault.Err = fmt.Errorf("no whole answer within %v", discoverBound)
	}
	return nil, &failure{err: err, hint: r.discoverHint(issuer, err)}
}

// discoverHint says what to do about a description that could not be had.
func (r *providerRun) discoverHint(issuer string, err error) string {
	check := "Check the issuer with the server's documentation."
	var other *provider.IssuerError
	switch {
	case errors.As(err, &other) && strings.TrimSuffix(other.Named, "/") == strings.TrimSuffix(issuer, "/"):
		return "The server's name for itself must be given to the letter: " + r.providerVerb("add", r.name, "--issuer", other.Named)
	case errors.As(err, &other):
		return check
	case errors.Is(err, provider.ErrServerFault), errors.Is(err, provider.ErrRateLimited):
		return "Try again later."
	}
	return check + " If the server describes itself nowhere, give the addresses: --auth-url URL --token-url URL"
}

// accept asks whether codes and tokens may go to other hosts than the issuer's.
func (r *providerRun) accept(ctx context.Context, metadata *provider.Metadata) error {
	hosts := metadata.Hosts()
	if len(hosts) == 0 {
		return nil
	}
	r.warn("%s sends you, codes and tokens to other hosts: %s", metadata.Issuer, strings.Join(hosts, ", "))
	for _, line := range [][2]string{
		{"pages", metadata.AuthURL}, {"codes and refresh tokens", metadata.TokenURL}, {"device codes", metadata.DeviceURL},
		{"requests", metadata.PARURL}, {"revocations", metadata.RevokeURL}, {"who you are", metadata.UserinfoURL}, {"keys", metadata.JWKSURL},
	} {
		if line[1] != "" {
			r.say("  %s: %s", line[0], printable(line[1]))
		}
	}
	return r.sure(ctx, "Are these the server's?", "say --yes if these are the server's")
}

// sure asks, unless the user has said yes.
func (r *providerRun) sure(ctx context.Context, question, otherwise string) error {
	if r.yes {
		return nil
	}
	if !r.asks() {
		return usage("provider", "nobody can be asked here; %s. Nothing was changed", otherwise)
	}
	ok, err := r.confirm(ctx, question)
	if err != nil {
		return err
	}
	if !ok {
		return &failure{err: errInterrupted, message: "nothing was changed"}
	}
	return nil
}

// valid finds what no file can say, before anything is written.
func (r *providerRun) valid(entry *registry.Entry) error {
	if _, err := registry.Format(entry); err != nil {
		return usage("provider", "%v", err)
	}
	return nil
}

// titleOf is what people know a provider as, who gave it no title.
func titleOf(name, address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return name
}

// added is the good end of add and update.
func (r *providerRun) added(entry *registry.Entry, what string) error {
	if r.json {
		return r.printEntry(entry)
	}
	r.done("%s the provider %q (%s)", what, r.name, entry.Provider.Title)
	if entry.SecretKeyring != "" {
		r.say("  client secret  in the keyring %s", entry.SecretKeyring)
	}
	next := []string{"--provider", r.name}
	if entry.Provider.ClientID == "" {
		next = append(next, "--client-id", "ID")
	}
	r.say("  Next: %s", r.named("NAME", "link", next...))
	return nil
}
