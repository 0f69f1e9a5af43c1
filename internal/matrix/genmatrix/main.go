// Command genmatrix makes the table of what the keyrings have run against, and
// fails where a document has another one.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/matrix"
)

func main() {
	runs := flag.String("runs", os.Getenv(matrix.Folder), "the `FOLDER` of the records")
	vetted := flag.String("vetted", "", "the `PLATFORMS` that were compiled for, with spaces between them")
	write := flag.Bool("write", false, "put the table into the document")
	flag.Parse()
	if flag.NArg() != 1 || *runs == "" {
		fmt.Fprintln(os.Stderr, "usage: genmatrix -runs FOLDER [-vetted PLATFORMS] [-write] DOCUMENT")
		os.Exit(2)
	}
	if err := run(*runs, strings.Fields(*vetted), *write, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "genmatrix:", err)
		os.Exit(1)
	}
}

func run(runs string, platforms []string, write bool, document string) error {
	records, err := matrix.Records(runs)
	if err != nil {
		return err
	}
	built := map[string][]string{}
	for _, platform := range append(platforms, runtime.GOOS+"/"+runtime.GOARCH) {
		if built[platform], err = matrix.Built(platform); err != nil {
			return err
		}
	}
	made, err := matrix.Table(records, built)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, there, after, err := matrix.Split(string(data))
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	switch {
	case write:
		return atomicfile.Write(document, []byte(before+made+after), 0o644)
	case made == there:
	case matrix.Equal(made, there):
		fmt.Printf("other versions ran than %s has:\n%s", document, made)
	default:
		return fmt.Errorf("%s has another table than this run made, which is:\n%sif it is right, take it over: go run ./internal/matrix/genmatrix -write -runs %s -vetted %q %s",
			document, made, runs, strings.Join(platforms, " "), document)
	}
	return nil
}
