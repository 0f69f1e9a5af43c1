package cli

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
)

const waitFlag = "wait-keyring"

// addWaitFlag gives a verb that uses the keyring the flag to wait for it.
func (p *program) addWaitFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&p.waitKeyring, waitFlag, 0,
		"wait up to this `TIME` (60s, 5m) until the keyring is there and unlocked, and ask nobody")
	cmd.Flags().Lookup(waitFlag).DefValue = "" // 0s would say that it waits
}

// waitOptions are those of a session that waits.
func (p *program) waitOptions(cmd *cobra.Command) ([]authring.Option, error) {
	if !cmd.Flags().Changed(waitFlag) {
		return nil, nil
	}
	if p.waitKeyring <= 0 {
		return nil, usage(cmd.Name(), "--%s must be more than nothing", waitFlag)
	}
	return []authring.Option{authring.WithKeyringWait(p.waitKeyring)}, nil
}

// waiting spells the command that waits where the one that runs did not. Verbs
// that cannot wait are told of token, which can.
func (p *program) waiting() string {
	wait := []string{"--" + waitFlag, "60s"}
	if p.running == nil || p.running.Flags().Lookup(waitFlag) == nil {
		return p.command("token", wait...)
	}
	switch verb := p.running.Name(); verb {
	case "link": // of which what was said is repeated anyway
		return p.command(verb, wait...)
	case "exec":
		return p.command(verb, append(wait, p.typed()...)...) + " -- COMMAND"
	default:
		return p.command(verb, slices.Concat(p.running.Flags().Args(), wait, p.typed())...)
	}
}

// typed repeats the options that the user gave, but for those that every command
// is spelled with, those that say how it talks, and the one that means all links,
// since what is told is told of one.
func (p *program) typed() (words []string) {
	others := []string{waitFlag, "config-name", "app", "json", "no-input", "verbose", "all"}
	p.running.Flags().Visit(func(f *pflag.Flag) {
		name := "--" + f.Name
		switch list, ok := f.Value.(pflag.SliceValue); {
		case slices.Contains(others, f.Name):
		case ok:
			for _, value := range list.GetSlice() {
				words = append(words, name, value)
			}
		case f.Value.Type() == "bool":
			if f.Value.String() == "true" {
				words = append(words, name)
			}
		default:
			words = append(words, name, f.Value.String())
		}
	})
	return words
}

// notReadyMessage says for what was waited in vain.
func (p *program) notReadyMessage(err error) string {
	why := err.Error()
	var access *authring.KeyringAccessError
	var other *keyring.Error
	switch {
	case errors.As(err, &access):
		why = accessMessage(access)
	case errors.As(err, &other):
		why = other.Error()
	}
	return fmt.Sprintf("waited %v in vain: %s", p.waitKeyring.Round(time.Millisecond), why)
}
