//go:build unix

package plaintext_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/secret"
)

// The test binary is also the other process: it does what this variable says
// to the file named by its first argument.
const role = "PLAINTEXT_TEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "rewrite":
		err = rewrite(os.Args[1])
	case "count":
		err = count(os.Args[1], os.Args[2])
	case "full disk":
		err = onFullDisk(os.Args[1])
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// rewrite replaces one secret again and again, until it is killed.
func rewrite(path string) error {
	k := plaintext.New(plaintext.WithPath(path))
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
func count(path, name string) error {
	k := plaintext.New(plaintext.WithPath(path))
	for i := range 10 {
		key := testKey(fmt.Sprint(name, "-", i))
		if err := k.Set(context.Background(), key, secret.New(key.User), keyring.NoPrompt); err != nil {
			return err
		}
	}
	return nil
}

// onFullDisk writes where a file can have no more than 10 bytes.
func onFullDisk(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 10, Max: 10}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return plaintext.New(plaintext.WithPath(path)).
		Set(context.Background(), testKey("a"), secret.New("new"), keyring.NoPrompt)
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
	cmd.Env = append(os.Environ(), role+"="+as)
	return cmd
}

func testKey(user string) keyring.Key { return keyring.Key{Service: "authring", User: user} }
