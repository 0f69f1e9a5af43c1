package sealed_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age/plugin"
	"golang.org/x/sys/unix"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

// TestPluginThatHangs: the wait ends with the context, and so does that of
// others; the plugin is killed with the call that it kept waiting, and not
// before; and the next caller is not kept out.
func TestPluginThatHangs(t *testing.T) {
	path := newPath(t)
	k := sealed.New(sealed.WithPath(path), sealed.WithIdentityFile(installPlugin(t)))
	set(t, k, "a", "value")
	k = sealed.New(sealed.WithPath(path))

	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	if err := listener.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	t.Setenv(hungSocket, socket)
	t.Setenv(role, "plugin that hangs")
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() {
			_, err := k.Get(ctx, testKey("a"), keyring.NoPrompt)
			ended <- err
		}()
		hung, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		impatient, late := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := k.Get(impatient, testKey("a"), keyring.NoPrompt); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get meanwhile = %v, want context.DeadlineExceeded", err)
		}
		late()
		if _, err := hung.Write([]byte("x")); err != nil {
			t.Errorf("who was in nobody's way is gone: %v", err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Get = %v, want context.Canceled", err)
		}
		wantEnd(t, hung)
	}

	// Nor is one left that makes a new file.
	fresh := sealed.New(sealed.WithPath(newPath(t)), sealed.WithIdentityFile(installPlugin(t)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- fresh.Set(ctx, testKey("a"), secret.New("value"), keyring.NoPrompt) }()
	hung, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Set = %v, want context.Canceled", err)
	}
	wantEnd(t, hung)

	t.Setenv(role, "")
	want(t, k, "a", "value")
}

// TestScriptThatHangs: a plugin that is a script has started another program,
// which has the script's output open.
func TestScriptThatHangs(t *testing.T) {
	folder := t.TempDir()
	begun := filepath.Join(folder, "begun")
	script := "#!/bin/sh\nsleep 3600 &\necho x > '" + begun + "'\nwait\n"
	if err := os.WriteFile(filepath.Join(folder, pluginProgram), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	identity := writeFile(t, "identity", plugin.EncodeIdentity(pluginName, []byte("any"))+"\n")
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	k := sealed.New(sealed.WithPath(newPath(t)), sealed.WithIdentityFile(identity))
	for range 2 { // the second is not kept out by the first
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- k.Set(ctx, testKey("a"), secret.New("value"), keyring.NoPrompt) }()
		pipe, err := os.OpenFile(begun, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := pipe.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := pipe.Read(make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		if err := pipe.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Set = %v, want context.Canceled", err)
		}
	}
}

// wantEnd waits until the plugin at the other end is gone.
func wantEnd(t *testing.T, hung net.Conn) {
	t.Helper()
	defer hung.Close()
	if err := hung.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := hung.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the plugin lives: %v", err)
	}
}
