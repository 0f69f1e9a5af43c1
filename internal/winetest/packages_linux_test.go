package winetest_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	ended   = regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\S+)`)
	skipped = regexp.MustCompile(`(?m)^ *--- SKIP: (\S+)`)
)

// TestPackages runs the tests of those packages that are different on Windows.
// What cannot be shown there is named.
func TestPackages(t *testing.T) {
	w := start(t)
	for _, c := range []struct {
		folder string
		least  int // tests that must have run
		skips  []string
	}{
		{"keyring/wincred", 9, []string{"TestReadersSeeOneOrTheOther"}},
		{"keyring/plaintext", 1, nil},
		{"keyring/plaintext/internal/rawconfig", 3, []string{"TestAgainstPython"}},
		{"keyring/sealed", 5, nil},
		{"keyring", 5, nil},
		{"record", 36, nil},
		{"secret", 2, nil},
		{"internal/atomicfile", 10, nil},
		{"internal/bounded", 3, nil},
		{"internal/child", 9, nil},
		{"internal/cli", 4, nil},
		{"internal/cure", 1, nil},
		{"internal/filelock", 8, nil},
		{"internal/ini", 5, []string{"TestAgreesWithConfigParser"}},
	} {
		t.Run(c.folder, func(t *testing.T) {
			folder := filepath.Join("..", "..", filepath.FromSlash(c.folder))
			out, err := w.run(t, folder, "", "wine", build(t, "test", "-c", "./"+folder), "-test.v", "-test.timeout=150s")
			passed := 0
			for _, end := range ended.FindAllStringSubmatch(out, -1) {
				if end[1] == "PASS" {
					passed++
				}
			}
			var left []string
			for _, skip := range skipped.FindAllStringSubmatch(out, -1) {
				left = append(left, skip[1])
			}
			if err != nil || passed < c.least || !slices.Equal(left, c.skips) {
				t.Errorf("%v; %d tests passed, want %d; skipped: %q, want %q\n%s", err, passed, c.least, left, c.skips, failures(out))
			}
			t.Logf("%d tests passed", passed)
		})
	}
}

// failures leaves out the tests that only begin and pass.
func failures(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
