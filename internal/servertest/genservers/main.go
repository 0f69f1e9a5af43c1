// Command genservers makes the table of what was found of the servers, and fails
// where a document has another one.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/internal/servertest"
)

func main() {
	runs := flag.String("runs", os.Getenv(matrix.Folder), "the `FOLDER` of the findings")
	write := flag.Bool("write", false, "put the table into the document")
	flag.Parse()
	if flag.NArg() != 1 || *runs == "" {
		fmt.Fprintln(os.Stderr, "usage: genservers -runs FOLDER [-write] DOCUMENT")
		os.Exit(2)
	}
	if err := run(*runs, *write, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "genservers:", err)
		os.Exit(1)
	}
}

func run(runs string, write bool, document string) error {
	findings, err := servertest.Findings(runs)
	if err != nil {
		return err
	}
	made, err := servertest.Table(findings)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, there, after, err := matrix.Split(string(data))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", document, err)
	case write:
		return atomicfile.Write(document, []byte(before+made+after), 0o644)
	case made != there:
		return fmt.Errorf("%s has another table than this run made, which is:\n%sif it is right, take it over: go run ./internal/servertest/genservers -write -runs %s %s", document, made, runs, document)
	}
	return nil
}
