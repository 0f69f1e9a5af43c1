//go:build unix

package plaintext_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/secret"
)

const oneEntry = "[authring]\na = \n\tdmFsdWU=\n\n"

// TestRefused: what others may have read or written is neither read nor
// written, and the error says what is wrong and what to do.
func TestRefused(t *testing.T) {
	refused(t, map[string]spoiled{
		"readable by the group": {func(t *testing.T, path string) { chmod(t, path, 0o640) }, "mode 0640"},
		"readable by all":       {func(t *testing.T, path string) { chmod(t, path, 0o644) }, "run: chmod 600 "},
		"writable by the group": {func(t *testing.T, path string) { chmod(t, path, 0o620) }, "mode 0620"},
		"folder of all":         {func(t *testing.T, path string) { chmod(t, filepath.Dir(path), 0o777) }, "run: chmod go-w "},
		"symbolic link": {func(t *testing.T, path string) {
			move(t, path, path+".target")
			must(t, os.Symlink(path+".target", path))
		}, "symbolic link"},
		"dangling link": {func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Symlink(path+".target", path))
		}, "symbolic link"},
		"named pipe": {func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, unix.Mkfifo(path, 0o600))
		}, "not a regular file"},
		"folder in its place": {func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o700))
		}, "not a regular file"},
		"file instead of the folder": {func(t *testing.T, path string) {
			must(t, os.RemoveAll(filepath.Dir(path)))
			must(t, os.WriteFile(filepath.Dir(path), nil, 0o600))
		}, "not a folder"},
		"file above the folder": {func(t *testing.T, path string) {
			above := filepath.Dir(filepath.Dir(path))
			must(t, os.RemoveAll(above))
			must(t, os.WriteFile(above, nil, 0o600))
		}, "not a directory"},
	})
}

// TestRefusedOfAnotherUser is the same for what belongs to somebody else.
func TestRefusedOfAnotherUser(t *testing.T) {
	if !needs.Root(t) {
		return
	}
	refused(t, map[string]spoiled{
		"file":   {func(t *testing.T, path string) { chown(t, path) }, "another user"},
		"folder": {func(t *testing.T, path string) { chown(t, filepath.Dir(path)) }, "another user"},
	})
}

// spoiled is a way to make the file one that is not to be trusted, and what the
// error then says.
type spoiled struct {
	prepare func(t *testing.T, path string)
	says    string
}

func refused(t *testing.T, cases map[string]spoiled) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "share", "python_keyring", "keyring_pass.cfg")
			write(t, path, oneEntry)
			c.prepare(t, path)
			k := plaintext.New(plaintext.WithPath(path))
			_, getErr := k.Get(t.Context(), testKey("a"), keyring.NoPrompt)
			for op, err := range map[string]error{
				"Get":    getErr,
				"Set":    k.Set(t.Context(), testKey("a"), secret.New("new"), keyring.NoPrompt),
				"Delete": k.Delete(t.Context(), testKey("a"), keyring.NoPrompt),
			} {
				if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s = %v, want ErrUnavailable and %q", op, err, c.says)
				}
			}
			if status := k.Probe(t.Context()); status.Availability != keyring.Unavailable || !strings.Contains(status.Detail, c.says) {
				t.Errorf("Probe = %+v, want unavailable and %q", status, c.says)
			}
			if data, err := os.ReadFile(path + ".target"); err == nil && string(data) != oneEntry {
				t.Errorf("the target of the link holds %q", data)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	must(t, os.Chmod(path, mode))
}

func move(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.Rename(from, to))
}

// chown gives path to nobody, which only root can do.
func chown(t *testing.T, path string) {
	t.Helper()
	must(t, os.Chown(path, 65534, 65534))
}
