//go:build linux

package record_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// The system's own Python has Debian's modules; another one in PATH may not.
const python = "/usr/bin/python3"

func needPython(t *testing.T) {
	t.Helper()
	needs.Programs(t, python)
	if err := exec.Command(python, "-c", "import keyring, keyrings.alt.file, secretstorage").Run(); err != nil {
		needs.Missing(t, "python3-keyring, python3-keyrings.alt, python3-secretstorage")
	}
}

func run(t *testing.T, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.Env = env
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", python, args, err, complaints.String())
	}
	return string(out)
}

// belief is what maestral.py prints.
type belief struct {
	Account  string  `json:"account_id"`
	Keyring  string  `json:"keyring"`
	Kind     string  `json:"token_access_type"`
	Token    *string `json:"token"`
	Email    string  `json:"email"`
	Path     string  `json:"path"`
	Excluded string  `json:"excluded_items"`
	Cursor   string  `json:"cursor"`
}

func maestral(t *testing.T, env []string, era string, args ...string) belief {
	t.Helper()
	var b belief
	out := run(t, env, append([]string{filepath.Join("testdata", "maestral.py"), era, "work"}, args...)...)
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return b
}

func TestMaestralSharesTheLink(t *testing.T) {
	needPython(t)
	for _, id := range []keyring.ID{keyring.Plaintext, keyring.SecretService} {
		for _, era := range []string{"1.4.8", "1.9"} {
			t.Run(string(id)+" "+era, func(t *testing.T) {
				dir := home(t)
				env := []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + dir}
				if id == keyring.SecretService {
					desk := daemontest.NewDesk(t)
					daemontest.StartGNOME(t, desk)
					env = desk.Environ()
					t.Setenv("HOME", desk.Home)
				}
				shareLink(t, env, id, era)
			})
		}
	}
}

func shareLink(t *testing.T, env []string, id keyring.ID, era string) {
	l := layout(t, record.MaestralApp)
	r := full()
	r.Keyring = id

	// Ours, seen by Maestral: at a fresh start, and when it starts again.
	save(t, l, "work", r)
	class := maestral(t, env, era, "show").Keyring
	run(t, env, "-c", "import sys; from keyring.core import load_keyring; load_keyring(sys.argv[1]).set_password(*sys.argv[2:])",
		class, l.Service(), record.UserName("work", r.AccountID), "token-of-ours")
	for range 2 {
		got := maestral(t, env, era, "start")
		if got.Account != r.AccountID || got.Token == nil || *got.Token != "token-of-ours" || got.Kind != record.Offline || got.Email != r.Email {
			t.Fatalf("Maestral sees %+v", got)
		}
		if again := load(t, l, "work"); !same(again, r) {
			t.Errorf("after Maestral's start we read %+v, want %+v", again, r)
		}
	}

	// Unlinked by Maestral, seen by us.
	maestral(t, env, era, "unlink")
	if got := load(t, l, "work"); !got.Empty() || got.Keyring != "" {
		t.Errorf("after Maestral's unlink we read %+v", got)
	}

	// Linked by Maestral, seen by us; and its settings survive our writing.
	maestral(t, env, era, "link", "dbid:theirs", "token-of-theirs", class)
	conf := l.ConfigPath("work")
	write(t, conf, strings.Replace(read(t, conf), "path = \n", "path = /home/ada/Dropbox (Maestral)\n", 1))
	got := load(t, l, "work")
	if got.AccountID != "dbid:theirs" || got.Keyring != id || got.TokenAccessType != record.Offline || got.AppKey != "" {
		t.Errorf("linked by Maestral, we read %+v", got)
	}
	got.Revoked = &record.Revocation{At: noon()}
	save(t, l, "work", got)
	if seen := maestral(t, env, era, "show"); seen.Account != "dbid:theirs" || seen.Token == nil || *seen.Token != "token-of-theirs" ||
		seen.Path != "/home/ada/Dropbox (Maestral)" {
		t.Errorf("after our writing Maestral sees %+v", seen)
	}

	// Unlinked by us, seen by Maestral.
	if err := l.Clear("work"); err != nil {
		t.Fatal(err)
	}
	if seen := maestral(t, env, era, "start"); seen.Account != "" || seen.Keyring != "automatic" || seen.Path != "/home/ada/Dropbox (Maestral)" {
		t.Errorf("after our unlink Maestral sees %+v", seen)
	}
}

func TestMaestralStartsOnFilesThatWeChanged(t *testing.T) {
	needPython(t)
	for era, files := range map[string]string{"1.4.8": "v1.4.8", "1.9": "v1.9"} {
		dir := home(t)
		place(t, dir, files)
		save(t, layout(t, record.MaestralApp), "work", full())
		class := "keyrings.alt.file.PlaintextKeyring"
		conf := filepath.Join(dir, ".config", "maestral", "work.ini")
		write(t, conf, strings.Replace(read(t, conf), "keyring.backends.SecretService.Keyring", class, 1))
		got := maestral(t, []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + dir}, era, "start")
		if got.Account != full().AccountID || got.Path != "/home/ada/Dropbox (Maestral)" || got.Cursor != "AAGx_cursor" || got.Kind != record.Offline {
			t.Errorf("%s: Maestral sees %+v", era, got)
		}
	}
}

// dump prints what ConfigParser reads, as {section: {key: value}}.
const dump = `
import configparser, json, sys
p = configparser.ConfigParser(interpolation=None)
with open(sys.argv[1], encoding="utf-8") as f:
    p.read_file(f)
print(json.dumps({s: dict(p._sections[s]) for s in p.sections()}))
`

func TestConfigParserReadsWhatWeWrite(t *testing.T) {
	needPython(t)
	home(t)
	l := layout(t, record.DefaultApp)
	write(t, l.ConfigPath("work"), "; x\n[ui]\nlist = a\n  b\n\n  c\nempty =\n\n[auth]\n  indented = yes\n")
	r := full()
	r.DisplayName = "织田 # ; = : [x] %(y)s \u0085é"
	save(t, l, "work", r)
	var got map[string]map[string]string
	if err := json.Unmarshal([]byte(run(t, nil, "-c", dump, l.ConfigPath("work"))), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{
		"ui": {"list": "a\nb\n\nc", "empty": ""},
		"auth": {
			"indented": "yes", "account_id": r.AccountID, "keyring": "secret-service", "token_access_type": "offline",
			"provider": "dropbox", "app_key": r.AppKey, "scope": r.Scope, "linked_at": "2026-03-04T05:06:07Z",
		},
		"account": {"email": r.Email, "display_name": "织田 # ; = : [x] %(y)s  é"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("ConfigParser reads\n%v, want\n%v", got, want)
	}
}

// rewrite reads a file and writes it as ConfigParser does.
const rewrite = `
import configparser, sys
p = configparser.ConfigParser(interpolation=None)
p.read(sys.argv[1], encoding="utf-8")
with open(sys.argv[1], "w", encoding="utf-8") as f:
    p.write(f)
`

func TestWeReadWhatConfigParserWrites(t *testing.T) {
	needPython(t)
	home(t)
	l := layout(t, record.DefaultApp)
	for _, name := range []string{"work", "other"} {
		r := full()
		r.DisplayName = "Ada # ; = : [x] %(y)s é"
		save(t, l, name, r)
		for range 3 {
			run(t, nil, "-c", rewrite, l.ConfigPath(name))
			if got := load(t, l, name); !same(got, r) {
				t.Fatalf("loaded %+v, want %+v", got, r)
			}
			save(t, l, name, r)
		}
	}
	if names, err := l.List(); err != nil || !slices.Equal(names, []string{"other", "work"}) {
		t.Errorf("List = %v, %v", names, err)
	}
}
