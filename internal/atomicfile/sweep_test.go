package atomicfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/authring/authring/internal/atomicfile"
)

func TestWriteRemovesWhatKilledWritersLeft(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for name, at := range map[string]time.Time{
		".a.json.123.tmp": old, ".b.json.4567.tmp": old, // left by killed writers
		".c.json.123.tmp": time.Now(),                                                                            // being written
		".a.ini.123.tmp":  old, ".a.json.12x.tmp": old, ".json.tmp": old, "a.json.123.tmp": old, ".123.tmp": old, // not ours
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "a.json")
	if err := atomicfile.Write(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{".123.tmp", ".a.ini.123.tmp", ".a.json.12x.tmp", ".c.json.123.tmp", ".json.tmp", "a.json", "a.json.123.tmp"}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("left: %q, want %q", got, want)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".a.json.123.tmp", ".b.json.123.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	atomicfile.Sweep(filepath.Join(dir, "a.json"))
	if got := names(t, dir); !slices.Equal(got, []string{".b.json.123.tmp"}) {
		t.Errorf("left: %q", got)
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
