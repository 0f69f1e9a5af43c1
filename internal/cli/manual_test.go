package cli_test

import (
	"os"
	"path/filepath"
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
