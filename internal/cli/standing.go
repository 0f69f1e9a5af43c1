package cli

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/authring/authring"
	"github.com/authring/authring/record"
)

// standing is how one link stands, or why that cannot be told.
type standing struct {
	config string
	status authring.Status
	err    error

	history    []record.Event
	historyErr error
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
