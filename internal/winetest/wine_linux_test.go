package winetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		"WINEPREFIX="+filepath.Join(dir, "prefix"), "HOME="+dir, "WINEDEBUG=-all", "DISPLAY=", "WINEDLLOVERRIDES=mscoree,mshtml=")}
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

// run runs a program in a folder to its end, and returns what it printed.
func (w *wine) run(t *testing.T, folder string, in io.Reader, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.WaitDelay = w.env, folder, in, time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it succeeded; Wine's services, which it started, live on
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n"), err
}

func (w *wine) must(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	out, err := w.run(t, folder, nil, name, args...)
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
