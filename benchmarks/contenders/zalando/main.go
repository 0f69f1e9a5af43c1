// Command zalando reads a secret with github.com/zalando/go-keyring and prints
// it: an unencrypted session, one call after the other.
package main

import (
	"fmt"
	"os"

	"github.com/zalando/go-keyring"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: zalando SERVICE USERNAME")
		os.Exit(64)
	}
	secret, err := keyring.Get(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "zalando:", err)
		os.Exit(1)
	}
	fmt.Println(secret)
}
