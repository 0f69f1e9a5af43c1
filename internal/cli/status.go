package cli

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring/record"
)

const statusLong = `Show how links stand: account, keyring, and whether the secret can be read.

Nothing is asked, neither in the terminal nor in a keyring's window, and the
network is not used for it. A revoked grant is known once the provider has said
so to another command.

The first line is the link chosen with -c; without -c it is "default", and all
other links follow. The exit status is that of the first line. With --json it
is one object about that link alone, whose state is unlinked, linked, locked,
unavailable, secret-missing or revoked; authring list --json gives all links.

A link may end by itself: where its refresh token was not used for too long, or
is too old. It is said a week before, or --within, as far as the provider is
known for it or has said so. JSON has the times: refresh_token_expires_at, the
first of refresh_token_idle_expires_at and refresh_token_absolute_expires_at.
With --check the exit status tells: 0, all is well; 7, a link ends within that
time; else what is wrong. Without -c it is about all links, and the worst
counts. A refresh (authring token --no-agent), and an agent that runs, make a
link live on that is only not used; one that is too old has to be linked again.

What was asked for and not granted is said too (scope_missing).

With --history the last events of the link follow: when it was linked,
refreshed, rotated, in doubt, revoked or failed, why, by which process, and with
which keyring. The fingerprint tells refresh tokens apart, and cannot be turned
back into one.`

const statusExample = `  authring status
  authring status -c work --json | jq -r .state
  authring status --check --within 14d || notify-send "A link needs you"
  authring status --history`

func (p *program) statusCommand() *cobra.Command {
	withHistory := false
	check := checkOptions{within: days(defaultWithin)}
	cmd := p.newCommand(&cobra.Command{
		Use:   "status [options]",
		Short: "Show how links stand",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runStatus(cmd.Context(), withHistory, check) },
	}, page{
		long: statusLong, example: statusExample,
		exits: []int{exitOK, exitNotLinked, exitLocked, exitUnavailable, exitRevoked, exitEnding, exitUsage, exitInternal, exitInterrupted},
	})
	cmd.Flags().BoolVar(&withHistory, "history", false, "show what happened to the link")
	cmd.Flags().BoolVar(&check.on, "check", false, "tell by the exit status whether all is well, and will be")
	cmd.Flags().Var(&check.within, "within", "how far ahead to look: a `TIME` such as 7d or 36h")
	return cmd
}

func (p *program) runStatus(ctx context.Context, withHistory bool, check checkOptions) error {
	p.localOnly = true // a link is shown though its provider is not described
	names := []string{p.config}
	if !p.configAsked && !p.json && !withHistory {
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
	if check.on {
		all = withoutUnlinked(all)
		chosen = all[0]
	}
	if err := p.printStatus(all, withHistory); err != nil {
		return err
	}
	p.tellEnds(all, time.Duration(check.within))
	p.retryPending(ctx)
	if check.on {
		return exitSilently(checkCode(all, time.Duration(check.within)))
	}
	if chosen.err != nil {
		return exitSilently(kindOf(chosen.err).code)
	}
	return exitSilently(stateCode(chosen.status.State))
}

func (p *program) printStatus(all []standing, withHistory bool) error {
	chosen := all[0]
	var events []record.Event
	if withHistory && chosen.err == nil {
		var err error
		if events, err = chosen.history, chosen.historyErr; err != nil {
			return err
		}
	}
	if p.json {
		object := p.linkObject(chosen.config, chosen.status)
		if withHistory {
			object.History = historyObjects(events)
		}
		return p.printJSON(object)
	}
	p.printStandings(all)
	if withHistory {
		p.printHistory(events)
	}
	p.tellPending()
	return nil
}

// look opens one link and looks at it.
func (p *program) look(ctx context.Context, config string) standing {
	s, err := p.open(config)
	if err != nil {
		return standing{config: config, err: err}
	}
	defer func() { _ = s.Close() }()
	status, err := s.Status(ctx)
	one := standing{config: config, status: status, err: err}
	one.history, one.historyErr = s.History()
	return one
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
	n := p.pendingRevocations()
	if n == 0 {
		return
	}
	where := "their providers"
	if names := p.pendingProviders(); len(names) == 1 {
		where = names[0]
		if entry, err := p.providerNamed(where); err == nil {
			where = entry.Provider.Title
		}
	}
	p.warn("%d former link(s) not revoked at %s yet; every command tries again", n, where)
}

// pendingRevocations counts the grants of the app that are still to be revoked.
func (p *program) pendingRevocations() int { return len(p.pending()) }

// pendingProviders are the providers where they are.
func (p *program) pendingProviders() []string {
	var names []string
	for _, entry := range p.pending() {
		if !slices.Contains(names, entry.Provider) {
			names = append(names, entry.Provider)
		}
	}
	return names
}

func (p *program) pending() []record.PendingRevocation {
	layout, err := record.NewLayout(p.app)
	if err != nil {
		return nil
	}
	entries, err := layout.Revocations()
	if err != nil {
		return nil
	}
	return entries
}
