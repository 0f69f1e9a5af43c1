package cli

import (
	"context"
	"sync"

	"github.com/spf13/cobra"

	"github.com/authring/authring/record"
)

const statusLong = `Show how links stand: account, keyring, and whether the secret can be read.

Nothing is asked, neither in the terminal nor in a keyring's window, and the
network is not used. A revoked grant is known once the provider has said so to
another command.

The first line is the link chosen with -c; without -c it is "default", and all
other links follow. The exit status is that of the first line. With --json it
is one object about that link alone, whose state is unlinked, linked, locked,
unavailable, secret-missing or revoked; authring list --json gives all links.`

const statusExample = `  authring status
  authring status -c work --json | jq -r .state`

func (p *program) statusCommand() *cobra.Command {
	return p.newCommand(&cobra.Command{
		Use:   "status [options]",
		Short: "Show how links stand",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runStatus(cmd.Context()) },
	}, page{
		long: statusLong, example: statusExample,
		exits: []int{exitOK, exitNotLinked, exitLocked, exitUnavailable, exitRevoked, exitUsage, exitInternal, exitInterrupted},
	})
}

func (p *program) runStatus(ctx context.Context) error {
	names := []string{p.config}
	if !p.configAsked && !p.json {
		others, err := p.configNames()
		if err != nil {
			return err
		}
		for _, name := range others {
			if name != p.config {
				names = append(names, name)
			}
		}
	}
	all := make([]standing, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { all[i] = p.look(ctx, name) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	chosen := all[0]
	if chosen.err != nil && (p.json || len(all) == 1) {
		return chosen.err
	}
	if p.json {
		if err := p.printJSON(p.linkObject(chosen.config, chosen.status)); err != nil {
			return err
		}
	} else {
		p.printStandings(all)
		p.tellPending()
	}
	if chosen.err != nil {
		return exitSilently(kindOf(chosen.err).code)
	}
	return exitSilently(stateCode(chosen.status.State))
}

// look opens one link and looks at it.
func (p *program) look(ctx context.Context, config string) standing {
	s, err := p.open(config)
	if err != nil {
		return standing{config: config, err: err}
	}
	defer func() { _ = s.Close() }()
	status, err := s.Status(ctx)
	return standing{config, status, err}
}

// configNames lists the links of the app.
func (p *program) configNames() ([]string, error) {
	layout, err := record.NewLayout(p.app)
	if err != nil {
		return nil, err
	}
	return layout.List()
}

// tellPending mentions grants that could not be revoked so far.
func (p *program) tellPending() {
	if n := p.pendingRevocations(); n > 0 {
		p.warn("%d former link(s) not revoked at %s yet; link, token and unlink try again", n, p.providerTitle())
	}
}

// pendingRevocations counts the grants of the app that are still to be revoked.
func (p *program) pendingRevocations() int {
	layout, err := record.NewLayout(p.app)
	if err != nil {
		return 0
	}
	entries, err := layout.Revocations()
	if err != nil {
		return 0
	}
	return len(entries)
}
