//go:build linux

package doctor_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/doctor"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/secret"
)

// deaf is a keyring that lets every call hang, whatever its context says.
type deaf struct{ release chan struct{} }

func (d deaf) ID() keyring.ID { return "deaf" }

func (d deaf) Probe(context.Context) keyring.Status {
	<-d.release
	return keyring.Status{}
}

func (d deaf) Get(context.Context, keyring.Key, keyring.Prompt) (secret.Secret, error) {
	<-d.release
	return secret.Secret{}, errors.New("released")
}

func (d deaf) Set(context.Context, keyring.Key, secret.Secret, keyring.Prompt) error {
	return errors.New("not asked for")
}

func (d deaf) Delete(context.Context, keyring.Key, keyring.Prompt) error {
	return errors.New("not asked for")
}

// ready is deaf once it is used, and not when it is looked at.
type ready struct{ deaf }

func (r ready) Probe(context.Context) keyring.Status {
	return keyring.Status{Availability: keyring.Ready, Name: "deaf"}
}

type broken struct{ deaf }

func (broken) ID() keyring.ID { return "broken" }

func (broken) Probe(context.Context) keyring.Status { panic("a fault that names a secret") }

func TestEverythingHangs(t *testing.T) {
	w := newWard(t, nil)
	w.link("default", inPlaintext)
	rec, err := w.layout.Load("default")
	if err != nil {
		t.Fatal(err)
	}
	// A keyring that hangs when it is read, one that hangs when it is looked
	// at, a bus that takes connections and is silent, and a silent server.
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	rec.Keyring = "deaf"
	if err := w.layout.Save("default", rec); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(shortFolder(t), "bus")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+socket)
	w.dropbox.SetFault("all:hang")
	second := deaf{release}

	report := w.examine(func(p *doctor.Patient) {
		p.Bound = time.Second
		p.Keyrings = append(p.Keyrings, ready{deaf{release}}, other{second})
	})
	want(t, report, "bus-silent", doctor.Fail, "did not answer")
	want(t, report, "keyring-silent", doctor.Warn, "did not answer")
	unseen, silent := map[string]bool{}, map[string]bool{}
	for _, f := range report.Findings {
		unseen[f.Area] = unseen[f.Area] || f.ID == "no-answer"
		silent[f.Area] = silent[f.Area] || f.ID == "silent"
		if f.Area == "network" && f.ID == "silent" && f.Detail != "it took the connection" {
			t.Errorf("the server is said to be silent as %q", f.Detail)
		}
	}
	if !silent["network"] || !silent["links"] || unseen["links"] {
		t.Errorf("what hangs is not told where it is felt:\n%s", shown(report))
	}
	if unseen["files"] || unseen["notes"] || unseen["locks"] {
		t.Errorf("what does not hang was not examined:\n%s", shown(report))
	}
}

type other struct{ deaf }

func (other) ID() keyring.ID { return "other" }

// The usual bound, on a clock of its own.
func TestBound(t *testing.T) {
	w := newWard(t, nil)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		began := time.Now()
		report := doctor.Examine(t.Context(), doctor.Patient{
			App: "authring", Config: "default", Provider: w.provider, Offline: true, Keyrings: []keyring.Keyring{deaf{release}},
			Command: func(string, string, ...string) string { <-release; return "" }, Quote: func(string) string { return "" },
			Getenv: func(string) string { return "" },
		})
		if took := time.Since(began); took >= 10*time.Second {
			t.Errorf("it took %v", took)
		}
		want(t, report, "keyring-silent", doctor.Warn)
		want(t, report, "no-answer", doctor.Fail, "authring doctor") // of what asks for a command
		close(release)
	})
}

func TestCancelled(t *testing.T) {
	w := newWard(t, nil)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report := doctor.Examine(ctx, doctor.Patient{
		App: "authring", Config: "default", Provider: w.provider, Keyrings: []keyring.Keyring{deaf{release}},
		Command: func(string, string, ...string) string { return "" }, Quote: func(string) string { return "" },
		Getenv: func(string) string { return "" },
	})
	if len(report.Findings) == 0 {
		t.Error("nothing was found")
	}
}

func TestFaultOfOurOwn(t *testing.T) {
	w := newWard(t, nil)
	report := w.examine(func(p *doctor.Patient) {
		p.Keyrings = []keyring.Keyring{broken{}, keyringtest.NewMemory(keyring.SecretService)}
	})
	want(t, report, "keyring-unavailable", doctor.Note, "authring has a fault")
	want(t, report, "keyring-ready", doctor.OK)
	report = w.examine(func(p *doctor.Patient) {
		p.Command = func(string, string, ...string) string { panic("a fault that names a secret") }
	})
	if f := want(t, report, "fault", doctor.Fail); f.Detail != "string" {
		t.Errorf("the fault says %q", f.Detail)
	}
	want(t, report, "files-sound", doctor.OK)
}

func TestDeskOfGNOME(t *testing.T) {
	desk := daemontest.NewDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	w := newWard(t, desk)
	s := w.link("default")
	refresh, err := s.RefreshToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dropboxRefresh = refresh.Reveal()
	t.Cleanup(func() { dropboxRefresh = "(none so far)" })

	report := w.examine()
	wantNoFail(t, report)
	want(t, report, "bus-answers", doctor.OK)
	want(t, report, "secret-service-owner", doctor.OK, "gnome-keyring-d (pid ")
	want(t, report, "collection-open", doctor.OK, "login")
	want(t, report, "secret-readable", doctor.OK, "secret-service")
	want(t, report, "server-answers", doctor.OK)
	want(t, report, "clock", doctor.OK)
	want(t, report, "token-works", doctor.OK)
	if len(report.History["default"]) == 0 {
		t.Error("there is no history")
	}

	// A copy elsewhere.
	rec := s.Record()
	key := keyring.Key{Service: "authring", User: "config:default:" + rec.AccountID}
	plain := w.keyrings[len(w.keyrings)-1]
	if err := plain.Set(t.Context(), key, secret.New("another"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	want(t, w.examine(), "copy", doctor.Warn, "plaintext holds a secret", "PlaintextKeyring del")
	if err := plain.Delete(t.Context(), key, keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}

	// The item is deleted behind our back.
	held, err := w.keyrings[0].Get(t.Context(), key, keyring.NoPrompt)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.keyrings[0].Delete(t.Context(), key, keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	f := want(t, w.examine(), "secret-missing", doctor.Fail, "link -c default --relink")
	if f.Cause != doctor.Unavailable {
		t.Errorf("its cause is %v", f.Cause)
	}
	if err := w.keyrings[0].Set(t.Context(), key, held, keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}

	// The grant is revoked.
	w.dropbox.Revoke(rec.AccountID)
	report = w.examine()
	want(t, report, "token-revoked", doctor.Fail)
	if worst, _ := report.Worst("default"); worst.Cause != doctor.Revoked {
		t.Errorf("the worst is %+v", worst)
	}

	// Locked, with somebody before the screen who must not be asked.
	gnome.Lock(t)
	asked := daemontest.StartPrompter(t, desk).Asked
	report = w.examine()
	want(t, report, "collection-locked", doctor.Warn)
	want(t, report, "locked", doctor.Warn, "--wait-keyring")
	want(t, report, "token-untried", doctor.Note)
	select {
	case <-asked:
		t.Error("somebody was asked")
	default:
	}

	// Gone.
	gnome.Stop(t)
	report = w.examine()
	want(t, report, "secret-service-absent", doctor.Note)
	want(t, report, "unavailable", doctor.Fail)

	desk.StopBus(t)
	want(t, w.examine(), "bus-unreachable", doctor.Fail)
}

func TestDeskOfKDE(t *testing.T) {
	desk := daemontest.NewDesk(t)
	wallet := daemontest.StartKWallet(t, desk)
	w := newWard(t, desk)
	w.link("default")
	report := w.examine()
	wantNoFail(t, report)
	want(t, report, "kwallet-owner", doctor.OK, "kwalletd5 (pid ")
	want(t, report, "secret-readable", doctor.OK, "kwallet")
	wallet.Close(t)
	want(t, w.examine(), "locked", doctor.Warn)
	if wallet.IsOpen(t) {
		t.Error("the wallet was opened")
	}
}
