package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *program) versionCommand() *cobra.Command {
	return p.newCommand(&cobra.Command{
		Use:   "version [options]",
		Short: "Print the version",
		RunE:  func(*cobra.Command, []string) error { return p.runVersion() },
	}, page{
		long:  "Print the version of authring, and what it was built with.",
		exits: []int{exitOK, exitUsage},
	})
}

func (p *program) runVersion() error {
	version := buildVersion()
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if p.json {
		return p.printJSON(map[string]string{"version": version, "go": runtime.Version(), "platform": platform})
	}
	fmt.Fprintf(p.stdout, "authring %s (%s, %s)\n", version, runtime.Version(), platform)
	return nil
}

// version is set by the linker in a released program; see internal/release.
var version string

// buildVersion is the version of the release, or that of the module.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
