package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

// bashCompletion is what scripts for bash build on.
const bashCompletion = "/usr/share/bash-completion/bash_completion"

// The shells themselves complete with the scripts.
func TestCompletion(t *testing.T) {
	for shell, try := range map[string]string{
		"bash": `. ` + bashCompletion + ` && . ./script
COMP_WORDS=(authring unl) COMP_CWORD=1 COMP_LINE='authring unl' COMP_POINT=12 COMP_TYPE=9
__start_authring authring unl authring 2>/dev/null # compopt works only under a key
echo "${COMPREPLY[@]}"`,
		"bash alone": `. ./script
COMP_WORDS=(authring unl) COMP_CWORD=1 COMP_LINE='authring unl' COMP_POINT=12 COMP_TYPE=9
__start_authring authring unl authring 2>/dev/null
echo "${COMPREPLY[@]}"`,
		"fish": `source ./script; complete --do-complete 'authring unl'`,
		// In a terminal of its own: only the line editor of zsh completes.
		"zsh": `zmodload zsh/zpty
zpty shell "TERM=xterm zsh -f -i"
zpty -w shell "autoload -Uz compinit; compinit -D -u; . ./script; bindkey '^I' list-choices; print READ''Y"
zpty -r shell out '*READY*'
zpty -w -n shell $'authring unl\t'
zpty -r shell out '*End a link*'
[[ $out == *'unlink  -- End a link'* ]] && print unlink`,
	} {
		t.Run(shell, func(t *testing.T) {
			shell, alone, _ := strings.Cut(shell, " ")
			needs.Programs(t, shell)
			if _, err := os.Stat(bashCompletion); shell == "bash" && alone == "" && err != nil {
				needs.Missing(t, bashCompletion)
			}
			home := t.TempDir()
			script, err := exec.Command("authring", "completion", shell).Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(home, "script"), script, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, shell, "-c", try)
			cmd.Env = []string{quickEnd, "PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8"}
			cmd.Dir = home
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasPrefix(strings.TrimSpace(string(out)), "unlink") {
				t.Errorf("%s completes to %q (%v)", shell, out, err)
			}
		})
	}
}
