package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// verb is one thing the tool can do.
type verb struct {
	name    string
	command func() *cobra.Command
}

// verbs lists them in the order in which help shows them.
func (p *program) verbs() []verb {
	return []verb{
		{"link", p.changing(p.linkCommand)},
		{"status", p.statusCommand},
		{"list", p.listCommand},
		{"token", p.tokenCommand},
		{"unlink", p.changing(p.unlinkCommand)},
		{"provider", p.providerCommand},
		{"keyrings", p.keyringsCommand},
		{"migrate", p.changing(p.migrateCommand)},
		{"import", p.changing(p.importCommand)},
		{"export", p.exportCommand},
		{"doctor", p.doctorCommand},
		{"agent", p.agentCommand},
		{"policy", p.policyCommand},
		{"exec", p.execCommand},
		{"proxy", p.proxyCommand},
		{"git-credential", p.gitCredentialCommand},
		{"demo", p.demoCommand},
		{"emulator", p.emulatorCommand},
		{"completion", p.completionCommand},
		{"version", p.versionCommand},
		{"bench-read", p.benchReadCommand},
	}
}

const rootLong = `Link a program to a cloud account once, keep the long-lived secret in the
system keyring, and get valid access tokens for ever after.

The account is chosen by a config name (-c), "default" when none is given;
each config name holds one account. What is remembered of a link in files is
never a secret: that is in the keyring that the link's record names, and in
no other place.

Results are printed to standard output and everything meant for people to
standard error. With --json the result is one JSON value, and an error is one
too, on standard output, with the members error, message, exit_code and hint.`

const rootExample = `  authring demo            see it all with a pretend account
  authring link            link a Dropbox account
  curl -H "$(authring token --header)" -X POST https://api.dropboxapi.com/2/users/get_current_account`

// rootCommand builds the command for args. Only the verb that runs is built:
// the others are needed for help and completion alone.
func (p *program) rootCommand(args []string) *cobra.Command {
	version := false
	root := p.newCommand(&cobra.Command{
		Use:   "authring",
		Short: "Link a program to a cloud account, and get its access tokens",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd, args[0])
			}
			if version {
				return p.runVersion()
			}
			return cmd.Help()
		},
	}, page{
		long: rootLong, example: rootExample, files: true, environment: true,
		exits: []int{
			exitOK, exitInvalid, exitConnection, exitNotLinked, exitLocked, exitUnavailable, exitRevoked, exitEnding,
			exitUsage, exitNoAgent, exitInternal, exitTemporary, exitRefused, exitNotRunnable, exitNoCommand, exitInterrupted,
		},
	})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { p.printHelp(cmd) })
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if name := firstWord(args); cmd == root && name != "" && !errors.Is(err, pflag.ErrHelp) {
			// The flag is that of a verb, which is the word to correct.
			return unknownVerb(root, name)
		}
		return flagError(cmd, err)
	})

	root.Flags().BoolVar(&version, "version", false, "print the version, as authring version does")
	flags := root.PersistentFlags()
	flags.StringVarP(&p.config, "config-name", "c", defaultConfig, "`NAME` of the link")
	flags.StringVar(&p.app, "app", defaultApp, "`NAME` of the program that owns the links; Maestral shares that program's")
	flags.BoolVar(&p.json, "json", false, "print the result, or the error, as JSON")
	flags.BoolVar(&p.noInput, "no-input", false, "never ask anything, in the terminal or in a keyring's window")
	flags.BoolVarP(&p.verbose, "verbose", "v", false, "tell on standard error what is done")
	p.addSealedFlags(flags)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		p.configAsked = cmd.Flags().Changed("config-name")
		p.running = cmd
		return p.checkSealedFlags(cmd)
	}

	verbs := p.verbs()
	for _, v := range verbs {
		if len(args) > 0 && args[0] == v.name {
			root.AddCommand(v.command())
			root.SetHelpCommand(&cobra.Command{Hidden: true})
			return root
		}
	}
	for _, v := range verbs {
		root.AddCommand(v.command())
	}
	root.SetHelpCommand(p.helpCommand(root))
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		p.completeFlags(root)
	}
	return root
}

// noArguments refuses positional arguments without repeating them: what was
// given may be a code.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(cmd.Name(), "%s takes no arguments; it has flags only", cmd.Name())
}

// firstWord is the first of args, if it is no flag.
func firstWord(args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return ""
	}
	return args[0]
}

func unknownVerb(root *cobra.Command, name string) error {
	if len(name) > 32 {
		return usage("", "there is no such verb")
	}
	message := fmt.Sprintf("there is no verb %q", name)
	if near := root.SuggestionsFor(name); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage("", "%s", message)
}

// flagError words what pflag found, without the values.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	name := cmd.Name()
	if !cmd.HasParent() {
		name = ""
	}
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return usage(name, "there is no flag -%.1s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		wrong := unknown.GetSpecifiedName()
		if near := nearFlags(cmd, wrong); len(near) > 0 {
			return usage(name, "there is no flag --%.32s; did you mean %s?", wrong, strings.Join(near, " or "))
		}
		return usage(name, "there is no flag --%.32s", wrong)
	case errors.As(err, &invalid):
		return usage(name, "the value of --%s is not %s", invalid.GetFlag().Name, wanted(invalid.GetFlag()))
	case errors.As(err, &missing):
		return usage(name, "the flag --%s needs a value", missing.GetFlag().Name)
	default:
		return usage(name, "a flag is not written as it must be")
	}
}

// nearFlags are the flags of cmd that are spelt almost like name, as cobra
// suggests verbs.
func nearFlags(cmd *cobra.Command, name string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names.AddCommand(&cobra.Command{Use: "--" + flag.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	return names.SuggestionsFor("--" + name)
}

// wanted says what a flag takes.
func wanted(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "duration":
		return "a length of time such as 5m or 1h30m"
	case daysType:
		return "a length of time such as 7d or 36h"
	case "int", "intSlice":
		return "a number"
	case "bool":
		return "true or false"
	default:
		return "one that it takes"
	}
}
