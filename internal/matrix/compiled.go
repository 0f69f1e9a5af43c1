package matrix

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const module = "github.com/authring/authring"

// Built names the keyrings that the command line has on a platform, such as
// "darwin/arm64", by the names of their packages.
func Built(platform string) ([]string, error) {
	goos, goarch, ok := strings.Cut(platform, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no platform: it has to be such as linux/amd64", platform)
	}
	cmd := exec.Command("go", "list", "-deps", module+"/cmd/authring")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("could not list what is built for %s: %w", platform, err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), module+"/keyring/")
		if ok && name != "system" && !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names, nil
}
