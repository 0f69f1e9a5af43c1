package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authring/authring/dropboxtest"
)

// quickEnd is an environment variable for the tool: under the race detector a
// program sleeps for a second at its end unless told otherwise.
const quickEnd = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"authring": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		Setup:              setUp,
		RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"approve": approveCommand,
			"dropbox": dropboxCommand,
			"oauth":   oauthCommand,
		},
	})
}

type serverKey struct{}

// setUp gives each script a home of its own, no bus, and a Dropbox.
func setUp(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	server := dropboxtest.NewServer(dropboxtest.WithAutoApprove())
	env.Defer(server.Close)
	env.Values[serverKey{}] = server
	env.Values[oauthKey{}] = map[string]*oauthServer{}
	env.Vars = append(env.Vars, quickEnd,
		"HOME="+home, "XDG_RUNTIME_DIR="+home, "AUTHRING_DROPBOX_URL="+server.URL,
		"AUTHRING_AGENT=off", // but for those scripts that are about it
		"PLAINTEXT="+filepath.Join(home, ".local", "share", "python_keyring", "keyring_pass.cfg"),
		"SEALED="+filepath.Join(home, ".local", "share", "authring", "sealed.keyring"),
		"RECORDS="+filepath.Join(home, ".config", "authring"),
	)
	return nil
}

// exits CODE COMMAND...: the command ends with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("could not run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

var (
	pageAddress = regexp.MustCompile(`https?://[^\s"]+/oauth2/authorize\?[^\s"]+`)
	pageCode    = regexp.MustCompile(`<code id="auth-code"[^>]*>([^<]+)</code>`)
)

// approveCommand, in a script: approve FILE OUT. It opens the last page whose
// address is in FILE, as a browser does, and writes the code that it shows.
func approveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: approve file out")
	}
	pages := pageAddress.FindAllString(ts.ReadFile(args[0]), -1)
	if len(pages) == 0 {
		ts.Fatalf("there is no address in %s", args[0])
	}
	code, err := approve(pages[len(pages)-1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(code+"\n"), 0o600))
}

// approve opens the page and returns the code.
func approve(page string) (string, error) {
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Get(page)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	found := pageCode.FindSubmatch(body)
	if found == nil {
		return "", fmt.Errorf("the page shows no code: %s", resp.Status)
	}
	return html.UnescapeString(strings.TrimSpace(string(found[1]))), nil
}

// dropboxCommand, in a script, is what happens at Dropbox:
//
//	dropbox fault SPEC...    answers go wrong from now on; without a spec no more
//	dropbox revoke           all grants end
//	dropbox user NAME EMAIL  another person signs in
//	dropbox down             it cannot be reached any more
//	dropbox grants N         there are N grants that are valid
//	dropbox asked PATH N     PATH was asked N times since the last such line
func dropboxCommand(ts *testscript.TestScript, neg bool, args []string) {
	server, ok := ts.Value(serverKey{}).(*dropboxtest.Server)
	if neg || !ok || len(args) == 0 {
		ts.Fatalf("usage: dropbox fault|revoke|user|down|grants|asked ...")
	}
	switch rest := args[1:]; args[0] {
	case "fault":
		server.SetFault(rest...)
	case "revoke":
		for _, grant := range server.Grants() {
			server.Revoke(grant.AccountID)
		}
	case "user":
		name, err := strconv.Unquote(`"` + rest[0] + `"`)
		ts.Check(err)
		server.SetUser(dropboxtest.User{GivenName: name, Email: rest[1]})
	case "down":
		server.Close()
	case "grants":
		if grants := server.Grants(); fmt.Sprint(len(grants)) != rest[0] {
			ts.Fatalf("the valid grants are %v, want %s of them", grants, rest[0])
		}
	case "asked":
		asked := 0
		for _, request := range server.Requests() {
			if request.Path == rest[0] {
				asked++
			}
		}
		server.ResetRequests()
		if fmt.Sprint(asked) != rest[1] {
			ts.Fatalf("%s was asked %d times, want %s", rest[0], asked, rest[1])
		}
	default:
		ts.Fatalf("dropbox does not know %q", args[0])
	}
}
