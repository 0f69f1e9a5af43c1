package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authring/authring/dropboxtest"
)

const completionLong = `Print a script that completes verbs, flags, config names and keyrings in your
shell: bash, zsh or fish.`

const completionExample = `  source <(authring completion bash)    # in ~/.bashrc
  source <(authring completion zsh)     # in ~/.zshrc, behind compinit
  authring completion fish | source     # in ~/.config/fish/config.fish`

// bashAlone has the words found without the package bash-completion, which
// cobra's script takes for granted: root's shell in Debian does not load it.
const bashAlone = `
__authring_init_completion()
{
    COMPREPLY=()
    if declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    local line=${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$line"
    [[ $line != *[[:space:]] ]] || words+=("")
    cword=$((${#words[@]} - 1)) prev=
    cur=${words[cword]}
    ((cword == 0)) || prev=${words[cword - 1]}
}
`

func (p *program) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return p.newCommand(&cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print a completion script for bash, zsh or fish",
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("completion", "name one shell: %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			root := p.rootCommand(nil)
			switch args[0] {
			case "bash":
				if err := root.GenBashCompletionV2(p.stdout, true); err != nil {
					return err
				}
				_, err := io.WriteString(p.stdout, bashAlone)
				return err
			case "zsh":
				return root.GenZshCompletion(p.stdout)
			case "fish":
				return root.GenFishCompletion(p.stdout, true)
			default:
				return usage("completion", "there is no completion for that shell; there is one for %s", strings.Join(shells, ", "))
			}
		},
	}, page{long: completionLong, example: completionExample, exits: []int{exitOK, exitUsage, exitInternal}})
}

// completeFlags tells the shell what the values of flags can be.
func (p *program) completeFlags(root *cobra.Command) {
	values := map[string]func() []string{
		"config-name": func() []string {
			names, _ := p.configNames() // nothing to offer, then
			return names
		},
		"app":      func() []string { return []string{defaultApp, "Maestral"} },
		"keyring":  keyringNames,
		"provider": p.providerNames,
		"to":       keyringNames,
		"fault":    dropboxtest.FaultNames,
		"way":      ways,
	}
	for _, cmd := range append(root.Commands(), root) {
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			_, flag.Usage = pflag.UnquoteUsage(flag) // a shell shows the quotes
		})
		for name, list := range values {
			if cmd.Flags().Lookup(name) == nil && cmd.PersistentFlags().Lookup(name) == nil {
				continue
			}
			_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return list(), cobra.ShellCompDirectiveNoFileComp
			}) // fails for a flag that is not there
		}
	}
}

func keyringNames() []string {
	var ids []string
	for _, id := range keyringIDs() {
		ids = append(ids, string(id))
	}
	return ids
}
