package cli

import (
	"os/exec"
	"runtime"
)

// openBrowser starts the user's browser on url and reports whether it could.
// It does not wait: some browsers run on in the program that was started. What
// they print stays out of our output, and Ctrl-C in our terminal does not reach
// them.
func (p *program) openBrowser(url string) bool {
	if !p.hasBrowser() {
		return false
	}
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

// hasBrowser reports whether a browser would open where the user sits.
func (p *program) hasBrowser() bool {
	if p.getenv("SSH_CONNECTION") != "" || p.getenv("SSH_TTY") != "" {
		return false
	}
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	default:
		return p.getenv("DISPLAY") != "" || p.getenv("WAYLAND_DISPLAY") != ""
	}
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
	default:
		return append(commands, []string{"xdg-open"}, []string{"x-www-browser"}, []string{"wslview"})
	}
}
