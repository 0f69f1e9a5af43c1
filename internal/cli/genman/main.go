// Command genman writes the manual pages into the folder that it is given.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: genman FOLDER")
		os.Exit(2)
	}
	for _, page := range cli.ManPages() {
		if err := atomicfile.Write(filepath.Join(os.Args[1], page.Name), []byte(page.Content), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "genman:", err)
			os.Exit(1)
		}
	}
}
