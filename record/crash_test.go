//go:build unix

package record_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// The test binary is also the process that comes to grief: it does what this
// variable says.
const role = "RECORD_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "save for ever":
		for i := 0; ; i++ {
			for _, app := range apps() {
				fail(must(app).Save("work", alternate(i)))
			}
			fmt.Println(i)
		}
	case "name a token":
		f, err := must(record.DefaultApp).Fingerprints()
		fail(err)
		fmt.Print(f.Of(secret.New(verifier)))
	case "full disk":
		// Writing beyond the limit fails as on a full disk, once the signal
		// that goes with it is ignored.
		signal.Ignore(syscall.SIGXFSZ)
		fail(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 16, Max: 16}))
		refused(syscall.EFBIG)
	case "read-only":
		// The superuser may write anywhere.
		if os.Geteuid() == 0 {
			fail(syscall.Setgid(nobody))
			fail(syscall.Setuid(nobody))
		}
		refused(syscall.EACCES)
	}
}

const nobody = 65534

func must(app string) record.Layout {
	l, err := record.NewLayout(app)
	fail(err)
	return l
}

func fail(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// alternate returns one of two records that differ in every value.
func alternate(i int) record.Record {
	r := full()
	if i%2 == 1 {
		r = record.Record{
			AccountID: "dbid:other", Keyring: keyring.Plaintext, TokenAccessType: record.Legacy, Provider: "dropbox",
			AppKey: "other", Scope: strings.Repeat("long.scope ", 300) + "end", Email: "e", DisplayName: "d",
		}
	}
	return r
}

// refused checks that nothing can be saved, and that what was saved before is
// there.
func refused(cause error) {
	for _, app := range apps() {
		l := must(app)
		for what, err := range map[string]error{
			"Save": l.Save("work", alternate(1)), "Save of a new one": l.Save("new", full()),
			"SavePending": l.SavePending("work", begun(noon())), "AddRevocation": l.AddRevocation(grant("a")),
		} {
			if !errors.Is(err, cause) {
				fail(fmt.Errorf("%s, %s = %v, want %w", app, what, err, cause))
			}
		}
		// A full disk is no obstacle to removing a file.
		if err := l.Clear("work"); cause == syscall.EACCES && !errors.Is(err, cause) {
			fail(fmt.Errorf("%s, Clear = %v, want %w", app, err, cause))
		} else if err == nil {
			continue
		}
		r, err := l.Load("work")
		if err != nil || !same(r, full()) {
			fail(fmt.Errorf("%s: the old record is %+v, %w", app, r, err))
		}
		if r, err := l.Load("new"); err != nil || !r.Empty() {
			fail(fmt.Errorf("%s: the new record is %+v, %w", app, r, err))
		}
	}
}

func child(t *testing.T, what string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+what)
	return cmd
}

func TestKilledWhileSaving(t *testing.T) {
	home(t)
	for round := range 40 {
		cmd := child(t, "save for ever")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		for range 1 + round%7 {
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatalf("the saving process ended: %v", err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if got := load(t, layout(t, record.DefaultApp), "work"); !same(got, alternate(0)) && !same(got, alternate(1)) {
			t.Fatalf("round %d left %+v", round, got)
		}
		// Several files: what is read may mix the texts for people, and lack
		// what only we know, but account and keyring are of one record.
		got := load(t, layout(t, record.MaestralApp), "work")
		if a, b := alternate(0), alternate(1); (got.AccountID != a.AccountID || got.Keyring != a.Keyring) &&
			(got.AccountID != b.AccountID || got.Keyring != b.Keyring) {
			t.Fatalf("round %d left %+v", round, got)
		}
	}
}

func TestFullDisk(t *testing.T) {
	dir := home(t)
	for _, app := range apps() {
		save(t, layout(t, app), "work", full())
	}
	if out, err := child(t, "full disk").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if left := files(t, dir); strings.Contains(left, ".tmp") || strings.Contains(left, "new") {
		t.Errorf("left behind:\n%s", left)
	}
}

func TestReadOnlyFolders(t *testing.T) {
	home(t)
	// Where another user can get to, as the test's own folder is closed.
	dir, err := os.MkdirTemp("", "record")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error { return os.Chmod(path, 0o700) })
		_ = os.RemoveAll(dir)
	})
	t.Setenv("HOME", dir)
	for _, app := range apps() {
		save(t, layout(t, app), "work", full())
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && os.Geteuid() == 0 {
			err = os.Lchown(path, nobody, nobody)
		}
		if err == nil && entry.IsDir() {
			err = os.Chmod(path, 0o555)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	if out, err := child(t, "read-only").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if after := files(t, dir); after != before {
		t.Errorf("the folders now hold\n%s, want\n%s", after, before)
	}
}

func TestFilesOfAnotherUser(t *testing.T) {
	if !needs.Root(t) { // only root can give files away
		return
	}
	home(t)
	l := layout(t, record.DefaultApp)
	save(t, l, "work", full())
	if err := l.SavePending("work", begun(noon())); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{l.ConfigPath("work"), l.PendingPath("work")} {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if got := load(t, l, "work"); !same(got, full()) {
		t.Errorf("the superuser loaded %+v", got)
	}
	_, pending := l.LoadPending("work", noon())
	for what, err := range map[string]error{"Save": l.Save("work", alternate(1)), "Clear": l.Clear("work"), "LoadPending": pending} {
		if file := (*record.FileError)(nil); !errors.As(err, &file) || !strings.Contains(err.Error(), "another user") {
			t.Errorf("%s of another user's file = %v", what, err)
		}
	}
}

// files lists what is below dir.
func files(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}
