package proof_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var mark = regexp.MustCompile(`killpoint\.Here\("([^"]+)"\)`)

// The program that users get holds nothing of what kills it in these tests.
func TestShippedProgramHasNoKillPoints(t *testing.T) {
	root := filepath.Join("..", "..")
	words := append(steps(t, root), killAt)
	for _, build := range []struct {
		name  string
		flags []string
		holds bool
	}{
		{"shipped", nil, false},
		// Otherwise the search itself would be at fault.
		{"tagged", []string{"-tags=killpoint"}, true},
	} {
		program := program(t, func() (string, error) {
			return buildProgram(build.name, "github.com/authring/authring/cmd/authring", build.flags...)
		})
		data, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if bytes.Contains(data, []byte(word)) != build.holds {
				t.Errorf("%s: holds %q: %v", build.name, word, !build.holds)
			}
		}
	}
	t.Logf("%d steps", len(words)-1)
}

// steps are the names of all steps in the source.
func steps(t *testing.T, root string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range mark.FindAllSubmatch(source, -1) {
			all = append(all, string(match[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 15 {
		t.Fatalf("only %d steps were found: %q", len(all), all)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
