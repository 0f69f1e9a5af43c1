//go:build linux

package doctor_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/doctor"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/keyring/system"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	w := newWard(t, nil)
	w.link("default", inPlaintext)
	report := w.examine()
	wantNoFail(t, report)
	want(t, report, "files-sound", doctor.OK)
	want(t, report, "plaintext", doctor.Warn, "migrate")
	want(t, report, "locks-free", doctor.OK)

	own, state := w.layout.ConfigFolder(), w.layout.StateFolder()
	must(t, os.WriteFile(filepath.Join(own, ".default.ini.12.tmp"), nil, 0o600))
	want(t, w.examine(), "left-over", doctor.Note, "rm ")

	must(t, os.Chmod(w.layout.ConfigPath("default"), 0o666))
	report = w.examine()
	want(t, report, "writable-by-others", doctor.Fail, "chmod go-w")
	want(t, report, "broken-record", doctor.Fail, "chmod o-w")
	must(t, os.Chmod(w.layout.ConfigPath("default"), 0o600))

	must(t, os.Chmod(filepath.Join(state, "fingerprint.key"), 0o644))
	want(t, w.examine(), "readable-by-others", doctor.Warn, "chmod go-rwx")

	must(t, os.WriteFile(w.layout.ConfigPath("work"), []byte("[auth]\nthis is no line\n"), 0o600))
	f := want(t, w.examine(), "broken-record", doctor.Fail, "line 2", "work.ini.broken")
	if f.Config != "work" {
		t.Errorf("it is about %q", f.Config)
	}

	must(t, syscall.Mkfifo(w.layout.ConfigPath("pipe"), 0o600))
	want(t, w.examine(), "not-a-file", doctor.Fail, "pipe.ini.old")

	must(t, os.RemoveAll(state))
	must(t, os.WriteFile(state, nil, 0o600))
	want(t, w.examine(), "not-a-folder", doctor.Fail)
}

// Maestral's files cannot name every keyring: none of these is recommended.
func TestMaestralsKeyringsOnly(t *testing.T) {
	w := newWard(t, nil)
	w.link("work", inPlaintext, authring.WithApp(record.MaestralApp))
	maestral := func(p *doctor.Patient) { p.App, p.Config = record.MaestralApp, "work" }
	report := w.examine(maestral)
	want(t, report, "plaintext", doctor.Warn, "authring keyrings")
	for _, f := range report.Findings {
		if strings.Contains(f.Cure, "sealed") {
			t.Errorf("%s: %s", f.ID, f.Cure)
		}
	}
	w.keyrings = append([]keyring.Keyring{keyringtest.NewMemory(keyring.SecretService)}, w.keyrings[1:]...)
	want(t, w.examine(maestral), "plaintext", doctor.Warn, "migrate -c work --to secret-service")
}

func TestForeignFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		return // nobody else can give files away
	}
	w := newWard(t, nil)
	w.link("default", inPlaintext)
	must(t, os.Chown(w.layout.ConfigPath("default"), 12345, -1))
	want(t, w.examine(), "foreign-file", doctor.Fail, "12345", "sudo chown")
}

// What is wrong with the file of a keyring is named with what mends it, wherever
// it is felt.
func TestFilesOfSecrets(t *testing.T) {
	w := newWard(t, nil)
	w.link("default", inPlaintext)
	file, err := plaintext.New().Path()
	must(t, err)
	everywhere := func(cure string) {
		t.Helper()
		w.keyrings = system.Keyrings()
		report := w.examine()
		for id, severity := range map[string]doctor.Severity{"secret-file": doctor.Fail, "unavailable": doctor.Fail, "keyring-unavailable": doctor.Warn, "keyring-none": doctor.Fail} {
			if f := want(t, report, id, severity); f.Cure != cure {
				t.Errorf("the cure of %s is %q, want %q", id, f.Cure, cure)
			}
		}
	}
	must(t, os.Chmod(file, 0o640))
	everywhere("chmod 600 " + file)
	must(t, os.Chmod(file, 0o600))
	wantNoFail(t, w.examine())

	must(t, os.Rename(file, file+".real"))
	must(t, os.Symlink(file+".real", file))
	everywhere("mv " + file + " " + file + ".link && cp -pL " + file + ".link " + file)
	must(t, os.Remove(file))
	must(t, syscall.Mkfifo(file, 0o600))
	everywhere("mv " + file + " " + file + ".old")
	must(t, os.Remove(file))
	must(t, os.Rename(file+".real", file))

	must(t, os.Chmod(filepath.Dir(file), 0o777))
	if f := want(t, w.examine(), "secret-folder", doctor.Fail); f.Cure != "chmod go-w "+filepath.Dir(file) {
		t.Errorf("its cure is %q", f.Cure)
	}
	must(t, os.Chmod(filepath.Dir(file), 0o700))

	// A key that others read opens nothing.
	key := filepath.Join(t.TempDir(), "key")
	at := slices.IndexFunc(w.keyrings, func(k keyring.Keyring) bool { return k.ID() == keyring.Sealed })
	w.keyrings[at] = sealed.New(sealed.WithKeyFile(key))
	w.link("second", authring.WithKeyring(keyring.Sealed))
	must(t, os.Chmod(key, 0o644))
	w.keyrings[at] = sealed.New()
	report := w.examine()
	want(t, report, "secret-file", doctor.Fail, "chmod 600 "+key)
	want(t, report, "keyring-unavailable", doctor.Warn, "chmod 600 "+key)
	want(t, report, "unavailable", doctor.Fail, "chmod 600 "+key)
	must(t, os.Chmod(key, 0o400)) // enough for a key
	wantNoFail(t, w.examine())
}

func TestNoHome(t *testing.T) {
	w := newWard(t, nil)
	t.Setenv("HOME", "")
	report := w.examine()
	want(t, report, "no-home", doctor.Fail, "HOME")
	want(t, report, "server-answers", doctor.OK)
}

func TestNotes(t *testing.T) {
	w := newWard(t, nil)
	s := w.link("default", inPlaintext)
	rec := s.Record()
	must(t, w.layout.AddRevocation(record.PendingRevocation{
		ID: "ABC", Config: "old", AccountID: "dbid:x", Provider: "dropbox", TokenAccessType: "offline",
		Keyring: keyring.Plaintext, User: "revoke:ABC", Since: time.Now(),
	}))
	must(t, w.layout.SaveAttempt("default", record.Attempt{Fingerprint: "0011", Started: time.Now(), Tries: 1, Process: "sync (pid 7)"}))
	must(t, w.layout.SaveIntent("half", record.Intent{Record: rec, Fingerprint: "0011"}))
	must(t, w.layout.SavePending("begun", record.PendingLink{AuthURL: "https://example.org", Verifier: secret.New("verifier"), Created: time.Now()}))
	must(t, os.WriteFile(filepath.Join(w.layout.StateFolder(), "attempts", "torn.json"), []byte("{"), 0o600))
	report := w.examine()
	want(t, report, "revocation-pending", doctor.Warn, `"old"`)
	want(t, report, "refresh-in-doubt", doctor.Note, "sync (pid 7)")
	want(t, report, "link-unfinished", doctor.Warn, "half")
	want(t, report, "link-begun", doctor.Note, "--finish")
	want(t, report, "broken-note", doctor.Warn, "torn.json")
	if w.provider.Replay != provider.ReplayReusable {
		t.Fatal("the test is for Dropbox")
	}
	w.provider.Replay = provider.ReplaySingleUse
	report = w.examine()
	want(t, report, "refresh-in-doubt", doctor.Warn)
	want(t, report, "token-untried", doctor.Note, "replaces refresh tokens")
}

func TestRecords(t *testing.T) {
	w := newWard(t, nil)
	s := w.link("default", inPlaintext)
	rec := s.Record()
	save := func(change func(*record.Record)) {
		t.Helper()
		other := rec
		change(&other)
		must(t, w.layout.Save("default", other))
	}
	save(func(r *record.Record) { r.Keyring = "of-the-future" })
	want(t, w.examine(), "keyring-unknown", doctor.Fail, "of-the-future")
	save(func(r *record.Record) { r.Keyring = "" })
	want(t, w.examine(), "keyring-unrecorded", doctor.Warn)
	save(func(r *record.Record) { r.Provider = "elsewhere" })
	want(t, w.examine(), "other-provider", doctor.Note)
	save(func(r *record.Record) { r.Revoked = &record.Revocation{At: time.Now(), Reason: "expired"} })
	want(t, w.examine(), "revoked", doctor.Fail, "expired")
	report := w.examine(func(p *doctor.Patient) { p.Config = "nobody" })
	want(t, report, "not-linked", doctor.Note)
	if f, failed := report.Worst("nobody"); failed {
		t.Errorf("what fails for another link counts: %+v", f)
	}
}

// A process that holds a link's lock and was stopped.
func TestStaleLock(t *testing.T) {
	needs.Programs(t, "flock")
	w := newWard(t, nil)
	w.link("default", inPlaintext)
	cmd := exec.Command("flock", w.layout.LockPath("default"), "sh", "-c", "echo held; exec cat")
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = in.Close()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	report := w.examine()
	want(t, report, "lock-held", doctor.Note, "flock (pid ")
	want(t, report, "token-untried", doctor.Note, "another process")
	must(t, syscall.Kill(cmd.Process.Pid, syscall.SIGSTOP))
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it did not stop: %v, %v", status, err)
	}
	want(t, w.examine(), "lock-stale", doctor.Fail, "kill -CONT")
}

// The lock that our own trial of the token takes is nobody else's.
func TestOwnLock(t *testing.T) {
	w := newWard(t, nil)
	w.link("default", inPlaintext)
	lock, err := filelock.Acquire(t.Context(), filepath.Join(w.layout.StateFolder(), "locks", "default.lock"))
	must(t, err)
	t.Cleanup(func() { must(t, lock.Release()) })
	report := w.examine()
	want(t, report, "locks-free", doctor.OK)
	if slices.Contains(ids(report), "lock-held") {
		t.Error("the doctor's own process is told to hold the lock")
	}
}

// A server that replaces refresh tokens although it is not known to: the new
// one is kept.
func TestTokenThatIsReplaced(t *testing.T) {
	w := newWard(t, nil, dropboxtest.WithReuseDetection())
	s := w.link("default", inPlaintext)
	report := doctor.Examine(t.Context(), w.patient())
	want(t, report, "token-renewed", doctor.Warn, "was saved")
	want(t, report, "token-works", doctor.OK)
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Errorf("the link does not work any more: %v", err)
	}
}
