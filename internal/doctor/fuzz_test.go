//go:build linux

package doctor_test

import (
	"strings"
	"testing"

	"github.com/authring/authring/internal/doctor"
)

func FuzzLocks(f *testing.F) {
	f.Add("1: FLOCK  ADVISORY  WRITE 361 08:01:1234 0 EOF\n", uint32(8), uint32(1), uint64(1234))
	f.Add("1: POSIX  ADVISORY  WRITE 361 08:01:1234 0 EOF\n1: -> FLOCK ADVISORY WRITE 7 08:01:1234 0 EOF\n", uint32(8), uint32(1), uint64(1234))
	f.Add("2: FLOCK ADVISORY WRITE -1 00:2a:9 0 EOF", uint32(0), uint32(42), uint64(9))
	f.Add("FLOCK\n\n: ", uint32(0), uint32(0), uint64(0))
	f.Fuzz(func(t *testing.T, table string, major, minor uint32, inode uint64) {
		if _, held := doctor.HolderIn(table, major, minor, inode); held && !strings.Contains(table, "FLOCK") {
			t.Errorf("a lock was seen in %q", table)
		}
	})
}

func TestLocks(t *testing.T) {
	const table = `1: POSIX  ADVISORY  WRITE 300 08:01:77 0 EOF
2: -> FLOCK  ADVISORY  WRITE 301 08:01:1234 0 EOF
3: FLOCK  ADVISORY  WRITE 361 08:01:1234 0 EOF
`
	if pid, held := doctor.HolderIn(table, 8, 1, 1234); pid != 361 || !held {
		t.Errorf("the holder is %d, %v", pid, held)
	}
	if _, held := doctor.HolderIn(table, 8, 1, 77); held {
		t.Error("a lock of another kind counts")
	}
}

// What is shown of a proxy never holds what stands before its host.
func FuzzShownProxy(f *testing.F) {
	for _, seed := range []string{"http://ada:hunter2@proxy:3128", "ada:hunter2@proxy:3128", "proxy:3128", "socks5://x", "http://%zz@", "//a@b", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		address, ok := doctor.ShownProxy(value)
		if !ok {
			return
		}
		_, rest, _ := strings.Cut(address, "://")
		if at := strings.LastIndexByte(rest, '@'); at >= 0 && rest[:at] != "***" {
			t.Errorf("%q is shown as %q", value, address)
		}
	})
}
