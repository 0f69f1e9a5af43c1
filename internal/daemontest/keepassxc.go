package daemontest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/needs"
)

// KeePassXCPassword opens the database of [StartKeePassXC].
const KeePassXCPassword = "database-password"

// keepassxcDatabase is an empty database whose root group is exposed to the
// Secret Service.
const keepassxcDatabase = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<KeePassFile>
 <Meta>
  <DatabaseName>test</DatabaseName>
  <CustomData><Item>
   <Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{00112233-4455-6677-8899-aabbccddeeff}</Value>
  </Item></CustomData>
 </Meta>
 <Root><Group><UUID>ABEiM0RVZneImaq7zN3u/w==</UUID><Name>Root</Name></Group></Root>
</KeePassFile>
`

// keepassxcSettings switch the Secret Service on, and the saving after every
// change off: KeePassXC 2.7.4 crashes once in some thousand times when an entry
// is deleted while it saves.
const keepassxcSettings = `[General]
UpdateCheckMessageShown=true
SingleInstance=false
AutoSaveAfterEveryChange=false

[FdoSecrets]
Enabled=true
ShowNotification=false
`

// KeePassXC is KeePassXC on a desk, with its window where nobody sees it.
type KeePassXC struct {
	desk     *Desk
	bus      *dbus.Conn
	cmd      *exec.Cmd
	env      []string
	database string
}

// KeePassXCOption changes how [StartKeePassXC] leaves the program.
type KeePassXCOption func(*keepassxcOptions)

type keepassxcOptions struct{ confirm bool }

// WithConfirmation keeps the settings that KeePassXC comes with: it asks its
// user before a program reads or deletes an entry.
func WithConfirmation() KeePassXCOption { return func(o *keepassxcOptions) { o.confirm = true } }

// StartKeePassXC starts KeePassXC with an open database that it offers as the
// Secret Service.
func StartKeePassXC(tb testing.TB, d *Desk, opts ...KeePassXCOption) *KeePassXC {
	tb.Helper()
	needs.Programs(tb, "keepassxc", "keepassxc-cli")
	var o keepassxcOptions
	for _, opt := range opts {
		opt(&o)
	}
	k := &KeePassXC{desk: d, bus: d.Connect(tb), database: filepath.Join(d.Home, "test.kdbx")}
	k.env = d.Environ("QT_QPA_PLATFORM=offscreen")
	settings := keepassxcSettings
	if !o.confirm {
		settings += "ConfirmDeleteItem=false\nConfirmAccessItem=false\n"
	}
	k.write(tb, filepath.Join(d.Home, ".config", "keepassxc", "keepassxc.ini"), settings)
	source := filepath.Join(d.Home, "test.xml")
	k.write(tb, source, keepassxcDatabase)
	// A key that is derived in no time: the test's own.
	create := d.Command("keepassxc-cli", "import", "-q", "-p", "-t", "100", source, k.database)
	create.Env = k.env
	create.Stdin = strings.NewReader(KeePassXCPassword + "\n" + KeePassXCPassword + "\n")
	if out, err := create.CombinedOutput(); err != nil {
		tb.Fatalf("keepassxc-cli made no database: %v\n%s", err, out)
	}
	k.Start(tb, true)
	return k
}

func (k *KeePassXC) write(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Start starts KeePassXC, and waits for the database if it is to be opened.
func (k *KeePassXC) Start(tb testing.TB, open bool) {
	tb.Helper()
	args := []string{}
	if open {
		args = []string{"--pw-stdin", k.database}
	}
	k.cmd = k.desk.Command("keepassxc", args...)
	k.cmd.Env = k.env
	k.cmd.Stdin = strings.NewReader(KeePassXCPassword)
	start(tb, k.cmd)
	WaitForName(tb, k.bus, SecretsName)
	if open {
		k.waitFor(tb, "an open database", k.isOpen)
	}
}

func (k *KeePassXC) isOpen() bool {
	var path dbus.ObjectPath
	err := k.bus.Object(SecretsName, secretsPath).Call(secretsCalls+"ReadAlias", 0, "default").Store(&path)
	if err != nil || path == "/" {
		return false
	}
	locked, err := k.bus.Object(SecretsName, path).GetProperty("org.freedesktop.Secret.Collection.Locked")
	return err == nil && locked.Value() == false
}

// Stop kills KeePassXC, without a chance to say goodbye.
func (k *KeePassXC) Stop(tb testing.TB) {
	tb.Helper()
	stop(k.cmd)
	WaitForNoName(tb, k.bus, SecretsName)
}

// Lock locks the database, as its user does from the menu.
func (k *KeePassXC) Lock(tb testing.TB) {
	tb.Helper()
	k.window(tb, "lockAllDatabases")
	k.waitFor(tb, "a locked database", func() bool { return !k.isOpen() })
}

// Unlock opens the database again.
func (k *KeePassXC) Unlock(tb testing.TB) {
	tb.Helper()
	k.window(tb, "openDatabase", k.database, KeePassXCPassword)
	k.waitFor(tb, "an open database", k.isOpen)
}

func (k *KeePassXC) window(tb testing.TB, method string, args ...any) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := k.bus.Object("org.keepassxc.KeePassXC.MainWindow", "/keepassxc").
		CallWithContext(ctx, "org.keepassxc.KeePassXC.MainWindow."+method, 0, args...).Err
	if err != nil {
		tb.Fatalf("KeePassXC, %s: %v", method, err)
	}
}

// waitFor asks every now and then: KeePassXC does not announce everything.
func (k *KeePassXC) waitFor(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	deadline := time.After(30 * time.Second)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-deadline:
			tb.Fatalf("waited 30 s for KeePassXC to have %s", what)
		}
	}
}
