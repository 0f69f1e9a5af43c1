package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

// apart runs a shell script without any network but its own, in which only what
// it is handed can be reached.
func apart(script string) []string {
	return []string{"unshare", "--net", "--mount", "--", "sh", "-ec", script}
}

// root makes a folder that is a root with curl in it, and nothing else.
func root(t *testing.T) string {
	t.Helper()
	needs.Programs(t, "curl", "ldd", "chroot", "unshare", "mount")
	if os.Geteuid() != 0 {
		needs.Missing(t, "the rights of root")
	}
	dir := t.TempDir()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err)
	}
	libraries, err := exec.Command("ldd", curl).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := []string{curl}
	for field := range strings.FieldsSeq(string(libraries)) {
		if filepath.IsAbs(field) {
			files = append(files, field)
		}
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, file)
		if file == curl {
			to = filepath.Join(dir, "curl")
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "run", "given"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A container that has only the socket gets access tokens of that link, and
// reaches nothing else.
func TestContainerWithTheSocket(t *testing.T) {
	dir := root(t)
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	out, _ := p.want(0, "", append([]string{"exec", "--socket", "--"}, apart(fmt.Sprintf(`
		mount --bind "$(dirname "$AUTHRING_SOCKET")" %[1]s/run/given
		echo token: $(chroot %[1]s /curl -s --unix-socket /run/given/sock http://authring/v1/token)
		echo other: $(chroot %[1]s /curl -s --unix-socket /run/given/sock 'http://authring/v1/token?config=other')
		echo network: $(chroot %[1]s /curl -s --max-time 5 "$AUTHRING_DROPBOX_URL/" || echo none)`, dir))...)...)
	for _, want := range []string{`token: {"access_token":"sl.`, `other: {"error":"refused"`, "network: none"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// A container that has only the proxy uses the provider's interface, and cannot
// learn a token.
func TestContainerWithTheProxy(t *testing.T) {
	dir := root(t)
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	folder := filepath.Join(p.home, "for-the-container")
	r := p.start("proxy", "--socket", filepath.Join(folder, "sock"))
	if got, want := r.line(), "AUTHRING_PROXY=unix:"+filepath.Join(folder, "sock"); got != want {
		t.Fatalf("the address is %q, want %q", got, want)
	}
	inside := apart(fmt.Sprintf(`
		mount --bind %[2]s %[1]s/run/given
		ask="chroot %[1]s /curl -s --unix-socket /run/given/sock"
		echo account: $($ask -X POST -H Content-Type:application/json -d null http://localhost/2/users/get_current_account)
		echo echo: $($ask -X POST -H Content-Type:application/json -d '{"query":"hello"}' http://localhost/2/check/user)
		echo trace: $($ask -X TRACE http://localhost/2/check/user)
		echo tokens: $($ask -X POST -d grant_type=refresh_token http://localhost/oauth2/token)
		echo rebound: $($ask http://evil.example/2/check/user)
		echo network: $(chroot %[1]s /curl -s --max-time 5 %[3]s/ || echo none)`, dir, folder, p.dropbox.URL))
	cmd := exec.Command(inside[0], inside[1:]...)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{
		`account: {"account_id":"dbid:`, `echo: {"result":"hello"}`, `trace: {"error":"method"`,
		`tokens: {"error":"route"`, `rebound: {"error":"host"`, "network: none",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "sl.") {
		t.Errorf("a token came through:\n%s", out)
	}
}

// remote is another machine, as far as ssh knows.
type remote struct {
	t    *testing.T
	port int
	dir  string
	user string
}

// newRemote runs an ssh server with keys and files of its own.
func newRemote(t *testing.T) *remote {
	t.Helper()
	needs.Programs(t, "ssh", "ssh-keygen", "curl")
	const sshd = "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); err != nil {
		needs.Missing(t, "sshd")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	r := &remote{t: t, dir: t.TempDir(), user: me.Username}
	if me.Uid == "0" {
		// Where the system has not started its own server there is none.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"host", "mine"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(r.dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.port = free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	config := fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %[2]s/host
AuthorizedKeysFile %[2]s/mine.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowStreamLocalForwarding yes
`, r.port, r.dir)
	if err := os.WriteFile(filepath.Join(r.dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(r.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	server := exec.Command(sshd, "-D", "-e", "-f", filepath.Join(r.dir, "config"))
	server.Stderr = log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = server.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended
		if t.Failed() {
			said, _ := os.ReadFile(log.Name())
			t.Logf("sshd says:\n%s", said)
		}
	})
	deadline := time.After(bound)
	for {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
		if err == nil {
			_ = conn.Close()
			return r
		}
		select {
		case <-ended:
			t.Fatal("sshd has ended")
		case <-deadline:
			t.Fatal("sshd does not listen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ssh is the command for a script on the other machine, with a socket of this
// one forwarded to it.
func (r *remote) ssh(there, here, script string) []string {
	return []string{
		"ssh", "-F", "none", "-i", filepath.Join(r.dir, "mine"), "-p", fmt.Sprint(r.port), "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + filepath.Join(r.dir, "known"), "-o", "LogLevel=ERROR",
		"-o", "ExitOnForwardFailure=yes", "-o", "ConnectTimeout=20",
		"-R", there + ":" + here, r.user + "@127.0.0.1", script,
	}
}

// A socket that ssh forwards gives tokens on the other machine, for as long as
// the connection lasts, and no longer.
func TestSocketOverSSH(t *testing.T) {
	r := newRemote(t)
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	there := filepath.Join(r.dir, "there.sock")
	words := r.ssh(there, "$AUTHRING_SOCKET", fmt.Sprintf(
		"curl -s --unix-socket %[1]s http://authring/v1/token; echo; curl -s -X POST --unix-socket %[1]s http://authring/v1/stop; stat -c %%a %[1]s", there))
	// A shell puts the socket's path in.
	for i, word := range words {
		words[i] = `"` + strings.ReplaceAll(word, `"`, `\"`) + `"`
	}
	out, _ := p.want(0, "", "exec", "--socket", "--", "sh", "-c", strings.Join(words, " "))
	for _, want := range []string{`{"access_token":"sl.`, "access tokens only", "600"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	cmd := exec.Command("curl", "-s", "--max-time", "10", "--unix-socket", there, "http://authring/v1/token")
	if out, err := cmd.Output(); err == nil {
		t.Errorf("after the end there is an answer: %s", out)
	} else if exit := new(exec.ExitError); !errors.As(err, &exit) {
		t.Error(err)
	}
}

// The same for a proxy: the other machine uses the interface, and has no token.
func TestProxyOverSSH(t *testing.T) {
	r := newRemote(t)
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	here := filepath.Join(p.home, "run", "sock")
	proxy := p.start("proxy", "--socket", here)
	proxy.line()
	there := filepath.Join(r.dir, "there.sock")
	words := r.ssh(there, here, fmt.Sprintf(
		"curl -s -X POST -H Content-Type:application/json -d null --unix-socket %s http://localhost/2/users/get_current_account", there))
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ada@example.org") {
		t.Errorf("%v: %s", err, out)
	}
}
