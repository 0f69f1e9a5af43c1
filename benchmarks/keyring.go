package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
)

// keyringHead begins a keyring without a password, in gnome-keyring's own
// textual format (pkcs11/secret-store/gkm-secret-textual.c). It is named as
// that of a login.
const keyringHead = `[keyring]
display-name=login
ctime=0
mtime=0
lock-on-idle=false
lock-after=false
`

// otherItem is one more entry of such a file, as Python's keyring or a browser
// writes it: %[1]d is its number.
const otherItem = `
[%[1]d]
item-type=0
display-name=Password for 'user-%[1]d@example.org' on 'service-%[1]d'
secret=not-the-secret-%[1]d
mtime=0
ctime=0

[%[1]d:attribute0]
name=application
type=string
value=Python keyring library

[%[1]d:attribute1]
name=service
type=string
value=service-%[1]d

[%[1]d:attribute2]
name=username
type=string
value=user-%[1]d@example.org
`

// firstOther is the number of the first of them; gnome-keyring gives new items
// the lowest that is free.
const firstOther = 1000

// withOthers adds n items to the text of a keyring. gnome-keyring rewrites its
// file for each item, so that 10,000 of them cannot be stored one by one.
func withOthers(keyring string, n int) string {
	var text strings.Builder
	text.WriteString(keyring)
	for i := range n {
		fmt.Fprintf(&text, otherItem, firstOther+i)
	}
	return text.String()
}

// keyringFile returns the path of the default keyring on a desk.
func keyringFile(d *daemontest.Desk) string {
	return filepath.Join(d.Home, ".local", "share", "keyrings", "login.keyring")
}

// writeKeyring makes text the default keyring. The daemon must not be running.
func writeKeyring(d *daemontest.Desk, text string) error {
	path := keyringFile(d)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "default"), []byte("login"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// daemonBound is how long the daemon may take to read its file.
const daemonBound = 2 * time.Minute

// vault is gnome-keyring with its default keyring open.
type vault struct {
	bus        *dbus.Conn
	collection dbus.ObjectPath
	pid        int
	firstRead  time.Duration // how long it took to read the file
}

func openVault(ctx context.Context, h *host, d *daemontest.Desk) (*vault, error) {
	ctx, cancel := context.WithTimeout(ctx, daemonBound)
	defer cancel()
	v := &vault{bus: d.Connect(h)}
	v.collection = daemontest.DefaultCollection(h, v.bus)
	var pid uint32
	err := v.bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetConnectionUnixProcessID", 0,
		daemontest.SecretsName).Store(&pid)
	if err != nil {
		return nil, fmt.Errorf("could not learn the daemon's process: %w", err)
	}
	v.pid = int(pid)
	// Without a password it opens when asked, and asks nobody.
	began := time.Now()
	var opened []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err = v.call(ctx, "/org/freedesktop/secrets", "Service.Unlock", []dbus.ObjectPath{v.collection}).Store(&opened, &prompt)
	if err != nil {
		return nil, fmt.Errorf("could not open the keyring: %w", err)
	}
	if len(opened) != 1 {
		return nil, errors.New("gnome-keyring wants a password for the keyring")
	}
	v.firstRead = time.Since(began)
	return v, nil
}

func (v *vault) call(ctx context.Context, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return v.bus.Object(daemontest.SecretsName, path).CallWithContext(ctx, "org.freedesktop.Secret."+method, 0, args...)
}

// count returns how many items the keyring holds.
func (v *vault) count(ctx context.Context) (int, error) {
	all, err := v.bus.Object(daemontest.SecretsName, v.collection).GetProperty("org.freedesktop.Secret.Collection.Items")
	if err != nil {
		return 0, fmt.Errorf("could not count the items: %w", err)
	}
	paths, _ := all.Value().([]dbus.ObjectPath)
	return len(paths), ctx.Err()
}

// find returns the path of the item of a service and user name, of which there
// must be one.
func (v *vault) find(ctx context.Context, i item) (dbus.ObjectPath, error) {
	var paths []dbus.ObjectPath
	err := v.call(ctx, v.collection, "Collection.SearchItems",
		map[string]string{"service": i.service, "username": i.user}).Store(&paths)
	if err != nil {
		return "", fmt.Errorf("could not search for the item of the link: %w", err)
	}
	if len(paths) != 1 {
		return "", fmt.Errorf("there are %d items of the link", len(paths))
	}
	return paths[0], nil
}

// secret returns what an item holds.
func (v *vault) secret(ctx context.Context, path dbus.ObjectPath) (string, error) {
	var none dbus.Variant
	var session dbus.ObjectPath
	err := v.call(ctx, "/org/freedesktop/secrets", "Service.OpenSession", "plain", dbus.MakeVariant("")).Store(&none, &session)
	if err != nil {
		return "", fmt.Errorf("could not open a session: %w", err)
	}
	var answer struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}
	if err := v.call(ctx, path, "Item.GetSecret", session).Store(&answer); err != nil {
		return "", fmt.Errorf("could not read the item of the link: %w", err)
	}
	return string(answer.Value), nil
}

// remove deletes an item.
func (v *vault) remove(ctx context.Context, path dbus.ObjectPath) error {
	if err := v.call(ctx, path, "Item.Delete").Err; err != nil {
		return fmt.Errorf("could not remove the item of the link: %w", err)
	}
	return nil
}
