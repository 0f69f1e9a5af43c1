package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
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

// standing is how one link stands, or why that cannot be told.
type standing struct {
	config string
	status authring.Status
	err    error
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

// printStandings writes one line for each link, in columns.
func (p *program) printStandings(all []standing) {
	rows := make([][]string, len(all))
	for i, one := range all {
		rows[i] = []string{printable(one.config), one.status.State.String(), linkedTo(one.status.Record), p.remark(one)}
		if one.err != nil {
			rows[i] = []string{printable(one.config), "broken", "", p.remark(one)}
		}
	}
	widths := make([]int, 4)
	for _, row := range rows {
		for c, cell := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	for i, row := range rows {
		var line strings.Builder
		for c, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[c]-utf8.RuneCountInString(cell)) + "  ")
		}
		fmt.Fprintf(p.stdout, "%s %s\n", p.mark(all[i]), strings.TrimRight(line.String(), " "))
	}
}

// mark tells at a glance how a link stands.
func (p *program) mark(one standing) string {
	switch {
	case one.err != nil || one.status.State == authring.Revoked:
		return p.stdout.paint(red, "✗")
	case one.status.State == authring.Linked:
		return p.stdout.paint(green, "✓")
	case one.status.State == authring.Unlinked:
		return p.stdout.paint(dim, "-")
	default:
		return p.stdout.paint(yellow, "!")
	}
}

// remark is the last column: the keyring, and what to do if something is wrong.
func (p *program) remark(one standing) string {
	name := orID(one.status.KeyringName, one.status.Keyring)
	switch {
	case one.err != nil:
		return printable(one.err.Error())
	case one.status.State == authring.Linked:
		return name
	case one.status.State == authring.Unlinked:
		return "link an account: " + p.named(one.config, "link")
	case one.status.State == authring.Locked:
		return name + ": unlock it, or run: " + p.named(one.config, "token")
	case one.status.State == authring.Unavailable:
		return orWord(name, "keyring") + ": " + reason(one.status)
	default:
		return name + ": " + reason(one.status) + "; run: " + p.named(one.config, "link", "--relink")
	}
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

// linkedTo names the account of a record, for people.
func linkedTo(rec record.Record) string {
	if name := person(rec.DisplayName, rec.Email); name != "" {
		return name
	}
	return printable(rec.AccountID)
}

// reason says why a link is not simply linked.
func reason(status authring.Status) string {
	var access *authring.KeyringAccessError
	switch {
	case errors.As(status.Reason, &access) && access.State == authring.SecretMissing:
		return authring.ErrSecretMissing.Error()
	case access != nil:
		return printable(access.Err.Error())
	case status.Reason != nil:
		return printable(status.Reason.Error())
	default:
		return status.State.String()
	}
}

// linkObject is a link in JSON output. Its members are promises.
type linkObject struct {
	Config             string `json:"config"`
	State              string `json:"state"`
	AccountID          string `json:"account_id"`
	Email              string `json:"email"`
	DisplayName        string `json:"display_name"`
	Keyring            string `json:"keyring"`
	KeyringName        string `json:"keyring_name"`
	TokenAccessType    string `json:"token_access_type"`
	Provider           string `json:"provider"`
	AppKey             string `json:"app_key"`
	Scope              string `json:"scope"`
	LinkedAt           string `json:"linked_at,omitempty"`
	Reason             string `json:"reason,omitempty"`
	PendingRevocations int    `json:"pending_revocations"`
}

func (p *program) linkObject(config string, status authring.Status) linkObject {
	object := recordObject(config, status.Record)
	object.State, object.KeyringName = status.State.String(), status.KeyringName
	object.PendingRevocations = p.pendingRevocations()
	if status.Record.Empty() {
		object.KeyringName = ""
	}
	if status.Reason != nil {
		object.Reason = reason(status)
	}
	return object
}

func recordObject(config string, rec record.Record) linkObject {
	object := linkObject{
		Config: config, AccountID: rec.AccountID, Email: rec.Email, DisplayName: rec.DisplayName,
		Keyring: string(rec.Keyring), TokenAccessType: rec.TokenAccessType, Provider: rec.Provider,
		AppKey: rec.AppKey, Scope: rec.Scope,
	}
	if !rec.Linked.IsZero() {
		object.LinkedAt = rec.Linked.UTC().Format(time.RFC3339)
	}
	return object
}
