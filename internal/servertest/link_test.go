package servertest_test

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// patience bounds one link, the browser's part among it.
const patience = 2 * time.Minute

// desk is a session that is to be linked, with a keyring and folders of its own.
type desk struct {
	*authring.Session
	t      *testing.T
	memory *keyringtest.Memory
	client *provider.Client // the same program, beside the session
}

func newDesk(t *testing.T, p *provider.Provider, clientID string) *desk {
	t.Helper()
	home := t.TempDir()
	layout, err := record.LayoutIn("servertest", filepath.Join(home, "config"), filepath.Join(home, "state"))
	if err != nil {
		t.Fatal(err)
	}
	memory := keyringtest.NewMemory(keyring.SecretService)
	secretOf := func(context.Context) (secret.Secret, error) { return secret.New(clientSecret), nil }
	s, err := authring.Open("default", authring.WithLayout(layout), authring.WithProvider(p), authring.WithAppKey(clientID),
		authring.WithClientSecret(secretOf), authring.WithKeyrings(memory))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	client, err := provider.NewClient(p, clientID, provider.WithClientSecret(secretOf))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return &desk{s, t, memory, client}
}

// kept is the refresh token in the keyring.
func (d *desk) kept() secret.Secret {
	d.t.Helper()
	items := d.memory.Items()
	for _, value := range items {
		if len(items) == 1 {
			return value
		}
	}
	d.t.Fatalf("the keyring holds %d items, and not one", len(items))
	return secret.Secret{}
}

// grant is what the keyring holds, taken apart: the refresh token, and a client
// that has the key which the token is bound to, if it is.
func (d *desk) grant() (*provider.Client, secret.Secret) {
	d.t.Helper()
	return apart(d.t, d.client, d.kept())
}

func apart(t *testing.T, client *provider.Client, held secret.Secret) (*provider.Client, secret.Secret) {
	t.Helper()
	parts := strings.Split(held.Reveal(), " ")
	if len(parts) != 3 {
		return client, held
	}
	key, err := provider.ParseDPoPKey(secret.New(parts[1]))
	if err != nil {
		t.Fatal(err)
	}
	return client.WithDPoP(key), secret.New(parts[2])
}

// take verifies the answer of a server and saves what it gives.
func (d *desk) take(verify func() error) error {
	err := verify()
	if err == nil {
		_, err = d.SaveCreds(d.t.Context())
	}
	return err
}

// change is what becomes of an answer on its way.
type change func(address string) string

// byRedirect links with a receiver that waits for the browser.
func (d *desk) byRedirect(p *person, pages []page, changed change) error {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	receiver, err := callback.Listen(callback.Options{URIs: []string{"http://127.0.0.1/"}, Program: "servertest", Provider: d.Provider().Title})
	if err != nil {
		d.t.Fatal(err)
	}
	defer receiver.Close(ctx)
	pending, err := d.BeginRedirect(ctx, receiver.RedirectURI())
	if err != nil {
		d.t.Fatal(err)
	}
	from := d.Provider()
	answers := receiver.Expect(callback.Expected{State: pending.State, Issuer: from.Issuer, IssRequired: from.IssParameter})
	linked := make(chan error, 1)
	go func() {
		var err error
		select {
		case address := <-answers:
			err = d.take(func() error { return d.VerifyRedirect(ctx, changed(address)) })
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err == nil {
			receiver.Tell(callback.Linked)
		} else {
			receiver.Tell(callback.Failed)
		}
		linked <- err
	}()
	p.visit(pending.AuthURL, pages, "")
	var at string
	if p.Eval("location.href", &at); !strings.HasPrefix(at, receiver.RedirectURI()) {
		d.t.Fatalf("the browser ends at %s, which says\n%s", at, p.Text("body"))
	}
	return <-linked
}

// byPaste links with the address that the browser ends at.
func (d *desk) byPaste(p *person, pages []page, changed change) error {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	pending, err := d.BeginLink(ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	asked := p.visit(pending.AuthURL, pages, "")
	return d.take(func() error {
		return d.VerifyAuthToken(ctx, changed(answer(d.t, asked, pending.RedirectURI)))
	})
}

// byDevice links with a code that is typed into the server's page.
func (d *desk) byDevice(shown chan<- authring.DeviceCode) error {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	return d.take(func() error {
		return d.VerifyDevice(ctx, func(code authring.DeviceCode) { shown <- code })
	})
}

// as it is: nobody changes the answer.
func asIs(address string) string { return address }

// with puts another value into the query of an address.
func with(name, value string) change {
	return func(address string) string {
		before, query, _ := strings.Cut(address, "?")
		params, _ := url.ParseQuery(query)
		params.Set(name, value)
		return before + "?" + params.Encode()
	}
}
