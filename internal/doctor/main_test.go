//go:build linux

package doctor_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/doctor"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/system"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// ward is a home, a Dropbox, and perhaps a desk.
type ward struct {
	t        *testing.T
	dropbox  *dropboxtest.Server
	provider *provider.Provider
	keyrings []keyring.Keyring
	layout   record.Layout
}

func newWard(t *testing.T, desk *daemontest.Desk, opts ...dropboxtest.Option) *ward {
	t.Helper()
	home, address, runtime := t.TempDir(), "", ""
	if desk != nil {
		home, address, runtime = desk.Home, desk.Address, desk.Runtime
	}
	for name, value := range map[string]string{
		"HOME": home, "DBUS_SESSION_BUS_ADDRESS": address, "XDG_RUNTIME_DIR": runtime, "XDG_CURRENT_DESKTOP": "",
		"XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "", "XDG_DATA_HOME": "", "SNAP": "", "FLATPAK_ID": "", "KDE_FULL_SESSION": "",
	} {
		t.Setenv(name, value)
	}
	w := &ward{t: t, dropbox: dropboxtest.NewServer(opts...), keyrings: system.Keyrings()}
	t.Cleanup(w.dropbox.Close)
	w.at(w.dropbox.URL)
	var err error
	if w.layout, err = record.NewLayout("authring"); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *ward) at(url string) {
	w.t.Helper()
	var err error
	if w.provider, err = provider.DropboxAt(url); err != nil {
		w.t.Fatal(err)
	}
}

// link links a config name for good.
func (w *ward) link(config string, opts ...authring.Option) *authring.Session {
	w.t.Helper()
	s, err := authring.Open(config, append([]authring.Option{authring.WithProvider(w.provider), authring.WithKeyrings(w.keyrings...)}, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	code, err := w.dropbox.Approve(s.AuthURL())
	if err == nil {
		err = s.VerifyAuthToken(w.t.Context(), code)
	}
	if err == nil {
		_, err = s.SaveCreds(w.t.Context())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// examine has the doctor look, and checks what holds of every report: it names
// areas and cures, shows no secret, and leaves no trace.
func (w *ward) examine(change ...func(*doctor.Patient)) doctor.Report {
	w.t.Helper()
	p := w.patient()
	for _, c := range change {
		c(&p)
	}
	before := w.files()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	report := doctor.Examine(ctx, p)
	text, err := json.Marshal(report)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, mark := range []string{"sl.", dropboxRefresh} {
		if strings.Contains(string(text), mark) {
			w.t.Errorf("the report may hold a secret (%q):\n%s", mark, text)
		}
	}
	for _, f := range report.Findings {
		if f.ID == "" || f.Area == "" || f.Title == "" || f.Severity > doctor.OK && f.Cure == "" {
			w.t.Errorf("a finding is not whole: %+v", f)
		}
	}
	if after := w.files(); after != before {
		w.t.Errorf("the examination changed files:\nbefore %s\nafter %s", before, after)
	}
	return report
}

// patient is whom the doctor would see.
func (w *ward) patient() doctor.Patient {
	return doctor.Patient{
		App: "authring", Config: "default", Provider: w.provider, Keyrings: w.keyrings, Getenv: os.Getenv,
		Command: func(config, verb string, flags ...string) string {
			return strings.Join(append([]string{"authring", verb, "-c", config}, flags...), " ")
		},
		Quote: cure.Quote,
	}
}

// dropboxRefresh is set to a refresh token by the tests that have one.
var dropboxRefresh = "(none so far)"

// files lists what is in the folders of authring.
func (w *ward) files() string {
	var list strings.Builder
	for _, root := range []string{w.layout.ConfigFolder(), w.layout.StateFolder(), filepath.Join(os.Getenv("HOME"), ".local", "share", "python_keyring")} {
		_ = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err == nil {
				if info, err := entry.Info(); err == nil {
					list.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().Format(time.RFC3339Nano) + "\n")
				}
			}
			return nil
		})
	}
	return list.String()
}

// want finds a finding by its name.
func want(t *testing.T, report doctor.Report, id string, severity doctor.Severity, says ...string) doctor.Finding {
	t.Helper()
	for _, f := range report.Findings {
		if f.ID != id {
			continue
		}
		if f.Severity != severity {
			t.Errorf("%s is %v, want %v", id, f.Severity, severity)
		}
		all := f.Title + "\n" + f.Detail + "\n" + f.Cure
		for _, text := range says {
			if !strings.Contains(all, text) {
				t.Errorf("%s does not say %q:\n%s", id, text, all)
			}
		}
		return f
	}
	t.Errorf("no finding %s among:\n%s", id, shown(report))
	return doctor.Finding{}
}

func shown(report doctor.Report) string {
	var text strings.Builder
	for _, f := range report.Findings {
		text.WriteString(f.Area + " " + f.Severity.String() + " " + f.ID + ": " + f.Title + " | " + f.Detail + " | " + f.Cure + "\n")
	}
	return text.String()
}

// wantNoFail holds a report of a healthy patient.
func wantNoFail(t *testing.T, report doctor.Report) {
	t.Helper()
	if f, failed := report.Worst("default"); failed {
		t.Errorf("%s fails:\n%s", f.ID, shown(report))
	}
}
