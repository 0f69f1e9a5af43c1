package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/audit"
)

// The test binary is also another process that writes.
const role = "AUDIT_TEST_WRITE"

func TestMain(m *testing.M) {
	if path := os.Getenv(role); path != "" {
		l := audit.Open(path)
		for i := range 500 {
			if err := l.Append(entry(fmt.Sprintf("/opt/%d-%d", os.Getpid(), i))); err != nil {
				panic(err)
			}
		}
		if err := l.Close(); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func entry(exe string) audit.Entry {
	return audit.Entry{At: time.Now(), Answer: audit.Allowed, What: "token", Config: "work", PID: 7, Executable: exe}
}

func read(t *testing.T, path string, n int) []audit.Entry {
	t.Helper()
	entries, err := audit.Read(path, n)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "work.jsonl")
	if entries := read(t, path, -1); len(entries) != 0 {
		t.Errorf("a log that is not there has %v", entries)
	}
	l := audit.Open(path)
	want := audit.Entry{
		At: time.Now().UTC().Truncate(time.Millisecond), Answer: audit.Denied, What: "token", Config: "work", PID: 12,
		Executable: "/usr/bin/curl", Via: 13, Cgroup: "/a.slice", Scope: "a b", Granted: "a", Rule: "3", Reason: "no rule fits",
	}
	if err := l.Append(want); err != nil {
		t.Fatal(err)
	}
	// At once, for who looks while the agent runs.
	if got := read(t, path, -1); len(got) != 1 || got[0] != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
	if err := l.Append(entry("/usr/bin/rclone")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path, 1); len(got) != 1 || got[0].Executable != "/usr/bin/rclone" {
		t.Errorf("the last one is %+v", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(want); err == nil {
		t.Error("a closed log takes entries")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log is %v, %v; want mode 0600", info.Mode(), err)
	}
}

func TestAnswersOfAKindAreCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "work.jsonl")
	synctest.Test(t, func(t *testing.T) {
		l := audit.Open(path)
		for pid := range 1000 {
			e := entry("/usr/bin/rclone")
			e.PID = pid
			if err := l.Append(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Append(entry("/usr/bin/curl")); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path, -1); len(got) != 2 {
			t.Errorf("%d lines, want 2", len(got))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := read(t, path, -1); len(got) != 3 || got[0].PID != 0 || got[2].Count != 998 && got[1].Count != 998 {
			t.Errorf("after a minute: %+v", got)
		}
		// The next one is a first one again, and Close writes what is left.
		for range 3 {
			if err := l.Append(entry("/usr/bin/rclone")); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		got := read(t, path, -1)
		stands := 0
		for _, e := range got {
			stands += 1 + e.Count
		}
		if stands != 1004 || len(got) != 5 {
			t.Errorf("%d lines stand for %d answers, want 5 and 1004", len(got), stands)
		}
	})
}

func TestTheLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "work.jsonl")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), role+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	l := audit.Open(path)
	for i := range 4000 {
		e := entry(fmt.Sprintf("/opt/%d/%s", i, strings.Repeat("x", 300)))
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	size, files := int64(0), 0
	for _, name := range names(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		size, files = size+info.Size(), files+1
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v", name, info.Mode())
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(audit.Parse(data)); got != bytes.Count(data, []byte("\n")) {
			t.Errorf("%s: %d of %d lines are whole", name, got, bytes.Count(data, []byte("\n")))
		}
	}
	if files != audit.Generations+1 || size > audit.Generations*audit.LargestFile+4096 {
		t.Errorf("%d files of %d bytes", files, size)
	}
	if got := read(t, path, -1); len(got) < 600 || !strings.HasPrefix(got[len(got)-1].Executable, "/opt/") {
		t.Errorf("%d entries are left", len(got))
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestSeveralProcessesWrite one log, and no line is torn or lost.
func TestSeveralProcessesWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "work.jsonl")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), role+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	// 500 of each fit into two files.
	if got := len(read(t, path, -1)); got != 2000 {
		t.Errorf("%d entries of 2000", got)
	}
}

func TestHostileTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "work.jsonl")
	l := audit.Open(path)
	e := entry("/tmp/\x1b[31m\n{\"answer\":\"allowed\"}\u202e\xff" + strings.Repeat("ä", 4000))
	if err := l.Append(e); err != nil {
		t.Fatal(err)
	}
	got := read(t, path, -1)
	if len(got) != 1 || strings.ContainsAny(got[0].Executable, "\x1b\n\u202e\xff") || len(got[0].Executable) > 400 {
		t.Errorf("read %+v", got)
	}
}

func TestALogThatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link, open := filepath.Join(dir, "link.jsonl"), filepath.Join(dir, "open.jsonl")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := audit.Open(link).Append(entry("/x")); err == nil {
		t.Error("a symbolic link was followed")
	}
	for _, path := range []string{link, open} {
		if _, err := audit.Read(path, -1); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Read(%s) = %v", path, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","answer":"allowed","what":"token","config":"work"}` + "\n"))
	f.Add([]byte("{}\n[\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range audit.Parse(data) {
			for _, text := range []string{e.Answer, e.What, e.Config, e.Executable, e.Reason} {
				if len(text) > 400 || strings.ContainsAny(text, "\n\x1b") {
					t.Errorf("%q", text)
				}
			}
		}
	})
}
