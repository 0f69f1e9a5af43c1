package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring/keyring"
)

// probeBound is how long all keyrings together may take to show themselves.
const probeBound = 30 * time.Second

const keyringsLong = `List the keyrings of this system in the order in which they are tried, how
they stand, and which one a new link would use.

They are looked at only: none is unlocked, started or created, and nothing is
asked. ready: can be used now. startable: starts when it is used. locked: asks
to be unlocked when it is used. unavailable: is there, and cannot be used.
absent: is not there.`

func (p *program) keyringsCommand() *cobra.Command {
	return p.newCommand(&cobra.Command{
		Use:   "keyrings [options]",
		Short: "List the keyrings, and how they stand",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runKeyrings(cmd.Context()) },
	}, page{
		long: keyringsLong, example: "  authring keyrings --json | jq -r '.[] | select(.chosen).id'",
		exits: []int{exitOK, exitUsage, exitInternal, exitInterrupted},
	})
}

// keyringObject is a keyring in JSON output. Its members are promises.
type keyringObject struct {
	ID           string `json:"id"`
	Availability string `json:"availability"`
	Name         string `json:"name"`
	Detail       string `json:"detail"`
	Chosen       bool   `json:"chosen"`
}

func newKeyringObject(p keyring.Probed, chosen bool) keyringObject {
	return keyringObject{
		ID: string(p.Keyring.ID()), Availability: p.Status.Availability.String(),
		Name: printable(p.Status.Name), Detail: printable(p.Status.Detail), Chosen: chosen,
	}
}

func (p *program) runKeyrings(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, probeBound)
	defer cancel()
	keyrings := p.keyrings()
	probed := keyring.ProbeAll(bounded, keyrings)
	// It looks once more; what it finds differs only if a keyring came or went
	// in between.
	choice, err := keyring.Choose(bounded, keyrings)
	if err := ctx.Err(); err != nil {
		return err
	}
	objects := make([]keyringObject, len(probed))
	for i, one := range probed {
		objects[i] = newKeyringObject(one, err == nil && choice.Keyring.ID() == one.Keyring.ID())
	}
	if p.json {
		return p.printJSON(objects)
	}
	p.printKeyrings(objects)
	return nil
}

func (p *program) printKeyrings(objects []keyringObject) {
	ids, states := 0, 0
	for _, o := range objects {
		ids = max(ids, len(o.ID))
		states = max(states, len(o.Availability))
	}
	none := true
	for _, o := range objects {
		mark := " "
		if o.Chosen {
			mark, none = p.stdout.paint(green, "✓"), false
		}
		about := o.Name
		if o.Detail != "" {
			about += ": " + o.Detail
		}
		fmt.Fprintf(p.stdout, "%s %s  %s  %s\n", mark, pad(o.ID, ids), pad(o.Availability, states), about)
	}
	if none {
		p.warn("None of them can be used for a new link.")
		return
	}
	p.say("✓ marks the one that a new link would use.")
}
