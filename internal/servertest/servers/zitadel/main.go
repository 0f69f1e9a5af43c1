// Command zitadel is the example server of zitadel/oidc, its pages for logging
// in and its storage among it. It prints one line of JSON that says where it
// listens, and ends when its standard input does.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "zitadel:", err)
		os.Exit(1)
	}
}

func run() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String() + "/"
	storage.RegisterClients(
		storage.NativeClient("native", "http://127.0.0.1/", "http://[::1]/"),
		storage.WebClient("web", "a secret: 100% of it & +more", "http://127.0.0.1/"),
	)
	store := devices{storage.NewStorage(users{storage.NewUserStore(issuer)})}
	server := &http.Server{Handler: exampleop.SetupServer(issuer, store, slog.New(slog.DiscardHandler), false)}
	go func() { _ = server.Serve(listener) }()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"issuer": issuer, "version": version()}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// users are those of the example, known by their names: its pages for device
// codes take the name for the identifier, and then know nobody of it.
type users struct{ storage.UserStore }

func (u users) GetUserByID(id string) *storage.User { return u.GetUserByUsername(id) }

func (u users) GetUserByUsername(name string) *storage.User {
	user := u.UserStore.GetUserByUsername(name)
	if user == nil {
		return nil
	}
	named := *user
	named.ID = name
	return &named
}

// devices is the storage of the example, in which all clients may have device
// codes: the example has clients for nothing else, and gives those no refresh
// token.
type devices struct{ *storage.Storage }

func (d devices) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	client, err := d.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return deviceClient{client}, nil
}

type deviceClient struct{ op.Client }

func (c deviceClient) GrantTypes() []oidc.GrantType {
	return append(c.Client.GrantTypes(), oidc.GrantTypeDeviceCode)
}

// RedirectURIGlobs lets clients with a secret be redirected to any port, as
// native ones are.
func (c deviceClient) RedirectURIGlobs() []string { return []string{"http://127.0.0.1:*/"} }

func (c deviceClient) PostLogoutRedirectURIGlobs() []string { return nil }

// version is that of the module that the server comes from.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/zitadel/oidc/v3" {
			return module.Version[1:]
		}
	}
	return ""
}
