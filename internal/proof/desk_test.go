package proof_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
)

// service is that of the items of an app of ours.
const service = "authring"

// desk is where links are made: a home, and a keyring beside plain text.
type desk struct {
	keyring keyring.ID
	environ []string // of the bus
	// list names the items of the keyring that a user has in it, one for each
	// that there is.
	list func(testing.TB, home) []string
}

// desks are the keyrings on which processes are killed.
var desks = []struct {
	name string
	open func(*testing.T) desk
}{
	{"plain text", func(*testing.T) desk {
		return desk{keyring: keyring.Plaintext, list: func(testing.TB, home) []string { return nil }}
	}},
	{"sealed file", func(t *testing.T) desk {
		key := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
			t.Fatal(err)
		}
		return desk{keyring.Sealed, []string{"AUTHRING_KEY_FILE=" + key}, func(tb testing.TB, h home) []string {
			return sealedItems(tb, filepath.Join(h.dir, "data", "authring", "sealed.keyring"), key)
		}}
	}},
	{"gnome-keyring", func(t *testing.T) desk {
		d := daemontest.NewDesk(t)
		daemontest.StartGNOME(t, d)
		bus := d.Connect(t)
		return desk{keyring.SecretService, []string{"DBUS_SESSION_BUS_ADDRESS=" + d.Address}, func(tb testing.TB, _ home) []string {
			return secretServiceItems(tb, bus)
		}}
	}},
	{"KWallet", func(t *testing.T) desk {
		d := daemontest.NewDesk(t)
		wallet := daemontest.StartKWallet(t, d)
		return desk{keyring.KWallet, []string{"DBUS_SESSION_BUS_ADDRESS=" + d.Address}, func(tb testing.TB, _ home) []string {
			return wallet.Entries(tb, service)
		}}
	}},
}

// sealedItems names the items of a sealed file.
func sealedItems(tb testing.TB, path, key string) (users []string) {
	tb.Helper()
	keys, err := sealed.New(sealed.WithPath(path), sealed.WithKeyFile(key)).Keys(context.Background(), keyring.NoPrompt)
	if err != nil {
		tb.Fatal(err)
	}
	for _, key := range keys {
		users = append(users, key.User)
	}
	return users
}

// secretServiceItems names our items, also those that stand there twice.
func secretServiceItems(tb testing.TB, bus *dbus.Conn) (users []string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var paths []dbus.ObjectPath
	err := bus.Object(daemontest.SecretsName, daemontest.DefaultCollection(tb, bus)).
		CallWithContext(ctx, "org.freedesktop.Secret.Collection.SearchItems", 0, map[string]string{"service": service}).Store(&paths)
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range paths {
		attributes := map[string]string{}
		value, err := bus.Object(daemontest.SecretsName, path).GetProperty("org.freedesktop.Secret.Item.Attributes")
		if err == nil {
			err = value.Store(&attributes)
		}
		if err != nil {
			tb.Fatal(err)
		}
		users = append(users, attributes["username"])
	}
	return users
}

// plaintextItems names the entries of our section in the file of plain text,
// as far as a colon, which the file spells _3a.
func plaintextItems(tb testing.TB, h home) (users []string) {
	tb.Helper()
	f, err := os.Open(filepath.Join(h.dir, "data", "python_keyring", "keyring_pass.cfg"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	ours := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "["):
			ours = line == "["+service+"]"
		case ours && line != "" && line[0] != ' ' && line[0] != '\t':
			name, _, _ := strings.Cut(line, "=")
			users = append(users, strings.ReplaceAll(strings.TrimSpace(name), "_3a", ":"))
		}
	}
	return users
}
