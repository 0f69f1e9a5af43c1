// Command keybase reads a secret with github.com/keybase/go-keychain and
// prints it: an encrypted session, one call after the other.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/keybase/go-keychain/secretservice"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: keybase SERVICE USERNAME")
		os.Exit(64)
	}
	secret, err := lookup(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "keybase:", err)
		os.Exit(1)
	}
	fmt.Println(secret)
}

func lookup(name, user string) (string, error) {
	service, err := secretservice.NewService()
	if err != nil {
		return "", err
	}
	session, err := service.OpenSession(secretservice.AuthenticationDHAES)
	if err != nil {
		return "", err
	}
	defer service.CloseSession(session)
	items, err := service.SearchCollection(secretservice.DefaultCollection,
		secretservice.Attributes{"service": name, "username": user})
	if err != nil {
		return "", err
	}
	if len(items) == 0 {
		return "", errors.New("no such item")
	}
	secret, err := service.GetSecret(items[0], *session)
	return string(secret), err
}
