package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
)

type examined struct {
	ExitCode int `json:"exit_code"`
	Findings []struct {
		ID, Area, Severity, Title, Detail, Cure string
	}
}

func (p *person) doctor(code int, args ...string) map[string]string {
	p.t.Helper()
	stdout, stderr := p.want(code, "", append([]string{"doctor", "--json"}, args...)...)
	var report examined
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		p.t.Fatalf("%v in:\n%s", err, stdout)
	}
	if report.ExitCode != code || stderr != "" {
		p.t.Errorf("exit_code is %d, and stderr %q", report.ExitCode, stderr)
	}
	found := map[string]string{}
	for _, f := range report.Findings {
		found[f.ID] = f.Severity + ": " + f.Title + " " + f.Detail + " " + f.Cure
	}
	return found
}

// A provider, a bus and a server that let everybody wait: all of it is told,
// and the doctor ends by itself.
func TestDoctorWhenEverythingHangs(t *testing.T) {
	t.Run("provider and server", func(t *testing.T) {
		p, desk := onDesk(t)
		daemon := daemontest.StartGNOME(t, desk)
		p.link()
		daemon.Stop(t)
		end := make(chan struct{})
		t.Cleanup(func() { close(end) })
		conn := desk.Connect(t)
		methods := map[string]any{"ReadAlias": func(string) (dbus.ObjectPath, *dbus.Error) { <-end; return "/", nil }}
		if err := conn.ExportMethodTable(methods, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.RequestName(daemontest.SecretsName, dbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
		p.dropbox.SetFault("all:hang")
		found := p.doctor(5)
		for _, id := range []string{"collection-unknown", "keyring-unavailable", "unavailable"} {
			if want := fmt.Sprintf("kill %d", os.Getpid()); !strings.HasSuffix(found[id], want) {
				t.Errorf("%s is %q, with no %q", id, found[id], want)
			}
		}
		for _, id := range []string{"collection-unknown", "unavailable", "silent"} {
			if !strings.Contains(found[id], "fail: ") || !strings.Contains(found[id], "not answer") {
				t.Errorf("%s is %q among %v", id, found[id], found)
			}
		}
	})
	t.Run("bus", func(t *testing.T) {
		p, desk := onDesk(t)
		daemontest.StartGNOME(t, desk)
		p.link()
		socket := filepath.Join(desk.Runtime, "silent")
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		p.env = append(p.env, "DBUS_SESSION_BUS_ADDRESS=unix:path="+socket)
		found := p.doctor(5, "--offline")
		if !strings.Contains(found["bus-silent"], "did not answer") || !strings.Contains(found["bus-silent"], "DBUS_SESSION_BUS_ADDRESS") || !strings.Contains(found["unavailable"], "fail: ") {
			t.Errorf("found %v", found)
		}
	})
}

// A daemon that is stopped holds up everybody; it is named as stopped, and goes
// on with what is typed.
func TestDoctorAndAStoppedKeyring(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	p.link()
	if err := syscall.Kill(gnome.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	found := p.doctor(5)
	cure := fmt.Sprintf("kill -CONT %d", gnome.PID())
	for _, id := range []string{"collection-unknown", "keyring-unavailable", "unavailable"} {
		if !strings.HasSuffix(found[id], " "+cure) {
			t.Errorf("%s is %q, with no %q", id, found[id], cure)
		}
	}
	if strings.Contains(fmt.Sprint(found), "KWallet is running") {
		t.Errorf("KWallet takes the blame: %v", found)
	}
	if out, err := desk.Command("sh", "-c", cure).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if found = p.doctor(0); !strings.HasPrefix(found["secret-readable"], "ok: ") {
		t.Errorf("afterwards it finds %v", found)
	}
}

// A proxy that takes connections and says nothing is told from the server.
func TestDoctorAndASilentProxy(t *testing.T) {
	p := newPerson(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p.env = append(p.env, "AUTHRING_DROPBOX_URL=", "HTTPS_PROXY=http://ada:hunter2@"+listener.Addr().String())
	found := p.doctor(2)
	if got := found["proxy-silent"]; !strings.HasPrefix(got, "fail: ") || !strings.HasSuffix(got, "unset HTTPS_PROXY") {
		t.Errorf("it finds %v", found)
	}
	if strings.Contains(fmt.Sprint(found), "hunter") {
		t.Errorf("it shows the proxy's password: %v", found)
	}
}

// At the desktop, with a terminal: the page has colours, and nobody is asked.
func TestDoctorAtATerminal(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	p.link()
	term := p.run(nil, "doctor")
	term.expect("\x1b[32m✓\x1b[0m The Secret Service is offered by gnome-keyring-d (pid ")
	term.expect("Nothing is wrong.")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	gnome.Lock(t)
	asked := daemontest.StartPrompter(t, desk).Asked
	found := p.doctor(0)
	if !strings.Contains(found["locked"], "warn: ") {
		t.Errorf("found %v", found)
	}
	select {
	case <-asked:
		t.Error("somebody was asked for the password")
	default:
	}
}
