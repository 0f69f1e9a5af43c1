package authring_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/provider"
)

// The whole life of a link, against a Dropbox of this process and a keyring
// that forgets. A program leaves out WithProvider and WithKeyrings, and shows
// the URL to its user.
func Example() {
	server := dropboxtest.NewServer()
	defer server.Close()
	dropbox, err := provider.DropboxAt(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	s, err := authring.Open("example",
		authring.WithProvider(dropbox),
		authring.WithKeyrings(keyringtest.NewMemory(keyring.SecretService)))
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	code, err := server.Approve(s.AuthURL()) // what the user does in a browser
	if err != nil {
		log.Fatal(err)
	}
	if err := s.VerifyAuthToken(ctx, code); err != nil {
		log.Fatal(err)
	}
	saved, err := s.SaveCreds(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("linked", saved.DisplayName)

	token, err := s.Token(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a token that prints as", token.AccessToken)

	resp, err := s.Client(ctx).Post(server.URL+"/2/check/user", "application/json", strings.NewReader(`{"query":"hello"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println("the API says", resp.Status)

	if _, err := s.Unlink(ctx); err != nil {
		log.Fatal(err)
	}
	_, err = s.Token(ctx)
	fmt.Println("afterwards:", errors.Is(err, authring.ErrNotLinked))
	// Output:
	// linked Ada Lovelace
	// a token that prints as ***
	// the API says 200 OK
	// afterwards: true
}
