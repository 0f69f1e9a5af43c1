package cli

import (
	"os"
	"os/exec"
	"runtime"
)

// openBrowser starts the user's browser on url and reports whether it could.
// It does not wait: some browsers run on in the program that was started. What
// they print stays out of our output, and Ctrl-C in our terminal does not reach
// them.
func (p *program) openBrowser(url string) bool {
	for _, command := range p.browsers() {
		path, err := exec.LookPath(command[0])
		if err != nil {
			continue
		}
		cmd := exec.Command(path, append(command[1:], url)...)
		detach(cmd)
		if err := cmd.Start(); err != nil {
			continue
		}
		go func() { _ = cmd.Wait() }() // what it ends with says nothing
		return true
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

// browsers are the commands to try, without the address.
func (p *program) browsers() [][]string {
	var commands [][]string
	if own := p.getenv("BROWSER"); own != "" {
		commands = append(commands, []string{own})
	}
	switch runtime.GOOS {
	case "darwin":
		return append(commands, []string{"open"})
	case "windows":
		return append(commands, []string{"rundll32", "url.dll,FileProtocolHandler"})
	}
	if p.inWSL() {
		commands = append(commands, []string{"wslview"}, []string{"rundll32.exe", "url.dll,FileProtocolHandler"})
	}
	return append(commands, []string{"xdg-open"}, []string{"x-www-browser"})
}
