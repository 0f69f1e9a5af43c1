package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// copies looks for secrets of links in keyrings that their records do not
// name: what an interrupted move, another program, or a keyring that was gone
// for a while leaves. Only those that can be read without a question are
// looked into.
func (e *examination) copies(ctx context.Context) []Finding {
	if e.layoutErr != nil {
		return nil
	}
	names, _ := e.names()
	return e.each(ctx, names, func(ctx context.Context, config string) []Finding {
		rec, err := e.layout.Load(config)
		if err != nil || rec.Empty() {
			return nil
		}
		return e.copiesOf(ctx, config, rec)
	})
}

func (e *examination) copiesOf(ctx context.Context, config string, rec record.Record) []Finding {
	var found []Finding
	// What a link or a move has not ended with is told among the notes, and
	// it is not for others to take away.
	intent, _, err := e.layout.LoadIntent(config)
	if err != nil {
		intent = record.Intent{}
	}
	key := keyring.Key{Service: e.layout.Service(), User: record.UserName(config, rec.AccountID)}
	for i, k := range e.Keyrings {
		if k.ID() == rec.Keyring || k.ID() == intent.Record.Keyring || k.ID() == intent.OldKeyring ||
			e.probed[i]().Availability != keyring.Ready {
			continue
		}
		value, err := get(ctx, k, key)
		if err != nil && !errors.Is(err, keyring.ErrNotFound) && ctx.Err() != nil {
			return append(found, Finding{ID: "copy-unknown", Severity: Warn, Config: config,
				Title: fmt.Sprintf("It cannot be told whether %s holds a secret of %q too", k.ID(), config), Detail: noAnswer, Cure: "authring keyrings"})
		}
		if err != nil || value.IsZero() {
			continue
		}
		f := Finding{
			ID: "copy", Severity: Warn, Config: config,
			Title:  fmt.Sprintf("%s holds a secret of %q too", k.ID(), config),
			Detail: fmt.Sprintf("the record names %s, and only that one is used; the other is stale, or an open door", orNone(rec.Keyring)),
			Cure:   e.removal(ctx, k.ID(), key, config, rec, value),
		}
		if strings.HasPrefix(f.Cure, cure.Python) {
			f.Detail += "; the command needs Python's keyring and keyrings.alt"
		}
		found = append(found, f)
	}
	return found
}

func orNone(id keyring.ID) string {
	if id == "" {
		return "none"
	}
	return string(id)
}

// removal is the command that takes a copy out of a keyring. A move there
// replaces the copy with the secret, and the move back takes that along.
func (e *examination) removal(ctx context.Context, id keyring.ID, key keyring.Key, config string, rec record.Record, copied secret.Secret) string {
	service, user := e.Quote(key.Service), e.Quote(key.User)
	switch hasSecret := e.hasSecret(ctx, config, rec); {
	case !hasSecret && id == keyring.Plaintext: // which may be all that there is
		return e.relinkBetter(config)
	case !hasSecret:
		return e.Command(config, "link", "--relink", "--keyring", string(id))
	case id == keyring.Plaintext && !e.isSecret(ctx, config, rec, copied): // where the secret had better not go
		return cure.Python + " -m keyring -b keyrings.alt.file.PlaintextKeyring del " + service + " " + user
	case id == keyring.Keychain:
		return "security delete-generic-password -s " + service + " -a " + user
	case rec.Keyring == keyring.Plaintext:
		return e.migrate(config, id)
	default:
		return e.migrate(config, id) + cure.And + e.migrate(config, rec.Keyring)
	}
}

// hasSecret reports whether the keyring of a link has its secret, as far as
// can be told without a question.
func (e *examination) hasSecret(ctx context.Context, config string, rec record.Record) bool {
	k, status, here := e.find(rec.Keyring)
	if !here || status.Availability != keyring.Ready {
		return here && status.Availability.Usable()
	}
	value, err := e.read(ctx, k, config, rec)
	return err == nil && !value.IsZero()
}

// isSecret reports whether a copy is the secret of a link itself, as far as can
// be told without a question.
func (e *examination) isSecret(ctx context.Context, config string, rec record.Record, copied secret.Secret) bool {
	k, status, here := e.find(rec.Keyring)
	if !here || status.Availability != keyring.Ready {
		return false
	}
	value, err := e.read(ctx, k, config, rec)
	return err == nil && value.Equal(copied)
}

// migrate is the command that moves a link.
func (e *examination) migrate(config string, to keyring.ID) string {
	flags := []string{"--to", string(to)}
	if to == keyring.Plaintext {
		flags = append(flags, "--allow-plaintext")
	}
	return e.Command(config, "migrate", flags...)
}
