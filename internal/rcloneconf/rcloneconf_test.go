package rcloneconf_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/internal/rcloneconf"
	"github.com/authring/authring/secret"
)

const sample = `# a comment
; another
Enter configuration password:
password:

[dropbox]
type = dropbox
client_id = key
token = {"access_token":"sl.a:b=c","token_type":"bearer","refresh_token":"r-1","expiry":"2026-03-04T05:06:07.123456789Z"}

  [ my remote ]
type: s3
env_auth = true
[dropbox]
client_id = newer
[empty]
[old]
type=dropbox
token={"access_token":"long","token_type":"bearer","expiry":"0001-01-01T00:00:00Z"}` + quoted

// quoted is what nobody's program writes, and rclone reads.
const quoted = `
[quoted]
"type" = """dropbox"""
` + "client_id = `` # no\n`a = b` : `c`d` e\nplain = \"c\"\n" + `"""k""" = """`

func TestParse(t *testing.T) {
	remotes, err := rcloneconf.Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(remotes); got != "[dropbox my remote empty old quoted]" {
		t.Errorf("remotes: %s", got)
	}
	if hidden := fmt.Sprintf("%v %+v %#v", remotes, remotes, remotes); strings.Contains(hidden, "sl.") {
		t.Errorf("shown: %s", hidden)
	}
	first := remotes[0]
	token, err := first.Token()
	if err != nil || first.Type() != "dropbox" || first.Get("client_id") != "newer" || first.Get("none") != "" ||
		token.Access.Reveal() != "sl.a:b=c" || token.Refresh.Reveal() != "r-1" || token.Expiry.Year() != 2026 {
		t.Errorf("the first is %#v, %v", token, err)
	}
	if token, err := remotes[3].Token(); err != nil || !token.Expiry.IsZero() || !token.Refresh.IsZero() || token.Access.Reveal() != "long" {
		t.Errorf("the old one is %#v, %v", token, err)
	}
	for key, want := range map[string]string{"type": "dropbox", "client_id": "", "a = b": "c`d", "plain": `"c"`, "k": `"""`} {
		if got := remotes[4].Get(key); got != want {
			t.Errorf("the quoted %q is %q, want %q", key, got, want)
		}
	}
	if remotes, err := rcloneconf.Parse([]byte("\ufeff[a]\r\ntype = dropbox\r\n")); err != nil || remotes[0].Type() != "dropbox" {
		t.Errorf("with a byte order mark: %v, %v", remotes, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, line := range map[string]int{
		"dropbox\n[a]\n":       1,
		"\n# x\n[]\n":          3,
		"[a]\nno value here\n": 2,
		"[a]\n= value\n":       2,
		"[a]\n\"b = c\n":       2,
		"[a]\n\"b\" c\n":       2,
		"[a]\nb = `c\n":        2,
	} {
		_, err := rcloneconf.Parse([]byte(text))
		var syntax *rcloneconf.SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != line {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAA\n", "RCLONE_ENCRYPT_V1:\n", "\n;x\n  RCLONE_ENCRYPT_V0:\n", "RCLONE_ENCRYPT_V2:\n\xff\xfe",
	} {
		if _, err := rcloneconf.Parse([]byte(text)); !errors.Is(err, rcloneconf.ErrEncrypted) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := rcloneconf.Parse([]byte("[a]\nb = \xff\n")); err == nil {
		t.Error("took what is no text")
	}
	for _, token := range []string{"", "x", "[]", `{}`, `{"access_token":1}`, `{"access_token":"secret","token_type":"mac"}`, `{"access_token":"secret","expiry":"soon"}`} {
		remotes, err := rcloneconf.Parse([]byte("[a]\ntoken = " + token + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := remotes[0].Token(); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestPath(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	touch := func(names ...string) string {
		t.Helper()
		path := filepath.Join(append([]string{home}, names...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	env := map[string]string{}
	want := func(path string) {
		t.Helper()
		if got, err := rcloneconf.Path(func(name string) string { return env[name] }); err != nil || got != path {
			t.Errorf("Path = %q, %v; want %q", got, err, path)
		}
	}
	want(filepath.Join(home, ".config", "rclone", "rclone.conf")) // where rclone makes one
	want2 := touch(".rclone.conf")
	want(want2)
	usual := touch(".config", "rclone", "rclone.conf")
	want(usual)
	env["XDG_CONFIG_HOME"] = filepath.Join(home, "xdg")
	want(usual) // nothing there
	want3 := touch("xdg", "rclone", "rclone.conf")
	want(want3)
	env["RCLONE_CONFIG"] = "elsewhere.conf"
	want("elsewhere.conf")
}

func TestRead(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "rclone.conf")
	if _, err := rcloneconf.Read(path); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("no file: %v", err)
	}
	if _, err := rcloneconf.Read(folder); err == nil {
		t.Error("read a folder")
	}
	if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	if remotes, err := rcloneconf.Read(path); err != nil || len(remotes) != 5 {
		t.Errorf("Read = %v, %v", remotes, err)
	}
	if err := os.WriteFile(path, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := rcloneconf.Read(path); err == nil {
		t.Error("read without an end")
	}
}

func TestFormat(t *testing.T) {
	token := rcloneconf.Token{Access: secret.New("sl.a"), Refresh: secret.New("r<1>"), Expiry: time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))}
	section, err := rcloneconf.Format("my box", "key", token)
	want := "[my box]\ntype = dropbox\nclient_id = key\n" +
		`token = {"access_token":"sl.a","token_type":"bearer","refresh_token":"r\u003c1\u003e","expiry":"2026-03-04T04:06:07Z"}` + "\n"
	if err != nil || string(section) != want {
		t.Errorf("Format = %s, %v", section, err)
	}
	legacy, err := rcloneconf.Format("a", "", rcloneconf.Token{Access: secret.New("long")})
	if err != nil || string(legacy) != "[a]\ntype = dropbox\ntoken = {\"access_token\":\"long\",\"token_type\":\"bearer\",\"expiry\":\"0001-01-01T00:00:00Z\"}\n" {
		t.Errorf("Format = %s, %v", legacy, err)
	}
	for _, name := range []string{"", "-a", " a", "a ", "a:b", "a\nb", "[a]", "é"} {
		if _, err := rcloneconf.Format(name, "key", token); err == nil {
			t.Errorf("wrote a remote of the name %q", name)
		}
	}
	if _, err := rcloneconf.Format("a", "k\n[b]", token); err == nil {
		t.Error("wrote an app key of two lines")
	}
}

// The real rclone reads the same from the same files.
func TestRcloneReadsTheSame(t *testing.T) {
	needs.Programs(t, "rclone")
	path := filepath.Join(t.TempDir(), "rclone.conf")
	section, err := rcloneconf.Format("written", "key", rcloneconf.Token{Access: secret.New("sl.&"), Refresh: secret.New("r")})
	if err != nil {
		t.Fatal(err)
	}
	text := sample + "\n" + string(section)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("rclone", "config", "dump", "--config", path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(path)}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs map[string]map[string]string
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	ours, err := rcloneconf.Parse([]byte(text))
	if err != nil || len(ours) != len(theirs)-1 { // rclone tells of what is in no remote, too
		t.Fatalf("we read %v, %v; rclone %s", ours, err, out)
	}
	for _, remote := range ours {
		for key, value := range theirs[remote.Name] {
			if remote.Get(key) != value {
				t.Errorf("%s of %s: we read %q, rclone %q", key, remote, remote.Get(key), value)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("RCLONE_ENCRYPT_V0:\n"))
	f.Add([]byte("[a]\ntoken = {\"access_token\":\"x\",\"expiry\":\"2026-03-04T05:06:07+25:00\"}"))
	f.Add([]byte("\ufeff[ a ]\r\n\x0b=\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		remotes, err := rcloneconf.Parse(data)
		if err != nil {
			return
		}
		for _, remote := range remotes {
			token, err := remote.Token()
			if err != nil {
				continue
			}
			// What was read can be written, and is read the same.
			section, err := rcloneconf.Format("a", "", token)
			if err != nil {
				continue
			}
			again, err := rcloneconf.Parse(section)
			if err != nil || len(again) != 1 {
				t.Fatalf("%q: %v", section, err)
			}
			same, err := again[0].Token()
			if err != nil || !same.Access.Equal(token.Access) || !same.Refresh.Equal(token.Refresh) || !same.Expiry.Equal(token.Expiry) {
				t.Fatalf("%q: %v", section, err)
			}
		}
	})
}
