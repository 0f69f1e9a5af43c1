package audit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/audit"
)

// The agent has a log for each of a thousand links, and perhaps a thousand
// descriptors.
func TestLogsHoldNoFileOpen(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := open()
	dir := t.TempDir()
	for i := range 50 {
		l := audit.Open(filepath.Join(dir, fmt.Sprint(i), "work.jsonl"))
		t.Cleanup(func() { _ = l.Close() })
		if err := l.Append(entry("/usr/bin/curl")); err != nil {
			t.Fatal(err)
		}
	}
	if after := open(); after-before > 10 {
		t.Errorf("%d files are open for 50 logs", after-before)
	}
}
