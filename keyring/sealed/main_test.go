//go:build unix

package sealed_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"golang.org/x/sys/unix"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

// The test binary is also the other process: it does what this variable says
// to the file and with the key file that its arguments name. Under the name of
// an age plugin, it is one.
const role = "SEALED_TEST_ROLE"

// hungSocket is where a plugin that hangs says so.
const hungSocket = "SEALED_TEST_SOCKET"

const (
	pluginName    = "authringtest"
	pluginProgram = "age-plugin-" + pluginName
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == pluginProgram {
		os.Exit(runPlugin())
	}
	var err error
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "rewrite":
		err = rewrite(other())
	case "count":
		err = count(other(), os.Args[3])
	case "set":
		err = other().Set(context.Background(), testKey(os.Args[3]), secret.New(os.Args[4]), keyring.NoPrompt)
	case "delete":
		err = other().Delete(context.Background(), testKey(os.Args[3]), keyring.NoPrompt)
	case "full disk":
		err = onFullDisk(other())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func other() *sealed.Keyring {
	return sealed.New(sealed.WithPath(os.Args[1]), sealed.WithKeyFile(os.Args[2]))
}

// runPlugin is a plugin whose identities hold identities of age's own.
func runPlugin() int {
	p, err := plugin.New(pluginName)
	if err != nil {
		return 1
	}
	parse := func(data []byte) (*age.X25519Identity, error) {
		switch os.Getenv(role) {
		case "plugin that hangs":
			return nil, hang()
		case "plugin that asks":
			pin, err := p.RequestValue("PIN for the test", true)
			if err != nil || pin != "1234" {
				return nil, errors.New("the PIN was not given")
			}
		}
		return age.ParseX25519Identity(string(data))
	}
	p.HandleIdentity(func(data []byte) (age.Identity, error) { return parse(data) })
	p.HandleIdentityAsRecipient(func(data []byte) (age.Recipient, error) {
		if os.Getenv(role) == "plugin that hangs" {
			return nil, hang()
		}
		identity, err := age.ParseX25519Identity(string(data))
		if err != nil {
			return nil, err
		}
		return identity.Recipient(), nil
	})
	return p.Main()
}

// hang says so at the socket of the test, and never comes back.
func hang() error {
	signal.Ignore(os.Interrupt)
	if _, err := net.Dial("unix", os.Getenv(hungSocket)); err != nil {
		return err
	}
	select {}
}

// rewrite replaces one secret again and again, until it is killed.
func rewrite(k *sealed.Keyring) error {
	for i := 0; ; i++ {
		value := secret.New(strings.Repeat(string(rune('a'+i%26)), 2000))
		if err := k.Set(context.Background(), testKey("rewritten"), value, keyring.NoPrompt); err != nil {
			return err
		}
		if i == 0 {
			fmt.Println("writing")
		}
	}
}

// count writes ten secrets of its own.
func count(k *sealed.Keyring, name string) error {
	for i := range 10 {
		key := testKey(fmt.Sprint(name, "-", i))
		if err := k.Set(context.Background(), key, secret.New(key.User), keyring.NoPrompt); err != nil {
			return err
		}
	}
	return nil
}

// onFullDisk writes where a file can have no more than 10 bytes.
func onFullDisk(k *sealed.Keyring) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 10, Max: 10}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return k.Set(context.Background(), testKey("a"), secret.New("new"), keyring.NoPrompt)
}

// another returns this program in another role, not yet started.
func another(t *testing.T, as string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), role+"="+as, "GORACE=atexit_sleep_ms=0")
	return cmd
}

func testKey(user string) keyring.Key { return keyring.Key{Service: "authring", User: user} }
