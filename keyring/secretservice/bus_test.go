package secretservice_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/secretservice"
	"github.com/authring/authring/secret"
)

// Neither making nor using the keyring of a session without a bus starts one.
func TestNoBus(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte("#!/bin/sh\n: > "+mark+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("DISPLAY", ":0")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	for _, address := range []string{"", "autolaunch:"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		k := secretservice.New()
		for _, err := range all(bounded(t), k) {
			wantError(t, err, keyring.ErrAbsent)
		}
		if status := wantAvailability(t, k, keyring.Absent); !strings.Contains(status.Detail, "no session bus") {
			t.Errorf("Probe().Detail = %q", status.Detail)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("dbus-launch was called")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(dir, "gone"))
	k := secretservice.New()
	for _, err := range all(bounded(t), k) {
		if wantError(t, err, keyring.ErrUnavailable); errors.Is(err, keyring.ErrAbsent) {
			t.Errorf("a bus that is named and not there: %v", err)
		}
	}
	wantAvailability(t, k, keyring.Unavailable)
}

func TestNoProvider(t *testing.T) {
	desk := daemontest.NewDesk(t)
	k := onDesk(desk)
	for _, err := range all(bounded(t), k) {
		wantError(t, err, keyring.ErrAbsent)
	}
	wantAvailability(t, k, keyring.Absent)
}

func TestProviderThatTheBusStarts(t *testing.T) {
	needs.Programs(t, "gnome-keyring-daemon")
	dir := t.TempDir()
	service := "[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/usr/bin/env gnome-keyring-daemon --start --foreground --components=secrets\n"
	if err := os.WriteFile(filepath.Join(dir, "secrets.service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	desk := daemontest.NewDesk(t, daemontest.WithServiceDir(dir))
	k := onDesk(desk)
	for range 2 {
		// Looking does not start it.
		wantAvailability(t, k, keyring.Startable)
	}
	_, err := k.Get(bounded(t), account, keyring.NoPrompt)
	wantError(t, err, keyring.ErrUnavailable) // it has no keyring yet
	if status := wantAvailability(t, k, keyring.Unavailable); status.Name != "GNOME Keyring" {
		t.Errorf("Probe().Name = %q", status.Name)
	}
}

func TestProviderThatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	service := "[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/false\n"
	if err := os.WriteFile(filepath.Join(dir, "secrets.service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	k := onDesk(daemontest.NewDesk(t, daemontest.WithServiceDir(dir)))
	for _, err := range all(bounded(t), k) {
		wantError(t, err, keyring.ErrUnavailable)
	}
}

func TestDaemonStartedAnew(t *testing.T) {
	for _, locked := range []bool{false, true} {
		desk := daemontest.NewDesk(t)
		daemon := daemontest.StartGNOME(t, desk)
		k := onDesk(desk)
		mustSet(t, k, account, "first")
		for i := range 3 {
			daemon.Stop(t)
			_, err := k.Get(bounded(t), account, keyring.NoPrompt)
			wantError(t, err, keyring.ErrUnavailable)
			if locked {
				daemon.StartLocked(t)
				_, err := k.Get(bounded(t), account, keyring.NoPrompt)
				wantError(t, err, keyring.ErrLocked)
				daemon.Stop(t)
			}
			daemon.StartUnlocked(t)
			value := fmt.Sprint("value ", i)
			mustSet(t, k, account, value)
			wantValue(t, k, account, keyring.NoPrompt, value)
		}
	}
}

// Without a failed call in between, too: the kept session is of no use, and
// nothing that is sealed for it may reach the new daemon.
func TestDaemonStartedAnewUnnoticed(t *testing.T) {
	desk := daemontest.NewDesk(t)
	daemon := daemontest.StartGNOME(t, desk)
	k := onDesk(desk)
	for i := range 3 {
		value := fmt.Sprint("value ", i)
		mustSet(t, k, account, value)
		daemon.Stop(t)
		daemon.StartUnlocked(t)
		wantValue(t, k, account, keyring.NoPrompt, value)
		daemon.Stop(t)
		daemon.StartUnlocked(t)
		mustSet(t, k, account, value+" again")
		daemon.Stop(t)
		daemon.StartUnlocked(t)
		if err := k.Delete(bounded(t), account, keyring.NoPrompt); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnotherBus(t *testing.T) {
	first, second := daemontest.NewDesk(t), daemontest.NewDesk(t)
	daemontest.StartGNOME(t, first)
	daemontest.StartGNOME(t, second)
	address := first.Address
	k := secretservice.New(secretservice.WithBusAddress(func() (string, error) { return address, nil }))
	mustSet(t, k, account, "first")
	first.StopBus(t)
	_, err := k.Get(bounded(t), account, keyring.NoPrompt)
	wantError(t, err, keyring.ErrUnavailable)
	address = second.Address
	_, err = k.Get(bounded(t), account, keyring.NoPrompt)
	wantError(t, err, keyring.ErrNotFound)
	mustSet(t, k, account, "second")
	wantValue(t, k, account, keyring.NoPrompt, "second")
}

func TestManyTogether(t *testing.T) {
	desk := daemontest.NewDesk(t)
	daemontest.StartGNOME(t, desk)
	mustSet(t, onDesk(desk), account, "token")
	k := onDesk(desk)
	done := make(chan error, 50)
	for range cap(done) {
		go func() {
			got, err := k.Get(t.Context(), account, keyring.NoPrompt)
			if err == nil && got.Reveal() != "token" {
				err = errors.New("another value")
			}
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var names []string
	if err := desk.Connect(t).BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	// The bus, the keyring, the daemon, two of daemontest, two of ours: each
	// with a unique name, and the two names that are well known.
	if len(names) > 9 {
		t.Errorf("%d names on the bus: %q", len(names), names)
	}
}

// record runs do while dbus-monitor records all that crosses the bus.
func record(t *testing.T, desk *daemontest.Desk, do func()) []byte {
	t.Helper()
	needs.Programs(t, "dbus-monitor")
	cmd := desk.Command("dbus-monitor", "--binary")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	r := bufio.NewReader(out)
	// It listens once it has told of its own name.
	if _, err := r.Peek(1); err != nil {
		t.Fatalf("dbus-monitor: %v", err)
	}
	do()
	const marker = "org.example.end.of.recording"
	_ = desk.Connect(t).BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, marker).Err
	var seen bytes.Buffer
	for buf := make([]byte, 64<<10); !bytes.Contains(seen.Bytes(), []byte(marker)); {
		n, err := r.Read(buf)
		seen.Write(buf[:n])
		if err != nil {
			t.Fatalf("dbus-monitor ended early: %v", err)
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return seen.Bytes()
}

func TestSecretDoesNotCrossTheBusInClear(t *testing.T) {
	const value = "refresh-token-that-nobody-may-overhear"
	use := func(desk *daemontest.Desk) func() {
		return func() {
			k := onDesk(desk)
			for i := range 2 {
				if err := k.Set(bounded(t), account, secret.New(value+fmt.Sprint(i)), keyring.AskUser); err != nil {
					t.Fatal(err)
				}
				wantValue(t, k, account, keyring.NoPrompt, value+fmt.Sprint(i))
			}
		}
	}
	for _, provider := range providers {
		t.Run(provider.name, func(t *testing.T) {
			desk := daemontest.NewDesk(t)
			provider.start(t, desk)
			seen := record(t, desk, use(desk))
			if !bytes.Contains(seen, []byte("GetSecret")) || bytes.Contains(seen, []byte(value)) {
				t.Errorf("the secret crossed the bus in clear, or nothing was recorded (%d bytes)", len(seen))
			}
		})
	}
	// The recording does show what is in clear.
	desk := daemontest.NewDesk(t)
	startFake(t, desk, nil)
	if !bytes.Contains(record(t, desk, use(desk)), []byte(value)) {
		t.Error("a recording of a plain session lacks the secret: this test proves nothing")
	}
}

func TestDefaultIsTheSessionBus(t *testing.T) {
	desk := daemontest.NewDesk(t)
	daemontest.StartGNOME(t, desk)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", desk.Address)
	k := secretservice.New()
	mustSet(t, k, account, "token")
	wantValue(t, k, account, keyring.NoPrompt, "token")
	if address, err := sessionbus.Address(); err != nil || address != desk.Address {
		t.Errorf("Address() = %q, %v", address, err)
	}
}

func BenchmarkGet(b *testing.B) {
	for _, provider := range providers {
		b.Run(provider.name, func(b *testing.B) {
			desk := daemontest.NewDesk(b)
			provider.start(b, desk)
			kept := onDesk(desk)
			if err := kept.Set(b.Context(), account, secret.New("token"), keyring.AskUser); err != nil {
				b.Fatal(err)
			}
			get := func(b *testing.B, k keyring.Keyring) {
				if _, err := k.Get(b.Context(), account, keyring.NoPrompt); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("kept connection", func(b *testing.B) {
				for b.Loop() {
					get(b, kept)
				}
			})
			b.Run("new connection", func(b *testing.B) {
				for b.Loop() {
					k := onDesk(desk)
					get(b, k)
					k.Disconnect()
				}
			})
		})
	}
}
