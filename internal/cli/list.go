package cli

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/authring/authring/record"
)

const listLong = `List the config names that are linked, with account and keyring.

Only the records are read: no keyring, no network. Whether the secrets can be
read is told by authring status. With --json it is a list of objects; a record
that cannot be read has the member error.`

func (p *program) listCommand() *cobra.Command {
	return p.newCommand(&cobra.Command{
		Use:   "list [options]",
		Short: "List the links",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runList(cmd.Context()) },
	}, page{
		long: listLong, example: "  authring list --json | jq -r '.[].config'",
		exits: []int{exitOK, exitUsage, exitInternal},
	})
}

// listObject is a link as its record has it.
type listObject struct {
	Config          string `json:"config"`
	AccountID       string `json:"account_id"`
	Email           string `json:"email"`
	DisplayName     string `json:"display_name"`
	Keyring         string `json:"keyring"`
	TokenAccessType string `json:"token_access_type"`
	Provider        string `json:"provider"`
	LinkedAt        string `json:"linked_at,omitempty"`
	Error           string `json:"error,omitempty"`
}

func (p *program) runList(ctx context.Context) error {
	layout, err := record.NewLayout(p.app)
	if err != nil {
		return err
	}
	names, err := layout.List()
	if err != nil {
		return err
	}
	objects := make([]listObject, 0, len(names))
	var broken error
	for _, name := range names {
		rec, err := layout.Load(name)
		o := recordObject(name, rec)
		object := listObject{
			Config: name, AccountID: o.AccountID, Email: o.Email, DisplayName: o.DisplayName, Keyring: o.Keyring,
			TokenAccessType: o.TokenAccessType, Provider: o.Provider, LinkedAt: o.LinkedAt,
		}
		if err != nil {
			broken = err
			object.Error = printable(err.Error())
		}
		objects = append(objects, object)
	}
	if p.json {
		if err := p.printJSON(objects); err != nil {
			return err
		}
	} else {
		p.printList(objects)
	}
	p.retryPending(ctx)
	if broken != nil {
		return exitSilently(kindOf(broken).code)
	}
	return nil
}

func (p *program) printList(objects []listObject) {
	if len(objects) == 0 {
		p.say("No account is linked. Link one: %s", p.command("link"))
		return
	}
	name, account := 0, 0
	for _, o := range objects {
		name = max(name, utf8.RuneCountInString(o.Config))
		account = max(account, utf8.RuneCountInString(accountOf(o)))
	}
	for _, o := range objects {
		if o.Error != "" {
			fmt.Fprintf(p.stdout, "%s  %s\n", pad(o.Config, name), p.stdout.paint(red, o.Error))
			continue
		}
		fmt.Fprintf(p.stdout, "%s  %s  %s\n", pad(o.Config, name), pad(accountOf(o), account), printable(o.Keyring))
	}
}

func accountOf(o listObject) string {
	return orWord(person(o.DisplayName, o.Email), printable(o.AccountID))
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
