package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

const (
	epoch     = 1767323045 // 2026-01-02T03:04:05Z
	epochText = "2026-01-02T03:04:05Z"
)

// Two folders, two people with habits of their own, and for one target also a
// compiler that remembers nothing: the same bytes.
func TestTwoBuildsGiveTheSameBytes(t *testing.T) {
	needs.Programs(t, "go", "sha256sum")
	one, other := copyOfProject(t, "../.."), filepath.Join(t.TempDir(), "some where/else")
	copyTree(t, one, other)

	// What go env -w writes, which also counts where a variable is empty.
	settings := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(settings, []byte("GOFLAGS=-tags=theirs\nCGO_ENABLED=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := build(t, one, nil, "v1.2.3")
	second := build(t, other, []string{"TZ=Asia/Kathmandu", "LC_ALL=C.UTF-8", "GOFLAGS=-ldflags=-w", "GOAMD64=v3", "GOENV=" + settings, "GOOS=plan9"}, "v1.2.3")
	fresh := build(t, other, []string{"GOCACHE=" + t.TempDir()}, "v1.2.3", "linux/amd64")

	want := []string{"SHA256SUMS", "authring_1.2.3-1_amd64.deb", "authring_1.2.3-1_arm64.deb"}
	for _, target := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64", "windows_arm64"} {
		ending := ".tar.gz"
		if strings.HasPrefix(target, "windows") {
			ending = ".zip"
		}
		want = append(want, "authring_1.2.3_"+target+ending, "authring_1.2.3_"+target+".spdx.json")
	}
	slices.Sort(want)
	if got := namesIn(t, first); !slices.Equal(got, want) {
		t.Errorf("the release is\n%v, want\n%v", got, want)
	}
	compare(t, first, second, want)
	compare(t, first, fresh, []string{"authring_1.2.3-1_amd64.deb", "authring_1.2.3_linux_amd64.tar.gz", "authring_1.2.3_linux_amd64.spdx.json"})

	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = first
	if out, err := check.CombinedOutput(); err != nil || bytes.Count(out, []byte(": OK\n")) != len(want)-1 {
		t.Errorf("the checksums: %v\n%s", err, out)
	}
	for _, name := range want {
		switch {
		case strings.HasSuffix(name, ".tar.gz"):
			checkArchive(t, name, untar(t, filepath.Join(first, name)))
		case strings.HasSuffix(name, ".zip"):
			checkArchive(t, name, unzip(t, filepath.Join(first, name)))
		}
	}
	checkBill(t, first, "authring_1.2.3_linux_amd64")
	checkBill(t, first, "authring_1.2.3_windows_arm64")
}

// A wrong call says what is wrong, and writes nothing.
func TestRefusals(t *testing.T) {
	needs.Programs(t, "go", "git")
	project := copyOfProject(t, "../..")
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "earlier"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dated := []string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch)}
	out := filepath.Join(t.TempDir(), "out")
	for _, test := range []struct {
		env, args []string
		want      string
	}{
		{dated, nil, "usage: ./release VERSION"},
		{dated, []string{"1.2", out}, `"1.2" is no version`},
		{dated, []string{"1.2.3; rm", out}, "is no version"},
		{dated, []string{"1.2.3", full}, "is not empty"},
		{dated, []string{"1.2.3", "/proc/nothing/goes/here"}, "could not make the folder"}, // and is said before anything is built
		{dated, []string{"1.2.3", out, "plan9/386"}, `"plan9/386" is no target; these are: linux/amd64, `},
		{dated, []string{"1.2.3", "linux/amd64"}, "write: ./release 1.2.3 dist linux/amd64"},
		{dated, []string{"1.2.3", "--verbose"}, "there is no flag --verbose"},
		{[]string{"SOURCE_DATE_EPOCH=yesterday"}, []string{"1.2.3", out}, `SOURCE_DATE_EPOCH is "yesterday"`},
		{nil, []string{"1.2.3", out}, "set SOURCE_DATE_EPOCH"}, // no repository
	} {
		said, err := release(t, project, append(test.env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(project)), test.args...)
		if err == nil || !strings.Contains(said, test.want) || strings.Contains(said, "building") {
			t.Errorf("%q with %v: %v, and says\n%s", test.args, test.env, err, said)
		}
	}
	// Unpacked in a repository of something else, whose commit says nothing.
	around := filepath.Dir(project)
	for _, args := range [][]string{{"init", "-q"}, {"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "none"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = around
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(around, ".git", "info", "exclude"), []byte("*\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := release(t, project, nil, "1.2.3", out); err == nil || !strings.Contains(said, "set SOURCE_DATE_EPOCH") {
		t.Errorf("in the repository of something else: %v, and says\n%s", err, said)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
}

// Without SOURCE_DATE_EPOCH the release is what was committed last.
func TestReleaseOfTheLastCommit(t *testing.T) {
	needs.Programs(t, "go", "git")
	project := copyOfProject(t, "../..")
	env := []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", epoch),
	}
	// Settings of theirs that change what git prints.
	own := [][]string{{"config", "status.showUntrackedFiles", "no"}, {"config", "log.showSignature", "true"}}
	for _, args := range append([][]string{{"init", "-q"}, {"add", "."}, {"commit", "-qm", "all"}}, own...) {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = project, append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	if said, err := release(t, project, env, "1.2.3", out, "linux/amd64"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	dated := build(t, project, nil, "1.2.3", "linux/amd64")
	compare(t, out, dated, namesIn(t, dated))

	if err := os.WriteFile(filepath.Join(project, "docs", "new.md"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := release(t, project, env, "1.2.3", filepath.Join(t.TempDir(), "out"), "linux/amd64")
	if err == nil || !strings.Contains(said, "not committed") || !strings.Contains(said, "docs/new.md") {
		t.Errorf("a file that is not committed: %v\n%s", err, said)
	}
}

// build makes a release in a folder that it returns.
func build(t *testing.T, project string, env []string, args ...string) string {
	t.Helper()
	// Relative to where it is called, which is not the project.
	args = slices.Insert(args, 1, "out")
	cmd := command(t, project, append(env, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch)), args...)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("release: %v\n%s", err, out)
	}
	return filepath.Join(cmd.Dir, "out")
}

func release(t *testing.T, project string, env []string, args ...string) (said string, err error) {
	t.Helper()
	out, err := command(t, project, env, args...).CombinedOutput()
	return string(out), err
}

// command is a call of ./release by somebody whose files nobody else may read.
func command(t *testing.T, project string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `umask 077; exec "$0" "$@"`, filepath.Join(project, "release")}, args...)...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SOURCE_DATE_EPOCH=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// copyOfProject makes a copy that nobody edits while it is built, and that is
// no repository.
func copyOfProject(t *testing.T, project string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "project")
	copyTree(t, project, folder)
	return folder
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if rel == ".git" || rel == "dist" {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if !entry.Type().IsRegular() || rel == ".git" { // a file in a linked work tree
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), content, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func namesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func compare(t *testing.T, one, other string, names []string) {
	t.Helper()
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(other, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}
