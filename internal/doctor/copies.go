package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
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
	var found []Finding
	for _, config := range names {
		rec, err := e.layout.Load(config)
		if err != nil || rec.Empty() {
			continue
		}
		found = append(found, e.copiesOf(ctx, config, rec)...)
	}
	return found
}

func (e *examination) copiesOf(ctx context.Context, config string, rec record.Record) []Finding {
	var found []Finding
	key := keyring.Key{Service: e.layout.Service(), User: record.UserName(config, rec.AccountID)}
	for i, k := range e.Keyrings {
		if k.ID() == rec.Keyring || e.probed[i]().Availability != keyring.Ready {
			continue
		}
		value, err := k.Get(ctx, key, keyring.NoPrompt)
		if err != nil && !errors.Is(err, keyring.ErrNotFound) && ctx.Err() != nil {
			return append(found, Finding{ID: "copy-unknown", Severity: Warn, Config: config,
				Title: fmt.Sprintf("It cannot be told whether %s holds a secret of %q too", k.ID(), config), Detail: noAnswer, Cure: "authring keyrings"})
		}
		if err != nil || value.IsZero() {
			continue
		}
		found = append(found, Finding{
			ID: "copy", Severity: Warn, Config: config,
			Title:  fmt.Sprintf("%s holds a secret of %q too", k.ID(), config),
			Detail: fmt.Sprintf("the record names %s, and only that one is used; the other is stale, or an open door", orNone(rec.Keyring)),
			Cure:   e.removal(k.ID(), key),
		})
	}
	return found
}

func orNone(id keyring.ID) string {
	if id == "" {
		return "none"
	}
	return string(id)
}

// removal is the command that takes an item out of a keyring that is not ours
// to clean.
func (e *examination) removal(id keyring.ID, key keyring.Key) string {
	service, user := e.Quote(key.Service), e.Quote(key.User)
	switch id {
	case keyring.SecretService:
		return "secret-tool clear service " + service + " username " + user
	case keyring.KWallet:
		return "python3 -m keyring -b keyring.backends.kwallet.DBusKeyring del " + service + " " + user
	case keyring.Plaintext:
		return "python3 -m keyring -b keyrings.alt.file.PlaintextKeyring del " + service + " " + user
	case keyring.Keychain:
		return "security delete-generic-password -s " + service + " -a " + user
	default:
		return "authring keyrings"
	}
}
