package authring_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestMain gives examples, which cannot set an environment of their own, a
// home that is thrown away.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "home")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for name, dir := range map[string]string{
		"HOME": "", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "XDG_DATA_HOME": "data", "AppData": "config", "LocalAppData": "state",
	} {
		if err := os.Setenv(name, filepath.Join(home, dir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	status := m.Run()
	_ = os.RemoveAll(home)
	os.Exit(status)
}
