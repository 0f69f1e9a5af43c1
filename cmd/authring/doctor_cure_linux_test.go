package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ordinary is a person who is not root, whom rights bind, with a home.
type ordinary struct {
	t             *testing.T
	home, program string
	env           []string
}

func newOrdinary(t *testing.T, p *person) *ordinary {
	t.Helper()
	// Not below the test's own folder, which is closed to others.
	root, err := os.MkdirTemp("", "ordinary")
	if err != nil {
		t.Fatal(err)
	}
	o := &ordinary{t: t, home: filepath.Join(root, "home"), program: filepath.Join(root, "authring")}
	t.Cleanup(func() {
		_ = exec.Command("chmod", "-R", "u+rwX", root).Run()
		_ = os.RemoveAll(root)
	})
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(o.program, self, 0o755)
	}
	if err == nil {
		err = os.Mkdir(o.home, 0o700)
	}
	if err == nil {
		err = os.Chmod(root, 0o755)
	}
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(o.home, 65534, 65534)
	}
	if err != nil {
		t.Fatal(err)
	}
	o.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.home, "AUTHRING_AGENT=off", "AUTHRING_DROPBOX_URL=" + p.dropbox.URL}
	return o
}

// run runs a program as that person.
func (o *ordinary) run(stdin, name string, args ...string) (stdout string, code int) {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), name, args...)
	cmd.Env, cmd.Dir, cmd.Stdin = o.env, "/", strings.NewReader(stdin)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		o.t.Fatal(err)
	}
	if said.Len() > 0 {
		o.t.Logf("%s %q: %s", filepath.Base(name), args, said.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// What the doctor names for rights that are wrong is typed, and mends it.
func TestDoctorsCuresMend(t *testing.T) {
	p := newPerson(t)
	for name, harm := range map[string]string{
		"a file of secrets that others read":     "chmod 644 .local/share/python_keyring/keyring_pass.cfg",
		"a file of secrets that nobody reads":    "chmod 000 .local/share/python_keyring/keyring_pass.cfg",
		"a file of secrets that is a link":       "cd .local/share/python_keyring && mv keyring_pass.cfg x && ln -s x keyring_pass.cfg",
		"a folder of secrets that others change": "chmod 777 .local/share/python_keyring",
		"a folder of secrets that is closed":     "chmod 000 .local/share",
		"a home that is read-only":               "chmod -R a-w .",
		"records that are closed":                "chmod 000 .config",
		"a record that others change":            "chmod 666 .config/authring/default.ini",
		"a state folder that is closed":          "chmod 000 .local/state/authring",
		"a pipe in place of a lock":              "cd .local/state/authring/locks && rm default.lock && mkfifo default.lock",
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrdinary(t, p)
			page, _ := o.run("", o.program, "link", "--begin", "--keyring", "plaintext")
			if _, code := o.run(approvePage(t, page), o.program, "link", "--finish", "--keyring", "plaintext"); code != 0 {
				t.Fatal("no link")
			}
			if _, code := o.run("", "sh", "-c", "cd && "+harm); code != 0 {
				t.Fatal("no harm")
			}
			for round := range 2 { // one may be behind another
				stdout, _ := o.run("", o.program, "doctor", "--json")
				// What can be read is tried, though it may not be changed.
				if readOnly := strings.Contains(harm, "a-w"); readOnly && round == 0 && !strings.Contains(stdout, `"token-works"`) {
					t.Errorf("the token of a home that is read-only is not tried:\n%s", stdout)
				}
				var report examined
				if err := json.Unmarshal([]byte(stdout), &report); err != nil {
					t.Fatalf("%v in:\n%s", err, stdout)
				}
				typed := map[string]bool{}
				for _, f := range report.Findings {
					if f.Severity == "fail" && !typed[f.Cure] {
						typed[f.Cure] = true
						t.Logf("%s: %s", f.Title, f.Cure)
						if _, code := o.run("", "sh", "-c", f.Cure); code != 0 {
							t.Errorf("%q exits with %d", f.Cure, code)
						}
					}
				}
				if len(typed) == 0 {
					break
				}
			}
			if stdout, code := o.run("", o.program, "doctor"); code != 0 || strings.Contains(stdout, "✗") {
				t.Errorf("afterwards the doctor exits with %d:\n%s", code, stdout)
			}
			if token, code := o.run("", o.program, "token"); code != 0 || !strings.HasPrefix(token, "sl.") {
				t.Errorf("afterwards there is no token: exit %d", code)
			}
		})
	}
}
