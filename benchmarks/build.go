package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// programs are the paths of what was built.
type programs struct {
	authring, small, stripped, bare, launcher, chello, gohello, plain, zalando, keybase string
}

// buildAll builds our tool and those it is measured against into dir. All that
// is written in Go is built in the same way: without cgo, as programs are
// built to be handed out, and with no other flags. The stripped program is
// weighed and not run.
func buildAll(ctx context.Context, dir string) (programs, error) {
	at := func(name string) string { return filepath.Join(dir, name) }
	p := programs{
		authring: at("authring"), small: at("authring-token"), stripped: at("stripped"), bare: at("bare"), launcher: at("launch"), chello: at("chello"), gohello: at("gohello"),
		plain: at("plain"), zalando: at("zalando"), keybase: at("keybase"),
	}
	steps := []struct {
		in      string
		command []string
	}{
		{"..", []string{"go", "build", "-o", p.authring, "./cmd/authring"}},
		{"..", []string{"go", "build", "-o", p.small, "./cmd/authring-token"}},
		{"..", []string{"go", "build", "-ldflags=-s -w", "-o", p.stripped, "./cmd/authring"}},
		{".", []string{"go", "build", "-o", p.bare, "./contenders/bare"}},
		{".", []string{"go", "build", "-o", p.gohello, "./contenders/gohello"}},
		{".", []string{"go", "build", "-o", p.plain, "./contenders/plain"}},
		{".", []string{"go", "build", "-o", p.zalando, "./contenders/zalando"}},
		{".", []string{"go", "build", "-o", p.keybase, "./contenders/keybase"}},
		{".", []string{"gcc", "-O2", "-o", p.chello, "contenders/chello/hello.c"}},
		{".", []string{"gcc", "-O2", "-static", "-o", p.launcher, "launch/launch.c"}},
	}
	for _, s := range steps {
		cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
		cmd.Dir = s.in
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return programs{}, fmt.Errorf("could not build %s: %w\n%s", s.command[len(s.command)-1], err, out)
		}
	}
	return p, nil
}
