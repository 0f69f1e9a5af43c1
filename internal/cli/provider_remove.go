package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
	"github.com/authring/authring/record"
)

// inProgram refuses to change what has no file.
func (r *providerRun) inProgram() error {
	from, ok, _ := provider.InCode(r.name, nil)
	if !ok {
		return nil
	}
	return &failure{
		err:  usage("provider", "%s is part of the program; nothing was changed", from.Title),
		hint: "To use it with an app key of your own: " + r.named(defaultConfig, "link", "--provider", r.name, "--app-key", "KEY"),
	}
}

// own loads a provider of the user's.
func (r *providerRun) own() (*registry.Entry, error) {
	if err := r.inProgram(); err != nil {
		return nil, err
	}
	entry, err := r.folder.Load(r.name)
	switch {
	case errors.Is(err, registry.ErrUnknown):
		return nil, &failure{err: usage("provider", "there is no provider %q", r.name), hint: "See which there are: " + r.providerVerb("list")}
	case err != nil:
		return nil, err
	case entry.Shipped:
		return nil, &failure{
			err:  usage("provider", "the provider %q comes with authring, and was not added", r.name),
			hint: "To use it with a client id of your own: " + r.providerVerb("add", r.name, "--client-id", "ID"),
		}
	}
	return entry, nil
}

// users are the links that are with the provider, and former links that are
// not revoked there yet.
func (r *providerRun) users() ([]string, error) {
	layout, err := record.NewLayout(r.app)
	if err != nil {
		return nil, err
	}
	names, err := layout.List()
	if err != nil {
		return nil, err
	}
	var users []string
	for _, name := range names {
		rec, err := layout.Load(name)
		if err != nil {
			return nil, err // whose it is cannot be told
		}
		if rec.Provider == r.name {
			users = append(users, name)
		}
	}
	for _, entry := range r.pending() {
		if entry.Provider == r.name {
			users = append(users, entry.Config+" (not revoked yet)")
		}
	}
	return users, nil
}

// unused refuses what links that are with the provider would not survive.
func (r *providerRun) unused() error {
	users, err := r.users()
	if err != nil || len(users) == 0 {
		return err
	}
	return &failure{
		err:     usage("provider", "links are with the provider %q: %s", r.name, strings.Join(users, ", ")),
		hint:    "End them first: " + r.named(users[0], "unlink"),
		message: fmt.Sprintf("links are with the provider %q: %s; nothing was changed", r.name, strings.Join(users, ", ")),
	}
}

// remove ends what add began.
func (r *providerRun) remove(ctx context.Context) error {
	entry, err := r.own()
	var broken *registry.FileError
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	unlock, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.unused(); err != nil {
		return err
	}
	if entry != nil {
		if err := r.deleteSecrets(ctx, entry); err != nil {
			return err
		}
	}
	if err := r.folder.Remove(r.name); err != nil {
		return err
	}
	r.done("Removed the provider %q", r.name)
	if r.json {
		return r.printJSON(map[string]any{"name": r.name, "removed": true})
	}
	return nil
}
