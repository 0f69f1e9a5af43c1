// Command authring links programs to cloud accounts and hands out their access
// tokens. See package internal/cli, or authring --help.
package main

import (
	"os"

	"github.com/authring/authring/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
