package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

const debianVersion = "1.2.3~rc.1-1"

// The package goes into a Debian that has nothing but its essential packages
// (and man), works there for a user, and leaves nothing when it is removed.
func TestDebianPackageInACleanRoot(t *testing.T) {
	needs.Programs(t, "go", "mmdebstrap", "apt-get", "apt-config", "dpkg", "lintian")
	if out, err := tryAsRoot(t, "true"); err != nil {
		needs.Missing(t, "root, or sudo that asks for no password ("+strings.TrimSpace(out)+")")
	}
	folder := build(t, copyOfProject(t, "../.."), nil, "v1.2.3-rc.1", "linux/amd64", "linux/arm64")
	for _, arch := range []string{"amd64", "arm64"} {
		deb := filepath.Join(folder, "authring_"+debianVersion+"_"+arch+".deb")
		out, err := exec.Command("lintian", "--allow-root", "--fail-on", "error,warning", "--info", deb).CombinedOutput()
		if err != nil {
			t.Errorf("lintian finds in the package for %s: %v\n%s", arch, err, out)
		}
	}

	root := cleanRoot(t)
	before := filesBelow(t, root)
	name := "authring_" + debianVersion + "_" + runtime.GOARCH + ".deb"
	asRoot(t, "cp", filepath.Join(folder, name), filepath.Join(root, "tmp"))
	inRoot(t, root, "dpkg", "--install", "/tmp/"+name)
	asRoot(t, "rm", filepath.Join(root, "tmp", name))

	if got, want := inRoot(t, root, "dpkg-query", "--show", "authring"), "authring\t"+debianVersion+"\n"; got != want {
		t.Errorf("installed is %q, want %q", got, want)
	}
	if out := inRoot(t, root, "dpkg", "--verify", "authring"); out != "" {
		t.Errorf("dpkg finds other files than it was told of:\n%s", out)
	}
	if out := inRoot(t, root, "authring", "version"); !strings.HasPrefix(out, "authring v1.2.3-rc.1 (go") {
		t.Errorf("the version is %q", out)
	}
	if out := inRoot(t, root, "authring", "demo"); !strings.Contains(out, "6. Unlink") {
		t.Errorf("the demo shows\n%s", out)
	}
	// The small program finds the other one.
	if out, err := tryInRoot(t, root, "authring-token", "--help"); err != nil || !strings.Contains(out, "authring token") {
		t.Errorf("authring-token --help: %v\n%s", err, out)
	}
	for _, page := range []string{"authring", "authring-link", "authring-token"} {
		if out := inRoot(t, root, "man", "-w", page); out != "/usr/share/man/man1/"+page+".1.gz\n" {
			t.Errorf("the manual page is %q", out)
		}
	}
	installed := strings.Split(inRoot(t, root, "dpkg", "--listfiles", "authring"), "\n")
	for _, file := range []string{
		"/usr/share/bash-completion/completions/authring", "/usr/share/zsh/vendor-completions/_authring",
		"/usr/share/fish/vendor_completions.d/authring.fish", "/usr/share/doc/authring/copyright",
		"/usr/share/doc/authring/changelog.Debian.gz", "/usr/share/doc/authring/docs/systemd/authring.service",
		"/usr/lib/systemd/user/authring-agent.socket", "/usr/lib/systemd/user/authring-agent.service",
	} {
		if !slices.Contains(installed, file) {
			t.Errorf("the package has no %s", file)
		}
	}

	inRoot(t, root, "dpkg", "--remove", "authring")
	if out, err := tryInRoot(t, root, "dpkg-query", "--show", "authring"); err == nil {
		t.Errorf("removed, it is still known: %s", out)
	}
	if after := filesBelow(t, root); after != before {
		t.Errorf("files before:\n%s\nand after:\n%s", before, after)
	}
}

// cleanRoot installs the essential packages of the Debian that this machine
// runs, from where this machine has its packages, into a folder.
func cleanRoot(t *testing.T) string {
	t.Helper()
	sources := debianSources(t)
	if len(sources) == 0 {
		asRoot(t, "apt-get", "update", "-qq") // a machine that was made without lists
		if sources = debianSources(t); len(sources) == 0 {
			needs.Missing(t, "a source of Debian packages")
		}
	}
	options, err := exec.Command("apt-config", "dump", "Acquire").Output() // proxies and the like
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root")
	conf := filepath.Join(filepath.Dir(root), "apt.conf")
	if err := os.WriteFile(conf, options, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { asRoot(t, "rm", "-rf", "--one-file-system", root) })
	args := []string{"mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--include=man-db", "--aptopt=" + conf, codename(t), root}
	asRoot(t, append(args, sources...)...)
	return root
}

// debianSources are the sources that apt here has of its own release, as lines
// of sources.list.
func debianSources(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
		"Created-By: Packages", "Origin: Debian", "Codename: "+codename(t)).Output()
	if err != nil {
		t.Fatalf("apt-get indextargets: %v", err)
	}
	lines := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	slices.Sort(lines)
	return slices.Compact(lines)
}

func codename(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, found := strings.CutPrefix(line, "VERSION_CODENAME="); found {
			return strings.Trim(name, "\"\n")
		}
	}
	needs.Missing(t, "a release of Debian")
	return ""
}

// asRoot runs a command as root.
func asRoot(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tryAsRoot(t, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryAsRoot(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		args = append([]string{"sudo", "-n"}, args...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	return string(out), err
}

// inRoot runs a command in another root: dpkg as root, everything else as nobody.
func inRoot(t *testing.T, root string, args ...string) string {
	t.Helper()
	out, err := tryInRoot(t, root, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryInRoot(t *testing.T, root string, args ...string) (string, error) {
	t.Helper()
	user := "nobody:nogroup"
	if args[0] == "dpkg" {
		user = "root:root"
	}
	within := []string{"chroot", "--userspec=" + user, root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp"}
	return tryAsRoot(t, append(within, args...)...)
}

// filesBelow lists what is in a root, but not what dpkg and man keep for
// themselves.
func filesBelow(t *testing.T, root string) string {
	t.Helper()
	return asRoot(t, "sh", "-c", `cd "$0" && find . -xdev | grep -Ev '^\./var/(lib/dpkg|log|cache/man)(/|$)' | sort`, root)
}
