//go:build unix

package sealed_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/authring/authring/internal/ready"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
)

func TestKilledWhileWriting(t *testing.T) {
	path := newPath(t)
	key := path + ".key"
	open := func() *sealed.Keyring { return sealed.New(sealed.WithPath(path), sealed.WithKeyFile(key)) }
	k := open()
	set(t, k, "other", "stays")
	for range 20 {
		cmd := another(t, "rewrite", path, key)
		ready.Start(t, cmd, "writing")
		// Reads while it writes; then it dies somewhere.
		for range 20 {
			wantWhole(t, k)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		wantWhole(t, open())
		want(t, open(), "other", "stays")
	}
	set(t, k, "rewritten", "the lock of the dead holds nobody up")
	want(t, open(), "rewritten", "the lock of the dead holds nobody up")
	for _, name := range strings.Fields(files(t, filepath.Dir(path))) {
		if strings.HasSuffix(name, ".tmp") && !strings.Contains(name, ".conf") {
			t.Errorf("%s is left", name)
		}
	}
}

// wantWhole fails unless the secret is one of those that rewrite stores.
func wantWhole(t *testing.T, k keyring.Keyring) {
	t.Helper()
	got, err := k.Get(t.Context(), testKey("rewritten"), keyring.NoPrompt)
	if err != nil {
		t.Fatal(err)
	}
	if value := got.Reveal(); len(value) != 2000 || strings.Trim(value, value[:1]) != "" {
		t.Fatalf("read a mixture of %d bytes", len(value))
	}
}

// TestProcessesLoseNothing: they make one key file and one sealed file, and
// each finds all that the others wrote.
func TestProcessesLoseNothing(t *testing.T) {
	path := newPath(t)
	key := filepath.Join(t.TempDir(), "keys", "key")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if out, err := another(t, "count", path, key, fmt.Sprint("process", i)).CombinedOutput(); err != nil {
				t.Errorf("process %d: %v: %s", i, err, out)
			}
		})
	}
	wg.Wait()
	k := sealed.New(sealed.WithPath(path), sealed.WithKeyFile(key))
	for i := range 8 {
		for j := range 10 {
			user := fmt.Sprint("process", i, "-", j)
			want(t, k, user, user)
		}
	}
}
