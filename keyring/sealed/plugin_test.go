//go:build unix

package sealed_test

import (
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"filippo.io/age/plugin"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
)

// installPlugin puts the plugin, which is this test program under another
// name, where programs are found, and returns a file with an identity of it.
func installPlugin(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, pluginProgram)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "identity", plugin.EncodeIdentity(pluginName, []byte(identity.String()))+"\n")
}

func TestConformanceOfPlugin(t *testing.T) {
	path := newPath(t)
	identity := installPlugin(t)
	// The suite wants a keyring that is ready, and this one is once it was
	// opened.
	matrix.Run(t, matrix.Behind{How: matrix.File, Name: "age plugin"}, func(t *testing.T) keyring.Keyring {
		k := sealed.New(sealed.WithPath(path), sealed.WithIdentityFile(identity))
		if err := k.Unlock(t.Context(), keyring.NoPrompt); err != nil {
			t.Fatal(err)
		}
		return k
	})
}

func TestPlugin(t *testing.T) {
	path := newPath(t)
	identity := installPlugin(t)
	open := func(opts ...sealed.Option) *sealed.Keyring {
		return sealed.New(append(opts, sealed.WithPath(path), sealed.WithIdentityFile(identity))...)
	}
	wantStatus(t, open(), keyring.Startable, "plugin")
	set(t, open(), "a", "value")
	wantStatus(t, open(), keyring.Startable, "plugin")
	want(t, open(), "a", "value")

	// Another identity of the same plugin, and of age's own.
	if err := os.Remove(path + ".conf"); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, sealed.New(sealed.WithPath(path), sealed.WithIdentityFile(installPlugin(t))), keyring.ErrLocked, sealed.ErrWrongKey)
	wantFailure(t, sealed.New(sealed.WithPath(path), sealed.WithIdentityFile(newIdentity(t))), keyring.ErrLocked, sealed.ErrWrongKey)

	// The plugin asks, which is answered only where a prompt is allowed.
	t.Setenv(role, "plugin that asks")
	asked := 0
	ui := sealed.WithPluginUI(&plugin.ClientUI{RequestValue: func(string, string, bool) (string, error) {
		asked++
		return "1234", nil
	}})
	wantFailure(t, open(ui), keyring.ErrLocked)
	if asked != 0 {
		t.Error("asked without a prompt")
	}
	got, err := open(ui).Get(t.Context(), testKey("a"), keyring.AskUser)
	if err != nil || got.Reveal() != "value" || asked != 1 {
		t.Errorf("Get = %q, %v; asked %d times", got.Reveal(), err, asked)
	}

	// It is not there.
	t.Setenv(role, "")
	t.Setenv("PATH", t.TempDir())
	wantFailure(t, open(), keyring.ErrLocked)
	wantStatus(t, open(), keyring.Unavailable, pluginProgram)
}
