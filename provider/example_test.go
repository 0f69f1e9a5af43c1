package provider_test

import (
	"context"
	"fmt"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/provider"
)

// A link by hand: the user opens the address, allows access, and pastes the
// code. An emulator stands in for Dropbox and for the user.
func Example() {
	server := dropboxtest.NewServer()
	defer server.Close()
	dropbox, err := provider.DropboxAt(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := provider.NewClient(dropbox, dropboxtest.DefaultApp().ClientID)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier := provider.NewVerifier()
	address := client.AuthCodeURL(provider.AuthRequest{Challenge: provider.Challenge(verifier)})
	pasted, err := server.Approve(address)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	code, err := provider.ParseCode(pasted)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := client.Exchange(ctx, code, verifier, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	account, err := client.Account(ctx, token.AccessToken)
	fmt.Println(account.DisplayName, token.ExpiresIn, token.RefreshToken, err)
	_, err = client.Exchange(ctx, code, verifier, "")
	fmt.Println(err)
	// Output:
	// Ada Lovelace 4h0m0s *** <nil>
	// could not redeem the authorization code: the code is wrong, already used, or expired (400 invalid_grant: code doesn't exist or has expired)
}
