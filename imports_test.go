package authring_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// What a package of the project may import of the project, by prefix. A
// package that is not listed has no rule but the ones of its folder.
var mayImport = map[string][]string{
	"secret":                {},
	"provider":              {"secret"},
	"provider/registry":     {"provider", "internal/"},
	"dropboxtest":           {"secret"},
	"oauthtest":             {},
	"keyring":               {"secret"},
	"keyring/":              {"secret", "keyring", "internal/"},
	"record":                {"secret", "keyring", "internal/"},
	"agent":                 {""}, // runs sessions
	"internal/child":        {"secret", "internal/"},
	"internal/cli":          {""},
	"internal/doctor":       {""}, // looks at all of it
	"internal/matrix":       {"keyring"},
	"internal/fault":        {""}, // names the library's errors
	"internal/proof/worker": {""}, // a program that uses the library
	"internal/proxy":        {"secret", "provider", "internal/"},
	"internal/rcloneconf":   {"secret", "internal/"},
	"internal/":             {"internal/"},
	"keyring/system":        {"keyring"},
	"cmd/authring":          {"internal/cli"},
	"cmd/authring-token":    {"internal/agentclient"},
	"":                      {"secret", "provider", "keyring", "record", "internal/"},
}

// TestImportsPointDown holds the imports of every package, on every platform
// that is built for, against the house.
func TestImportsPointDown(t *testing.T) {
	const module = "github.com/authring/authring"
	for _, platform := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
		cmd.Env = append(cmd.Environ(), "GOOS="+platform, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", platform, err)
		}
		seen := 0
		decoder := json.NewDecoder(strings.NewReader(string(out)))
		for {
			var p struct {
				ImportPath string
				Imports    []string
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			seen++
			from := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
			for _, path := range p.Imports {
				to, ours := strings.CutPrefix(path, module)
				to = strings.TrimPrefix(to, "/")
				if ours && !allowed(from, to) {
					t.Errorf("%s: %q must not import %q", platform, from, to)
				}
				if from != "internal/cli" && from != "internal/cli/man" && strings.Contains(path, "spf13/") {
					t.Errorf("%s: %q must not import %s", platform, from, path)
				}
			}
		}
		if seen < 10 {
			t.Errorf("%s: only %d packages were looked at", platform, seen)
		}
	}
}

func allowed(from, to string) bool {
	rule := from
	if _, ok := mayImport[rule]; !ok {
		rule = from[:strings.Index(from, "/")+1]
	}
	for _, prefix := range mayImport[rule] {
		if to == "" && prefix != "" {
			continue
		}
		if to == prefix || prefix == "" || strings.HasPrefix(to, strings.TrimSuffix(prefix, "/")+"/") {
			// Leaves may not reach up into the command line.
			return !(strings.HasPrefix(to, "internal/cli") && !strings.HasPrefix(from, "internal/cli") && from != "cmd/authring")
		}
	}
	return false
}
