package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
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
	verb := "token"
	if p.running != nil && p.running.Flags().Lookup(waitFlag) != nil {
		verb = p.running.Name()
	}
	return p.command(verb, "--"+waitFlag, "60s")
}

// notReadyMessage says for what was waited in vain.
func (p *program) notReadyMessage(err error) string {
	why := err.Error()
	var access *authring.KeyringAccessError
	if errors.As(err, &access) {
		why = accessMessage(access)
	}
	return fmt.Sprintf("waited %v in vain: %s", p.waitKeyring.Round(time.Millisecond), why)
}
