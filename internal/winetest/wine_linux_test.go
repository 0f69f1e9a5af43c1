package winetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/internal/needs"
)

// bound is how long one program may run.
const bound = 3 * time.Minute

// wine is a Windows of the tests' own.
type wine struct {
	dir string
	env []string
}

var shared *wine

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		shared.end()
	}
	os.Exit(code)
}

// start returns the Windows of this run, which the first caller sets up.
func start(t *testing.T) *wine {
	t.Helper()
	needs.Programs(t, "wine", "wineboot", "wineserver", "x86_64-w64-mingw32-gcc")
	if shared != nil {
		return shared
	}
	dir, err := os.MkdirTemp("", "winetest")
	if err != nil {
		t.Fatal(err)
	}
	shared = &wine{dir: dir, env: append(os.Environ(),
		"WINEPREFIX="+filepath.Join(dir, "prefix"), "HOME="+dir, "WINEDEBUG=-all", "DISPLAY=", "WINEDLLOVERRIDES=mscoree,mshtml=",
		// Debian's programs cannot be run there: tests that want them are skipped.
		needs.Everything+"=")}
	if folder := os.Getenv(matrix.Folder); folder != "" {
		shared.env = append(shared.env, matrix.Folder+"=Z:"+folder)
	}
	shared.must(t, dir, "wineboot", "--init")
	shim := filepath.Join(dir, "prefix", "drive_c", "windows", "system32", "bcryptprimitives.dll")
	shared.must(t, ".", "x86_64-w64-mingw32-gcc", "-shared", "-o", shim, filepath.Join("testdata", "prng.c"), "-ladvapi32")
	return shared
}

func (w *wine) end() {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	kill := exec.CommandContext(ctx, "wineserver", "--kill", "--wait")
	kill.Env = w.env
	_ = kill.Run()
	_ = os.RemoveAll(w.dir)
}

// run runs a program in a folder to its end, and returns what it printed. Wine
// 8 dies now and then before it has begun with the program: its status is 1,
// and it prints nothing, or that it has lost its own server. That is tried once
// more; a program of ours that fails says why.
func (w *wine) run(t *testing.T, folder, in, name string, args ...string) (string, error) {
	t.Helper()
	out, err := w.once(t, folder, in, name, args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && (out == "" || strings.HasPrefix(out, "wine client error:")) {
		t.Logf("%s %q died without a word; once more", filepath.Base(name), args)
		out, err = w.once(t, folder, in, name, args...)
	}
	return out, err
}

// once has the program's streams be files: Wine's services, which it starts,
// live on, and would hold pipes open.
func (w *wine) once(t *testing.T, folder, in, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	dir := t.TempDir()
	input, output := filepath.Join(dir, "input"), filepath.Join(dir, "output")
	if err := os.WriteFile(input, []byte(in), 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, err := os.Open(input)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.env, folder, stdin, stdout, stdout
	ended := cmd.Run()
	out, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n"), ended
}

func (w *wine) must(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	out, err := w.run(t, folder, "", name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return out
}

// build builds for Windows: go args[0], say, with the rest of args.
func build(t *testing.T, verb string, args ...string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "program.exe")
	cmd := exec.Command("go", append([]string{verb, "-overlay", overlay(t), "-o", exe}, args...)...)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return exe
}

// overlay has Go's standard library take Wine's answer to a kind of deletion
// that Wine 8 lacks, "not implemented", for what it says, as it takes the other
// ways to say so. Without it no os.RemoveAll works, nor does t.TempDir.
func overlay(t *testing.T) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "internal", "syscall", "windows", "at_windows.go")
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const notSupported = "STATUS_NOT_SUPPORTED:"
	if n := strings.Count(string(source), notSupported); n == 0 {
		t.Fatalf("%s no longer mentions %s", original, notSupported)
	}
	dir := t.TempDir()
	changed, list := filepath.Join(dir, "at_windows.go"), filepath.Join(dir, "overlay.json")
	mapping, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	const notImplemented = 0xC0000002
	for path, data := range map[string]string{
		changed: strings.ReplaceAll(string(source), notSupported, fmt.Sprintf("STATUS_NOT_SUPPORTED, NTStatus(%#x):", notImplemented)),
		list:    string(mapping),
	} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list
}
