package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// links holds each record against its keyring.
func (e *examination) links(ctx context.Context) []Finding {
	if e.layoutErr != nil {
		return nil // told among the files
	}
	names, err := e.names()
	var found []Finding
	if err != nil {
		found = append(found, e.unreadable("The links cannot be listed", e.layout.ConfigFolder(), err))
	}
	return append(found, e.each(ctx, names, e.link)...)
}

// each looks at several links side by side, as one that hangs must not take the
// time of the others.
func (e *examination) each(ctx context.Context, names []string, look func(context.Context, string) []Finding) []Finding {
	found := make([][]Finding, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			found[i] = e.safely(ctx, func(ctx context.Context) []Finding { return look(ctx, name) })
		})
	}
	wg.Wait()
	return slices.Concat(found...)
}

// names are the config names of the app, the chosen one first.
func (e *examination) names() ([]string, error) {
	others, err := e.layout.List()
	names := []string{e.Config}
	for _, name := range others {
		if name != e.Config {
			names = append(names, name)
		}
	}
	return names, err
}

func (e *examination) link(ctx context.Context, config string) []Finding {
	rec, err := e.layout.Load(config)
	if err != nil {
		return []Finding{e.broken(config, err)}
	}
	if rec.Empty() {
		return []Finding{{
			ID: "not-linked", Severity: Note, Config: config, Title: fmt.Sprintf("No account is linked as %q", config),
			Cure: e.Command(config, "link"),
		}}
	}
	found := []Finding{e.held(ctx, config, rec)}
	if rec.Revoked != nil {
		found = append(found, Finding{
			ID: "revoked", Severity: Fail, Cause: Revoked, Config: config, Title: fmt.Sprintf("The grant of %q was revoked", config),
			Detail: rec.Revoked.Reason, Cure: e.Command(config, "link", "--relink"),
		})
	}
	if rec.Keyring == keyring.Plaintext {
		found = append(found, Finding{
			ID: "plaintext", Severity: Warn, Config: config, Title: fmt.Sprintf("The secret of %q is stored as plain text", config),
			Detail: "whatever can read the file can use the account",
			Cure:   e.migrateBetter(config),
		})
	}
	if rec.Provider != e.Provider.Name {
		found = append(found, Finding{
			ID: "other-provider", Severity: Note, Config: config,
			Title: fmt.Sprintf("%q is with the provider %s, which is not asked here", config, rec.Provider),
			Cure:  e.Command(config, "doctor"),
		})
	}
	return found
}

// held looks whether the keyring that the record names has the secret. One
// that would have to be started, opened or asked for that is left alone.
func (e *examination) held(ctx context.Context, config string, rec record.Record) Finding {
	f := Finding{Config: config, Severity: Fail, Cause: Unavailable}
	if rec.Keyring == "" {
		f.ID, f.Severity, f.Title = "keyring-unrecorded", Warn, fmt.Sprintf("The record of %q names no keyring", config)
		f.Detail, f.Cure = "the best one of the moment is used", e.Command(config, "link", "--relink")
		return f
	}
	k, status, here := e.find(rec.Keyring)
	if !here {
		f.ID, f.Title = "keyring-unknown", fmt.Sprintf("The secret of %q is in the keyring %s, which this build has not", config, rec.Keyring)
		f.Cure = e.relinkBetter(config)
		return f
	}
	switch status.Availability {
	case keyring.Ready:
		return e.heldReady(ctx, f, k, config, rec)
	case keyring.Locked:
		f.ID, f.Severity = "locked", Warn
		f.Title, f.Detail = fmt.Sprintf("The keyring of %q is locked (%s)", config, rec.Keyring), join(status.Name, status.Detail)
		f.Cure = e.Command(config, "token", "--wait-keyring", "60s")
		if rec.Keyring == keyring.Sealed {
			f.Cure = e.Command(config, "token") // it opens only for who is asked
		}
	case keyring.Startable:
		f.ID, f.Severity = "not-running", Note
		f.Title, f.Detail = fmt.Sprintf("The keyring of %q is not running (%s)", config, rec.Keyring), join(status.Name, status.Detail)
		f.Cure = e.Command(config, "token")
	default:
		f.ID, f.Title, f.keyring = "unavailable", fmt.Sprintf("The keyring of %q cannot be used (%s)", config, rec.Keyring), rec.Keyring
		f.Detail, f.Cure = join(status.Name, status.Detail), e.Command(config, "token", "--wait-keyring", "60s")
		if rec.Keyring == keyring.Sealed || rec.Keyring == keyring.Plaintext {
			return e.heldInFile(ctx, f, k, config, rec)
		}
		if strings.HasPrefix(string(rec.Keyring), "helper:") { // a program is not waited for
			f.Cure = e.relinkBetter(config)
		}
	}
	return f
}

// heldInFile is for a file that cannot be used, and that no waiting mends.
func (e *examination) heldInFile(ctx context.Context, f Finding, k keyring.Keyring, config string, rec record.Record) Finding {
	f.Cure = "authring keyrings"
	if better := e.better(); better != k.ID() {
		f.Cure = e.relinkBetter(config)
	}
	value, err := e.read(ctx, k, config, rec)
	file, isSealed := k.(*sealed.Keyring)
	switch command := e.fileCure(k, cure.Of(err)); {
	case err == nil && !value.IsZero():
		f.ID, f.Severity, f.Cause = "keyring-read-only", Warn, Other
		f.Title = fmt.Sprintf("%q is linked, and its secret can be read but not replaced (%s)", config, rec.Keyring)
		if command != "" {
			f.Cure = command
		}
	case command != "":
		f.Cure = command
	case isSealed && errors.Is(err, keyring.ErrLocked):
		f.ID, f.Title = "sealed-key-missing", fmt.Sprintf("The secret of %q is sealed, and its key is not here", config)
		f.Detail += "; name the FILE that has it, or, if it is lost, move the sealed file away and link again"
		f.Cure = e.Command(config, "token", "--key-file", "FILE")
		if byPassphrase, err := file.ByPassphrase(); err == nil && byPassphrase {
			f.Cure = e.Command(config, "token", "--passphrase-file", "FILE")
		}
	}
	return f
}

func (e *examination) heldReady(ctx context.Context, f Finding, k keyring.Keyring, config string, rec record.Record) Finding {
	value, err := e.read(ctx, k, config, rec)
	switch {
	case err == nil && !value.IsZero():
		return Finding{ID: "secret-readable", Config: config, Title: fmt.Sprintf("%q is linked, and its secret can be read (%s)", config, rec.Keyring)}
	case err == nil, errors.Is(err, keyring.ErrNotFound):
		f.ID, f.Title = "secret-missing", fmt.Sprintf("%q is linked, and its keyring holds no secret for it (%s)", config, rec.Keyring)
		f.Detail, f.Cure = "it was deleted there, or the keyring is another one than it was", e.Command(config, "link", "--relink")
	case errors.Is(err, keyring.ErrLocked):
		f.ID, f.Severity = "locked", Warn
		f.Title, f.Detail = fmt.Sprintf("The keyring of %q wants to ask its user (%s)", config, rec.Keyring), err.Error()
		f.Cure = e.Command(config, "token")
	default:
		f.ID, f.Title = "unavailable", fmt.Sprintf("The keyring of %q cannot be read (%s)", config, rec.Keyring)
		f.Detail, f.Cure = err.Error(), e.relinkBetter(config)
		if ctx.Err() != nil {
			f.ID, f.Detail, f.keyring = "silent", noAnswer, rec.Keyring
		}
	}
	return f
}

// read reads the secret of a link from a keyring that is ready, and asks
// nobody.
func (e *examination) read(ctx context.Context, k keyring.Keyring, config string, rec record.Record) (secret.Secret, error) {
	var value secret.Secret
	var err error
	users := append([]string{record.UserName(config, rec.AccountID)}, e.layout.OldUserNames(config, rec.AccountID)...)
	for _, user := range users {
		value, err = get(ctx, k, keyring.Key{Service: e.layout.Service(), User: user})
		if !errors.Is(err, keyring.ErrNotFound) {
			break
		}
	}
	return value, err
}

// get reads a secret and asks nobody. It ends with ctx, also where the keyring
// does not.
func get(ctx context.Context, k keyring.Keyring, key keyring.Key) (secret.Secret, error) {
	type answer struct {
		value secret.Secret
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		a := answer{err: errors.New("authring has a fault there")}
		defer func() {
			_ = recover()
			answers <- a
		}()
		a.value, a.err = k.Get(ctx, key, keyring.NoPrompt)
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		return secret.Secret{}, context.Cause(ctx)
	}
}

// better is a keyring to recommend, now that another one is of no use: one that
// the records of the app can name. It is empty where there is none but plain
// text.
func (e *examination) better() keyring.ID {
	for i, k := range e.Keyrings {
		if e.probed[i]().Availability.Usable() && k.ID() != keyring.Plaintext && e.layout.CheckKeyring(k.ID()) == nil {
			return k.ID()
		}
	}
	if e.layout.CheckKeyring(keyring.Sealed) != nil {
		return ""
	}
	return keyring.Sealed
}

// relinkBetter is the command that links again with a better keyring; without
// one to name, link looks for one, and asks before it takes plain text.
func (e *examination) relinkBetter(config string) string {
	if better := e.better(); better != "" {
		return e.Command(config, "link", "--relink", "--keyring", string(better))
	}
	return e.Command(config, "link", "--relink")
}

// migrateBetter is the command that moves a link to a better keyring.
func (e *examination) migrateBetter(config string) string {
	if better := e.better(); better != "" {
		return e.migrate(config, better)
	}
	return "authring keyrings"
}

// broken is a record that cannot be understood, or trusted.
func (e *examination) broken(config string, err error) Finding {
	path := e.layout.ConfigPath(config)
	f := Finding{ID: "broken-record", Severity: Fail, Config: config, Title: fmt.Sprintf("The record of %q cannot be read", config), Detail: err.Error()}
	var file *record.FileError
	var name *record.NameError
	switch {
	case errors.As(err, &name):
		f.Cause, f.Cure = Refused, "authring list"
	case !errors.As(err, &file):
		f.Cure = e.reachOr(path, e.cureOf(err, cure.Look(path)))
	case strings.Contains(file.Reason, "chmod"):
		f.Cure = "chmod o-w " + e.Quote(file.Path)
	case strings.Contains(file.Reason, "another user"):
		f.Cure = e.own(file.Path)
	default:
		f.Cure = e.away(file.Path, ".broken")
	}
	return f
}

// unreadable is a file or folder that the system keeps from us.
func (e *examination) unreadable(title, path string, err error) Finding {
	return Finding{ID: "unreadable", Severity: Fail, Title: title, Detail: err.Error(), Cure: e.reachOr(path, cure.Look(path))}
}
