package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// quickFailure is how long a browser has to say that it is none.
const quickFailure = time.Second

// openBrowser starts the user's browser on url and reports whether it could.
// It does not wait for its end: some browsers run on in the program that was
// started. One that fails at once is not taken for a browser, as xdg-open does
// where none is installed. What they print stays out of our output, and Ctrl-C
// in our terminal does not reach them.
func (p *program) openBrowser(ctx context.Context, url string) bool {
	for _, command := range p.browsers(url) {
		path, err := exec.LookPath(command[0])
		if err != nil {
			continue
		}
		cmd := exec.Command(path, command[1:]...)
		detach(cmd)
		if err := cmd.Start(); err != nil {
			continue
		}
		failed := make(chan bool, 1)
		go func() { failed <- cmd.Wait() != nil }()
		timer := time.NewTimer(quickFailure)
		none := false
		select {
		case none = <-failed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if !none {
			return true
		}
	}
	return false
}

// awayVariables are environment variables that are set where the person sits at
// another machine than this program runs on, or outside of its container.
var awayVariables = []string{
	"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY",
	"container", // systemd-nspawn, podman, LXC (systemd's CONTAINER_INTERFACE)
	"KUBERNETES_SERVICE_HOST", "CODESPACES", "GITPOD_WORKSPACE_ID", "CLOUD_SHELL",
}

// hasBrowser reports whether a browser would open where the user sits.
func (p *program) hasBrowser() bool {
	for _, name := range awayVariables {
		if p.getenv(name) != "" {
			return false
		}
	}
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	// Containers of Docker and podman say so by a file. One in which somebody
	// set BROWSER is a workplace: editors open the page on the desktop then, and
	// set no display.
	if exists("/.dockerenv") || exists("/run/.containerenv") {
		return p.getenv("BROWSER") != ""
	}
	// Windows' own browser, from the Linux inside of it.
	if p.inWSL() {
		return true
	}
	return p.getenv("DISPLAY") != "" || p.getenv("WAYLAND_DISPLAY") != ""
}

// inWSL reports whether this is the Linux inside of Windows, whose browser is
// Windows' own: Linux does not know by which user that is run.
func (p *program) inWSL() bool { return p.getenv("WSL_DISTRO_NAME") != "" }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// browsers are the commands to try.
func (p *program) browsers(url string) [][]string {
	commands := ownBrowsers(p.getenv("BROWSER"), url)
	add := func(words ...string) { commands = append(commands, append(words, url)) }
	switch runtime.GOOS {
	case "darwin":
		add("open")
	case "windows":
		add("rundll32", "url.dll,FileProtocolHandler")
	default:
		if p.inWSL() {
			add("wslview")
			add("rundll32.exe", "url.dll,FileProtocolHandler")
		}
		add("xdg-open")
		add("x-www-browser")
	}
	return commands
}

// ownBrowsers reads the variable BROWSER: a program, or several with a colon (on
// Windows a semicolon) between them, each with arguments perhaps, in which %s
// stands for the address. The path of a program may have a space in it.
func ownBrowsers(list, url string) [][]string {
	var commands [][]string
	for _, text := range filepath.SplitList(list) {
		words := []string{text}
		if _, err := exec.LookPath(text); err != nil {
			words = strings.Fields(text)
		}
		if len(words) == 0 {
			continue
		}
		placed := false
		for i, word := range words[1:] {
			placed = placed || strings.Contains(word, "%s")
			words[i+1] = strings.ReplaceAll(word, "%s", url)
		}
		if !placed {
			words = append(words, url)
		}
		commands = append(commands, words)
	}
	return commands
}
