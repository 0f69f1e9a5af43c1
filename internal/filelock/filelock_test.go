package filelock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/internal/ready"
)

// The test binary is also the other process: it does what this variable says.
const role = "FILELOCK_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "hold":
		hold(os.Args[1])
	case "count":
		count(os.Args[1], os.Args[2])
	default:
		os.Exit(m.Run())
	}
}

// hold takes the lock, says so, and keeps it until stdin ends.
func hold(path string) {
	if _, err := filelock.Acquire(context.Background(), path); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// count adds one to the number in a file, 100 times, under the lock.
func count(path, number string) {
	for range 100 {
		lock, err := filelock.Acquire(context.Background(), path)
		if err != nil {
			panic(err)
		}
		text, _ := os.ReadFile(number)
		n, _ := strconv.Atoi(string(text))
		if err := os.WriteFile(number, []byte(strconv.Itoa(n+1)), 0o600); err != nil {
			panic(err)
		}
		if err := lock.Release(); err != nil {
			panic(err)
		}
	}
}

func other(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), role+"="+what)
	return cmd
}

func holder(t *testing.T, path string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := other(t, "hold", path)
	return cmd, ready.Start(t, cmd, "held")
}

func acquire(t *testing.T, path string) *filelock.Lock {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	lock, err := filelock.Acquire(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "x.lock")
	_, in := holder(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := filelock.Acquire(ctx, path); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path) {
		t.Fatalf("Acquire of a held lock = %v, want a timeout that names %s", err, path)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := acquire(t, path).Release(); err != nil {
		t.Error(err)
	}
}

func TestAKilledHolderFreesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	cmd, _ := holder(t, path)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	defer acquire(t, path).Release()
}

func TestProcessesTakeTurns(t *testing.T) {
	dir := t.TempDir()
	number := filepath.Join(dir, "number")
	var cmds []*exec.Cmd
	for range 4 {
		cmd := other(t, "count", filepath.Join(dir, "x.lock"), number)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(number); string(got) != "400" {
		t.Errorf("counted %s, %v; want 400", got, err)
	}
}

func TestGoroutinesTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	var inside atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				lock, err := filelock.Acquire(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				inside.Add(-1)
				if err := lock.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWaitEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	synctest.Test(t, func(t *testing.T) {
		lock, err := filelock.Acquire(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Release()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if _, err := filelock.Acquire(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Acquire = %v, want a timeout", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("waited %v, want a minute", waited)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
		if _, err := filelock.Acquire(gone, path); !errors.Is(err, context.Canceled) {
			t.Errorf("Acquire of a free lock, cancelled = %v", err)
		}
	})
}

func TestTheFileStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	lock := acquire(t, path)
	for range 2 {
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o600 && runtime.GOOS != "windows" { // where a mode tells of no rights
		t.Errorf("the lock file is %v, %v; want mode 0600", info, err)
	}
}

func TestARemovedFileIsNotTakenForTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	old := acquire(t, path)
	if err := os.Remove(path); runtime.GOOS == "windows" {
		if err == nil {
			t.Error("a file that is locked was removed")
		}
		if err := old.Release(); err != nil {
			t.Error(err)
		}
		return
	} else if err != nil {
		t.Fatal(err)
	}
	lock := acquire(t, path)
	if err := old.Release(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if second, err := filelock.Acquire(ctx, path); err == nil {
		t.Error("two hold the lock", second.Release())
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

func TestWhereLockingIsImpossible(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	paths := []string{dir, filepath.Join(target, "x.lock")}
	// Not every Windows has links, and Wine makes none and says that it did.
	link := filepath.Join(dir, "link.lock")
	_ = os.Symlink(target, link)
	if info, err := os.Lstat(link); err == nil && info.Mode()&os.ModeSymlink != 0 {
		paths = append(paths, link)
	} else if runtime.GOOS != "windows" {
		t.Fatal(info, err)
	}
	for _, path := range paths {
		lock, err := filelock.Acquire(t.Context(), path)
		if err == nil {
			t.Errorf("Acquire(%s) gave a lock", path)
			_ = lock.Release()
			continue
		}
		if !strings.Contains(err.Error(), path) {
			t.Errorf("Acquire = %v, want the path %s in it", err, path)
		}
	}
}
