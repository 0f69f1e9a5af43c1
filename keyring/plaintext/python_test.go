//go:build unix

package plaintext_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/secret"
)

// python runs the genuine keyring: the value comes on stdin and goes to
// stdout, and is nowhere else.
const python = `
import sys
from keyrings.alt.file import PlaintextKeyring
verb, service, user = sys.argv[1:]
keyring = PlaintextKeyring()
if verb == 'set':
    keyring.set_password(service, user, sys.stdin.read())
elif verb == 'delete':
    keyring.delete_password(service, user)
else:
    value = keyring.get_password(service, user)
    sys.stdout.write('none' if value is None else 'value ' + value)
`

type pythonKeyring struct{ dataHome string }

func (p pythonKeyring) run(t *testing.T, verb string, key keyring.Key, value string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/python3", "-X", "utf8", "-c", python, verb, key.Service, key.User)
	cmd.Env = []string{"HOME=" + p.dataHome, "XDG_DATA_HOME=" + p.dataHome, "PATH=/usr/bin:/bin"}
	cmd.Stdin = strings.NewReader(value)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("Python, %s %v: %v: %s", verb, key, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func newPython(t *testing.T) (pythonKeyring, *plaintext.Keyring, string) {
	t.Helper()
	needs.Programs(t, "/usr/bin/python3")
	if err := exec.Command("/usr/bin/python3", "-c", "import keyrings.alt.file").Run(); err != nil {
		needs.Missing(t, "python3-keyrings.alt")
	}
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	k := plaintext.New()
	path, err := k.Path()
	if err != nil || path != filepath.Join(home, "python_keyring", "keyring_pass.cfg") {
		t.Fatalf("Path() = %q, %v", path, err)
	}
	return pythonKeyring{home}, k, path
}

func TestPythonTenRounds(t *testing.T) {
	python, k, path := newPython(t)
	key := keyring.Key{Service: "Maestral", User: "config:maestral:dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"}
	for round := range 10 {
		ours := fmt.Sprintf("ours-%d-%s", round, strings.Repeat("é\n", 20*round))
		if err := k.Set(t.Context(), key, secret.New(ours), keyring.NoPrompt); err != nil {
			t.Fatal(err)
		}
		if got := python.run(t, "get", key, ""); got != "value "+ours {
			t.Fatalf("round %d: Python reads %q, want %q", round, got, ours)
		}
		theirs := fmt.Sprintf("theirs-%d-%s", round, strings.Repeat("x", 50*round))
		python.run(t, "set", key, theirs)
		got, err := k.Get(t.Context(), key, keyring.NoPrompt)
		if err != nil || got.Reveal() != theirs {
			t.Fatalf("round %d: Get = %q, %v; want %q", round, got.Reveal(), err, theirs)
		}
		if n := strings.Count(read(t, path), "[Maestral]"); n != 1 {
			t.Fatalf("round %d: %d sections of the service:\n%s", round, n, read(t, path))
		}
	}
	if err := k.Delete(t.Context(), key, keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	if got := python.run(t, "get", key, ""); got != "none" {
		t.Errorf("Python reads %q after our Delete", got)
	}
	python.run(t, "set", key, "once more")
	python.run(t, "delete", key, "")
	if _, err := k.Get(t.Context(), key, keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Get after Python's delete = %v, want ErrNotFound", err)
	}
}

// TestPythonSameBytes: for the same content the file is the same, whoever
// wrote it.
func TestPythonSameBytes(t *testing.T) {
	python, k, path := newPython(t)
	foreign := keyring.Key{Service: "Other App ü", User: "somebody@example.org"}
	key := keyring.Key{Service: "Maestral", User: "config:x:dbid:AAAA"}
	long := strings.Repeat("0123456789", 40)

	python.run(t, "set", foreign, long)
	if err := k.Set(t.Context(), key, secret.New(long), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	ours := read(t, path)
	python.run(t, "set", key, long)
	if theirs := read(t, path); ours != theirs {
		t.Errorf("we wrote:\n%q\nPython, the same:\n%q", ours, theirs)
	}
	// Python's next write, of something else, and ours.
	python.run(t, "set", foreign, "short")
	theirs := read(t, path)
	if err := k.Set(t.Context(), foreign, secret.New("short"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); !strings.HasPrefix(got, theirs) {
		t.Errorf("we wrote:\n%q\nwhich does not begin as Python's:\n%q", got, theirs)
	}
}

// TestPythonOverwritesAnotherCase: Python knows no case, and what it wrote has
// no exact name. The name that we kept for the old value must not stick to
// the new one.
func TestPythonOverwritesAnotherCase(t *testing.T) {
	python, k, _ := newPython(t)
	upper, lower := testKey("dbid:AAAA"), testKey("dbid:aaaa")
	set(t, k, upper.User, "of AAAA")
	python.run(t, "set", lower, "of aaaa")
	want(t, k, lower.User, "of aaaa")
	set(t, k, lower.User, "newer of aaaa")
	wantMissing(t, k, upper.User)
	if got := python.run(t, "get", lower, ""); got != "value newer of aaaa" {
		t.Errorf("Python reads %q", got)
	}
}
