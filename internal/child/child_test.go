package child_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/authring/authring/internal/child"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	notRunnable := child.ErrNotRunnable
	if runtime.GOOS == "windows" {
		notRunnable = child.ErrNotFound // no file without the ending of a program is one
	}
	for name, want := range map[string]error{
		"no-such-program-anywhere":           child.ErrNotFound,
		filepath.Join(dir, "missing"):        child.ErrNotFound,
		filepath.Join(plain, "x"):            child.ErrNotFound,
		dir:                                  notRunnable,
		plain:                                notRunnable,
		filepath.Join(dir, "..", "..") + "/": notRunnable,
	} {
		if path, err := child.Find(name); !errors.Is(err, want) {
			t.Errorf("%q is found as %q, %v; want %v", name, path, err, want)
		}
	}
}

// A relative element of PATH counts where shells let it, and no name is an option.
func TestFindBesideOne(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"--help", "program.exe"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	if runtime.GOOS == "windows" {
		// The present folder does not count, and who forgot that is told.
		if got, err := child.Find("program"); !errors.Is(err, child.ErrCurrentFolder) {
			t.Errorf("it is found as %q, %v; want %v", got, err, child.ErrCurrentFolder)
		}
		if got, err := child.Find(`.\program`); err != nil {
			t.Errorf("it is found as %q, %v", got, err)
		}
		return
	}
	for _, path := range []string{"", ".", ":/bin", "/nowhere:."} {
		t.Setenv("PATH", path)
		want := "./--help"
		if path == "" {
			want = ""
		}
		if got, err := child.Find("--help"); got != want {
			t.Errorf("with PATH=%q it is found as %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	got := child.Environment(
		[]string{"A=1", "AUTHRING_KEY_FILE=/k", "AUTHRING_DROPBOX_URL=u", "OLD=x", "TOKEN=old", "AUTHRING_PROXY=p", "B=a=b", "ODD", "A=2"},
		[]string{"AUTHRING_DROPBOX_URL"}, []string{"OLD"}, []string{"TOKEN=new", "AUTHRING_SOCKET=s"})
	want := []string{"A=1", "AUTHRING_DROPBOX_URL=u", "B=a=b", "ODD", "A=2", "TOKEN=new", "AUTHRING_SOCKET=s"}
	if !slices.Equal(got, want) {
		t.Errorf("the environment is %q, want %q", got, want)
	}
}

func TestIsName(t *testing.T) {
	for name, want := range map[string]bool{"A": true, "_a1": true, "": false, "1A": false, "A=B": false, "A B": false, "Ä": false, "A\x00": false} {
		if child.IsName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestExitCode(t *testing.T) {
	for status, want := range map[child.Status]int{{}: 0, {Code: 3}: 3, {Signal: syscall.SIGTERM}: 143, {Signal: syscall.SIGKILL}: 137} {
		if got := status.ExitCode(); got != want {
			t.Errorf("%+v is %d, want %d", status, got, want)
		}
	}
}
