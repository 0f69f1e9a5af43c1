package main

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// commands are the programs of a release: folders below cmd/.
var commands = []string{"authring", "authring-token"}

const versionVariable = "github.com/authring/authring/internal/cli.version"

// target is a platform that is released for.
type target struct{ os, arch string }

var allTargets = []target{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func (t target) String() string { return t.os + "/" + t.arch }

func parseTargets(names []string) ([]target, error) {
	known := map[string]target{}
	var list []string
	for _, t := range allTargets {
		known[t.String()] = t
		list = append(list, t.String())
	}
	var targets []target
	for _, name := range names {
		t, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("%q is no target; these are: %s", name, strings.Join(list, ", "))
		}
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// binary is a program that was built.
type binary struct {
	name    string // with .exe where that is usual
	content []byte
	info    *buildinfo.BuildInfo
}

// buildAll builds every command for the target.
func buildAll(ctx context.Context, work string, t target, v version) ([]binary, error) {
	var binaries []binary
	for _, name := range commands {
		source := "./cmd/" + name
		if t.os == "windows" {
			name += ".exe"
		}
		file := filepath.Join(work, name)
		if err := build(ctx, source, file, t, v); err != nil {
			return nil, err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("could not read what was built: %w", err)
		}
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("could not read what it was built from: %w", err)
		}
		binaries = append(binaries, binary{name, content, info})
	}
	return binaries, nil
}

// build compiles one command. Nothing of this machine gets into the result:
// neither folders (-trimpath) nor the state of the checkout (-buildvcs), nor
// what the environment says about how to compile.
func build(ctx context.Context, source, file string, t target, v version) error {
	cmd, err := goCommand(ctx, "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
		"-ldflags=-s -w -buildid= -X "+versionVariable+"="+v.given, "-o", file, source)
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch,
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off")
	_, err = output(cmd)
	return err
}

// whereFrom are the settings of Go that tell where it and modules come from and
// are kept, and not what is made of them.
var whereFrom = []string{
	"GOTOOLCHAIN", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOPRIVATE",
	"GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH",
}

// goCommand is a call of Go that of all that its user has set keeps whereFrom.
// Settings are in the environment and in a file (go env -w), which also counts
// where a variable is empty, and so has to be left out as a whole.
func goCommand(ctx context.Context, args ...string) (*exec.Cmd, error) {
	text, err := output(exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, whereFrom...)...))
	if err != nil {
		return nil, err
	}
	var settings map[string]string
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return nil, fmt.Errorf("could not read the settings of Go: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(cmd.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off")
	for _, name := range whereFrom {
		cmd.Env = append(cmd.Env, name+"="+settings[name])
	}
	return cmd, nil
}

// completion is the script for one shell.
type completion struct {
	shell  string
	script []byte
}

// makeCompletions has the program itself print them, built for this machine.
func makeCompletions(ctx context.Context, work string, v version) ([]completion, error) {
	program := filepath.Join(work, "completing.exe")
	if err := build(ctx, "./cmd/authring", program, target{runtime.GOOS, runtime.GOARCH}, v); err != nil {
		return nil, err
	}
	var completions []completion
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, err := output(exec.CommandContext(ctx, program, "completion", shell))
		if err != nil {
			return nil, fmt.Errorf("could not make the completion for %s: %w", shell, err)
		}
		completions = append(completions, completion{shell, []byte(script + "\n")})
	}
	return completions, nil
}
