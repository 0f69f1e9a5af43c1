package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// firstUser is the user name of the item of Maestral 0.2.0, in which there was
// one account only. It does not tell which, so that the provider must be asked.
const firstUser = "MaestralUser"

// fromMaestral finds Maestral's links. It asks nobody.
func (i *importing) fromMaestral(ctx context.Context, names []string) ([]candidate, error) {
	layout, err := record.NewLayout(record.MaestralApp)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		if names, err = layout.List(); err != nil {
			return nil, err
		}
	}
	var found []candidate
	for n, name := range names {
		if slices.Contains(names[:n], name) {
			continue
		}
		c := candidate{name: name, config: name}
		if i.configAsked {
			c.config = i.program.config
		}
		if c.err = i.maestralLink(ctx, &c); ctx.Err() != nil {
			return nil, c.err
		}
		found = append(found, c)
	}
	return found, nil
}

// maestralLink looks at one link.
func (i *importing) maestralLink(ctx context.Context, c *candidate) error {
	s, err := i.open(c.name, authring.WithApp(record.MaestralApp))
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if c.rec = s.Record(); c.rec.Empty() {
		return &failure{
			err:     authring.ErrNotLinked,
			message: fmt.Sprintf("Maestral has no link %q", c.name),
			hint:    "See which it has: authring list --app Maestral",
		}
	}
	c.who = linkedTo(c.rec)
	if kind := authring.TokenAccessType(c.rec.TokenAccessType); kind != authring.Legacy && kind != authring.Offline {
		return fmt.Errorf("its token access type %q is unknown", kind)
	}
	item, err := i.findItem(ctx, s, c.config, keyring.NoPrompt)
	switch {
	case err == nil:
		c.where = item.where
		if item.user == firstUser && i.offline {
			return &failure{
				err:     authring.ErrConnectionFailed,
				message: "its item in the keyring does not tell whose it is, and the provider was not to be asked",
				hint:    "Leave out --offline.",
			}
		}
	case errors.Is(err, keyring.ErrLocked) && !i.noInput:
		c.where = lockedName(err) + ", which is locked, and will ask to be unlocked"
	default:
		return err
	}
	name, config := c.name, c.config
	c.grant = func(ctx context.Context) (authring.Grant, error) { return i.maestralGrant(ctx, name, config) }
	return nil
}

// lockedName is what people call the keyring that an error is about.
func lockedName(err error) string {
	var locked *keyring.Error
	if !errors.As(err, &locked) {
		return "a keyring"
	}
	return orID(locked.Name, locked.Keyring)
}

// maestralGrant reads the secret of a link, and has its keyring ask if it must.
func (i *importing) maestralGrant(ctx context.Context, name, config string) (authring.Grant, error) {
	s, err := i.open(name, authring.WithApp(record.MaestralApp))
	if err != nil {
		return authring.Grant{}, err
	}
	defer func() { _ = s.Close() }()
	item, err := i.findItem(ctx, s, config, keyring.NoPrompt)
	if errors.Is(err, keyring.ErrLocked) && !i.noInput {
		item, err = i.findItem(ctx, s, config, keyring.AskUser)
	}
	if err != nil {
		return authring.Grant{}, err
	}
	rec := s.Record()
	grant := authring.Grant{
		TokenAccessType: authring.TokenAccessType(rec.TokenAccessType), Secret: item.value, AppKey: rec.AppKey, Scope: rec.Scope,
		AccountID: rec.AccountID, Email: rec.Email, DisplayName: rec.DisplayName, From: "Maestral", Unverified: i.offline,
	}
	if grant.AppKey == "" {
		grant.AppKey = authring.DefaultAppKey
	}
	if item.user == firstUser {
		grant.TokenAccessType = authring.Legacy
	}
	return grant, nil
}

// maestralItem is a secret of Maestral's, as it was found.
type maestralItem struct {
	value secret.Secret
	where string // for people
	user  string
}

// findItem looks for the secret of a link of Maestral's under every name that
// one of its versions gave it, in the keyring that is recorded. Where none is,
// as before 0.6.4, Python's keyring library chose: then it is looked for in all.
// config is the link that would be made of it.
func (i *importing) findItem(ctx context.Context, s *authring.Session, config string, prompt keyring.Prompt) (maestralItem, error) {
	rec := s.Record()
	users := append([]string{record.UserName(s.ConfigName(), rec.AccountID)}, s.Layout().OldUserNames(s.ConfigName(), rec.AccountID)...)
	users = append(users, firstUser)
	var failed error
	known := false
	for _, k := range s.Keyrings() {
		if rec.Keyring != "" && k.ID() != rec.Keyring {
			continue
		}
		known = true
		found, err := findIn(ctx, k, s.Layout().Service(), users, prompt)
		if err == nil {
			return found, nil
		}
		passed := errors.Is(err, keyring.ErrNotFound) || rec.Keyring == "" && errors.Is(err, keyring.ErrAbsent)
		if !passed && (failed == nil || errors.Is(err, keyring.ErrLocked)) {
			failed = err
		}
	}
	switch {
	case ctx.Err() != nil:
		return maestralItem{}, context.Cause(ctx)
	case !known:
		return maestralItem{}, &failure{
			err:     keyring.ErrAbsent,
			message: fmt.Sprintf("Maestral keeps its secret in %q, which is no keyring of this system", rec.Keyring),
			hint:    "Link anew: " + i.named(config, "link"),
		}
	case failed != nil:
		return maestralItem{}, &failure{
			err:     failed,
			message: "its secret cannot be read: " + failed.Error(),
			hint:    "Unlock or start the keyring, and try again; authring keyrings shows how they stand.",
		}
	default:
		return maestralItem{}, &failure{
			err:     authring.ErrSecretMissing,
			message: "its secret is not in the keyring where Maestral keeps it",
			hint:    "Link anew: " + i.named(config, "link"),
		}
	}
}

// findIn looks in one keyring. Its error is keyring.ErrNotFound, or why the
// keyring cannot tell.
func findIn(ctx context.Context, k keyring.Keyring, service string, users []string, prompt keyring.Prompt) (maestralItem, error) {
	ctx, cancel := context.WithTimeout(ctx, probeBound+time.Duration(prompt))
	defer cancel()
	for _, user := range users {
		value, err := k.Get(ctx, keyring.Key{Service: service, User: user}, prompt)
		switch {
		case err == nil && !value.IsZero():
			return maestralItem{value, orID(keyring.Probe(ctx, k).Name, k.ID()), user}, nil
		case err != nil && !errors.Is(err, keyring.ErrNotFound):
			return maestralItem{}, err
		}
	}
	return maestralItem{}, keyring.ErrNotFound
}
