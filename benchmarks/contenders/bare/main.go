// Command bare reads a secret with authring's package secretservice and prints
// it: what authring does, in a program that can do nothing else, as the
// programs of the other libraries here.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/secretservice"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bare SERVICE USERNAME")
		os.Exit(64)
	}
	secret, err := secretservice.New().Get(context.Background(),
		keyring.Key{Service: os.Args[1], User: os.Args[2]}, keyring.NoPrompt)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
	fmt.Println(secret.Reveal())
}
