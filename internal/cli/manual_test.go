package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring/internal/cli"
)

func TestManualIsUpToDate(t *testing.T) {
	folder := filepath.Join("..", "..", "man")
	expected := map[string]bool{}
	for _, page := range cli.ManPages() {
		expected[page.Name] = true
		got, err := os.ReadFile(filepath.Join(folder, page.Name))
		if err != nil {
			t.Errorf("%v; run go generate ./internal/cli", err)
			continue
		}
		if string(got) != page.Content {
			t.Errorf("%s is not what the help says; run go generate ./internal/cli", page.Name)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !expected[entry.Name()] {
			t.Errorf("%s is a page of no verb; remove it", entry.Name())
		}
	}
}

func TestManualIsComplete(t *testing.T) {
	for _, page := range cli.ManPages() {
		for _, part := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", `.SH "EXIT STATUS"`, `.SH "GLOBAL OPTIONS"`} {
			if !strings.Contains(page.Content, part) {
				t.Errorf("%s has no %s", page.Name, part)
			}
		}
	}
}

// The page of the tool names every code that one of its verbs can end with.
func TestManualHasAllExitCodes(t *testing.T) {
	pages := cli.ManPages()
	codes := func(page cli.ManPage) []string {
		_, status, _ := strings.Cut(page.Content, `.SH "EXIT STATUS"`)
		status, _, _ = strings.Cut(status, ".SH ")
		var found []string
		for _, line := range strings.Split(status, "\n") {
			if code, is := strings.CutPrefix(line, ".B "); is {
				found = append(found, code)
			}
		}
		return found
	}
	all := codes(pages[0])
	for _, page := range pages[1:] {
		for _, code := range codes(page) {
			if !slices.Contains(all, code) {
				t.Errorf("%s has exit status %s, which %s has not: %v", page.Name, code, pages[0].Name, all)
			}
		}
	}
}
