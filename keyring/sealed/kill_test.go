//go:build unix

package sealed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
)

// killed are the operations that are cut short. A secret that an operation
// changes is there before with the value "old", and is "new" after it; one that
// it deletes is gone.
var killed = []struct {
	name   string
	before []string // the users whose secrets are there
	role   string
	least  int // steps
}{
	{"first secret", nil, "set", 6},
	{"another secret", []string{"other"}, "set", 4},
	{"a new value", []string{"other", "it"}, "set", 4},
	{"a deletion", []string{"other", "it"}, "delete", 3},
	{"the last deletion", []string{"it", "it"}, "delete", 2},
}

// TestKilledAtEachStep: whichever step an operation is killed at, the file is
// as it was or as it is to be, its key is whole, and to do it again completes
// it and leaves nothing.
func TestKilledAtEachStep(t *testing.T) {
	program := filepath.Join(t.TempDir(), "armed")
	if out, err := exec.Command("go", "test", "-c", "-tags=killpoint", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v: %s", err, out)
	}
	kills := 0
	for _, op := range killed {
		t.Run(op.name, func(t *testing.T) {
			list := filepath.Join(t.TempDir(), "steps")
			whole := newTrial(t, program, op.role, op.before)
			if err := whole.run("AUTHRING_TEST_KILL_AT_LIST=" + list); err != nil {
				t.Fatal(err)
			}
			whole.wantDone(t, "whole")
			steps := strings.Fields(strings.ReplaceAll(string(read(t, list)), " ", "_"))
			if len(steps) < op.least {
				t.Errorf("only %d steps: %q", len(steps), steps)
			}
			passed := map[string]int{}
			for _, step := range steps {
				at := fmt.Sprintf("%s#%d", strings.ReplaceAll(step, "_", " "), passed[step])
				passed[step]++
				tr := newTrial(t, program, op.role, op.before)
				err := tr.run("AUTHRING_TEST_KILL_AT=" + at)
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("%s: was not killed: %v", at, err)
				}
				kills++
				tr.wantEither(t, at)
				if err := tr.run("NOTHING="); err != nil && !(op.role == "delete" && strings.Contains(err.Error(), "no such")) {
					t.Errorf("%s: once more: %v", at, err)
				}
				tr.wantDone(t, at)
			}
		})
	}
	t.Logf("%d kills", kills)
}

// trial is one operation on a file of its own.
type trial struct {
	program, role, path, key string
	before                   []string
}

func newTrial(t *testing.T, program, role string, before []string) *trial {
	t.Helper()
	path := newPath(t)
	tr := &trial{program, role, path, filepath.Join(t.TempDir(), "keys", "key"), before}
	for _, user := range before {
		set(t, tr.open(), user, "old")
	}
	return tr
}

func (tr *trial) open() *sealed.Keyring {
	return sealed.New(sealed.WithPath(tr.path), sealed.WithKeyFile(tr.key))
}

func (tr *trial) run(variable string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tr.program, tr.path, tr.key, "it", "new")
	cmd.Env = append(os.Environ(), role+"="+tr.role, variable)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// wantEither fails unless the secret is the one before or the one after, and
// the others are what they were.
func (tr *trial) wantEither(t *testing.T, at string) {
	t.Helper()
	value, err := tr.value(t, at, "it")
	switch {
	case tr.role == "set" && err == nil && value == "new":
	case tr.role == "delete" && errors.Is(err, keyring.ErrNotFound):
	case tr.has("it") && err == nil && value == "old":
	case !tr.has("it") && errors.Is(err, keyring.ErrNotFound):
	default:
		t.Errorf("%s: it is %q, %v", at, value, err)
	}
}

// wantDone fails unless the operation has been done, and nothing else.
func (tr *trial) wantDone(t *testing.T, at string) {
	t.Helper()
	value, err := tr.value(t, at, "it")
	if tr.role == "set" && value != "new" || tr.role == "delete" && !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("%s: in the end it is %q, %v", at, value, err)
	}
	for _, name := range strings.Fields(files(t, filepath.Dir(tr.path))) {
		if strings.HasSuffix(name, ".tmp") && !strings.Contains(name, ".conf.") {
			t.Errorf("%s: %s is left", at, name)
		}
		if tr.role == "delete" && strings.HasSuffix(name, "previous") {
			t.Errorf("%s: what was deleted is in %s", at, name)
		}
	}
}

// value reads a secret, and the others on the way.
func (tr *trial) value(t *testing.T, at, user string) (string, error) {
	t.Helper()
	for _, other := range tr.before {
		if other == user {
			continue
		}
		if got, err := tr.open().Get(t.Context(), testKey(other), keyring.NoPrompt); err != nil || got.Reveal() != "old" {
			t.Errorf("%s: another secret is %q, %v", at, got.Reveal(), err)
		}
	}
	got, err := tr.open().Get(t.Context(), testKey(user), keyring.NoPrompt)
	return got.Reveal(), err
}

func (tr *trial) has(user string) bool { return slices.Contains(tr.before, user) }
