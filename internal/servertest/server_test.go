package servertest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/internal/servertest"
)

// installed is the variable that names the folder with the servers: what npm
// has installed, and what was built of the module in servers/.
const installed = "AUTHRING_TEST_SERVERS"

// clientSecret is that of every client that has one. It has what both ways of
// showing it have to encode.
const clientSecret = "a secret: 100% of it & +more"

// server is a server that runs.
type server struct {
	Name    string
	Issuer  string
	Version string
	kind
}

// kind is what there is to know of a kind of server.
type kind struct {
	command func(t *testing.T, folder string) *exec.Cmd
	native  string // the client without a secret
	basic   string // the client that shows its secret in a header
	post    string // the client that shows it in the body
	bound   string // the client whose tokens must be bound to a key; may be empty
	user    string // who is at the browser, as the server calls them
	pages   []page // of the server, on the way to a yes
	refusal []page // on the way to a no

	// reasons say why something fails, for the table.
	reasons map[servertest.Flow]map[servertest.Feature]string
}

// folder is where the servers are.
func folder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(installed)
	if dir == "" {
		needs.Missing(t, "the servers of other people, in the folder of "+installed)
	}
	needs.Programs(t, "node", "chromium")
	return dir
}

// start starts a server, which ends with the test.
func start(t *testing.T, name string, k kind) *server {
	t.Helper()
	cmd := k.command(t, folder(t))
	in, err := cmd.StdinPipe() // the server ends when this is closed
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var noise bytes.Buffer
	cmd.Stderr = &noise
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		stop := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said: %.4000s", name, noise.String())
		}
	})
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	s := &server{Name: name, kind: k}
	if err == nil {
		err = json.Unmarshal(line, s)
	}
	if err != nil {
		t.Fatalf("%s does not say where it is: %v", name, err)
	}
	return s
}

// node runs a script of testdata with the packages that npm has installed.
func node(t *testing.T, installed, script string, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	source, err := os.Open(filepath.Join("testdata", script))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	copied, err := os.Create(filepath.Join(dir, "server.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if _, err := io.Copy(copied, source); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", append([]string{"server.mjs"}, args...)...)
	cmd.Dir = dir
	return cmd
}

// oidcProvider is oidc-provider, lenient or strict.
func oidcProvider(mode string) kind {
	return kind{
		command: func(t *testing.T, folder string) *exec.Cmd {
			return node(t, folder, "oidc-provider/server.mjs", mode)
		},
		native: "native",
		basic:  "with-basic",
		post:   "with-post",
		bound:  "native-dpop",
		user:   "mary",
		pages: []page{
			{at: `input[name=login]`, fill: map[string]string{`input[name=login]`: "mary", `input[name=password]`: "secret"}, click: `[type=submit]`},
			{at: `input[name=prompt][value=consent]`, click: `[type=submit]`},
			{at: `input[type=text][name=user_code]`, fill: map[string]string{`input[type=text][name=user_code]`: userCode}, click: `[type=submit]`},
			{at: `form[id="op.deviceConfirmForm"]`, click: `button[autofocus]`},
		},
		refusal: []page{
			{at: `.login-help a`, click: `.login-help a`},
			{at: `input[type=text][name=user_code]`, fill: map[string]string{`input[type=text][name=user_code]`: userCode}, click: `[type=submit]`},
			{at: `form[id="op.deviceConfirmForm"]`, click: `button[name=abort]`, last: true},
		},
		reasons: map[servertest.Flow]map[servertest.Feature]string{
			servertest.Device: {servertest.Link: "the server wants requests for device codes to be pushed as well, which RFC 9126 has no way to do"},
		},
	}
}

var zitadel = kind{
	command: func(_ *testing.T, folder string) *exec.Cmd { return exec.Command(filepath.Join(folder, "zitadel")) },
	native:  "native",
	basic:   "web",
	post:    "web",
	user:    "test-user@127.0.0.1",
	pages: []page{
		{at: `input[type=hidden][name=id], input[type=hidden][name=user_code]`, fill: map[string]string{`#username`: "test-user@127.0.0.1", `#password`: "verysecure"}, click: `[type=submit]`},
		{at: `#user_code`, fill: map[string]string{`#user_code`: userCode}, click: `[type=submit]`},
		{at: `button.green`, click: `button.green`},
	},
	refusal: []page{
		{device: true, at: `input[type=hidden][name=user_code]`, fill: map[string]string{`#username`: "test-user@127.0.0.1", `#password`: "verysecure"}, click: `[type=submit]`},
		{at: `#user_code`, fill: map[string]string{`#user_code`: userCode}, click: `[type=submit]`},
		{at: `button.red`, click: `button.red`},
	},
	reasons: map[servertest.Flow]map[servertest.Feature]string{
		servertest.Device: {
			servertest.Refresh:    noClient,
			servertest.Revocation: noClient,
			servertest.Tool:       noClient,
			servertest.Basic:      noClient,
			servertest.Post:       "for device codes the server looks for a secret in the header only",
		},
	},
}

// noClient is a fault of the example's storage.
const noClient = "the example forgets which client a refresh token is for if it came of a device code"
