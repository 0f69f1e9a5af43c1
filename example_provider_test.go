package authring_test

import (
	"context"
	"fmt"
	"log"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
)

// Another provider is a value with the addresses and habits of its server, and
// needs no code unless the server has ways of its own.
func ExampleWithProvider() {
	server := oauthtest.NewServer(oauthtest.Options{Rotate: true})
	defer server.Close()
	music := &provider.Provider{
		Name: "music", Title: "Music", ClientID: "client",
		AuthURL: server.URL + "/authorize", TokenURL: server.URL + "/token",
		RevokeURL: server.URL + "/revoke", UserinfoURL: server.URL + "/userinfo",
		Replay: provider.ReplaySingleUse, Rotates: true,
	}
	s, err := authring.Open("tunes", authring.WithProvider(music),
		authring.WithKeyrings(keyringtest.NewMemory(keyring.SecretService)))
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	address, err := server.Approve(s.AuthURL()) // what the user does in a browser
	if err != nil {
		log.Fatal(err)
	}
	if err := s.VerifyAuthToken(ctx, address); err != nil {
		log.Fatal(err)
	}
	saved, err := s.SaveCreds(ctx)
	fmt.Println("linked", saved.DisplayName, err)
	token, err := s.Token(ctx, authring.Fresh())
	fmt.Println("a token that prints as", token.AccessToken, err)
	result, err := s.Unlink(ctx)
	fmt.Println("revoked", result.Revoked, err, "and", server.Grants(), "grants are left")
	// Output:
	// linked Ada Lovelace <nil>
	// a token that prints as *** <nil>
	// revoked true <nil> and 0 grants are left
}
