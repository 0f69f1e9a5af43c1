package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
		"fish": `source ./script; complete --do-complete 'authring unl'`,
		"zsh":  `autoload -Uz compinit && compinit -D -u && . ./script && [ "$_comps[authring]" = _authring ] && echo unlink`,
	} {
		t.Run(shell, func(t *testing.T) {
			needs.Programs(t, shell)
			if _, err := os.Stat(bashCompletion); shell == "bash" && err != nil {
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
			cmd := exec.Command(shell, "-c", try)
			cmd.Env = []string{quickEnd, "PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8"}
			cmd.Dir = home
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasPrefix(strings.TrimSpace(string(out)), "unlink") {
				t.Errorf("%s completes to %q (%v)", shell, out, err)
			}
		})
	}
}
