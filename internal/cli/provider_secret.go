package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
	"github.com/authring/authring/secret"
)

// readSecret reads the client secret, if one was given.
func (r *providerRun) readSecret() (secret.Secret, error) {
	var value secret.Secret
	var err error
	switch {
	case r.given("client-secret-fd"):
		value, err = readPassphrase(r.secretFD)
	case r.secretFile != "":
		var data []byte
		if data, err = readStart(r.secretFile); err == nil {
			line, _, _ := strings.Cut(string(data), "\n")
			value = secret.New(line)
		}
	default:
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, fmt.Errorf("could not read the client secret: %w", err)
	}
	value = secret.New(strings.TrimSpace(value.Reveal()))
	switch {
	case value.IsZero() || len(value.Reveal()) >= maxPassphrase:
		return secret.Secret{}, usage("provider", "the client secret is empty, or longer than a line can be")
	case strings.ContainsFunc(value.Reveal(), isNotVSCHAR):
		return secret.Secret{}, usage("provider", "the client secret has a character that none can have, such as a control character: give the file or descriptor that holds it, and nothing else")
	}
	return value, nil
}

// isNotVSCHAR reports what a client secret has none of: "client-secret =
// *VSCHAR" (RFC 6749 appendix A.2), which is %x20-7E.
func isNotVSCHAR(c rune) bool { return c < ' ' || c > '~' }

// readStart reads as much of a file as a secret can be.
func readStart(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxPassphrase))
}

// chooseAuth decides how the client secret is shown, if there is one.
func (r *providerRun) chooseAuth(entry *registry.Entry, metadata *provider.Metadata, hasSecret bool) error {
	p := entry.Provider
	has := hasSecret || entry.SecretKeyring != ""
	switch {
	case r.clientAuth != "":
	case hasSecret && metadata != nil:
		auth, err := metadata.ClientAuth(true)
		if err != nil {
			return &failure{err: usage("provider", "%v; choose one with --client-auth", err)}
		}
		p.ClientAuth = auth
	case hasSecret && p.ClientAuth == provider.AuthNone:
		p.ClientAuth = provider.AuthBasic
	}
	switch {
	case hasSecret && p.ClientAuth == provider.AuthNone:
		return usage("provider", "with --client-auth none the client secret is never shown; leave one out")
	case !has && p.ClientAuth != provider.AuthNone:
		return usage("provider", "%s gives its programs a client secret, and takes none without: give it with --client-secret-file or --client-secret-fd", p.Title)
	case hasSecret && p.ClientID == "":
		return usage("provider", "a client secret belongs to a client id: give that with --client-id")
	}
	return nil
}

// save keeps the client secret and the file, or neither. Wherever it is cut
// short, each keyring that has a client secret of this provider is named by the
// file, and that which the file says to use has one.
func (r *providerRun) save(ctx context.Context, entry *registry.Entry, password secret.Secret) error {
	unlock, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	before := entry.SecretKeyring
	if password.IsZero() {
		if before != "" && entry.Provider.ClientAuth == provider.AuthNone {
			entry.SecretKeyring = ""
			entry.SecretLeftIn = append(entry.SecretLeftIn, before)
		}
		if err := r.folder.Save(entry); err != nil {
			return err
		}
		return r.deleteLeft(ctx, entry)
	}
	old, err := r.folder.Load(r.name) // what to go back to
	if err != nil || old.Shipped {
		old = nil
	}
	r.nameKeyring(r.keyring)
	l := &linking{program: r.program}
	l.plaintext = r.allowPlaintext || r.keyring == string(keyring.Plaintext)
	options := []authring.Option{authring.WithPlaintextConsent(l.consent)}
	if r.keyring != "" {
		options = append(options, authring.WithKeyring(keyring.ID(r.keyring)))
	}
	s, err := r.openWith(r.name, entry, options...)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	noted := false
	id, err := s.SaveClientSecret(ctx, password, func(id keyring.ID) error {
		if before == string(id) {
			return nil // it is named already
		}
		err := r.note(entry, old, string(id))
		noted = err == nil
		return err
	})
	if err != nil {
		if noted {
			r.undo(ctx, s, id, old)
		}
		return &failure{err: err, message: r.messageOf(err) + "; nothing was changed"}
	}
	entry.SecretKeyring = string(id)
	entry.SecretLeftIn = slices.DeleteFunc(entry.SecretLeftIn, func(left string) bool { return left == string(id) })
	if before != "" && before != string(id) {
		entry.SecretLeftIn = append(entry.SecretLeftIn, before)
	}
	if err := r.folder.Save(entry); err != nil {
		if noted {
			r.undo(ctx, s, id, old)
		}
		return err
	}
	return r.deleteLeft(ctx, entry)
}

// note writes which keyring is about to get the client secret: beside the one
// in use, or into the file of a provider that is new.
func (r *providerRun) note(entry, old *registry.Entry, id string) error {
	noted := *entry
	if old != nil {
		noted = *old
		noted.SecretLeftIn = append(slices.Clone(old.SecretLeftIn), id)
	} else {
		noted.SecretKeyring = id
	}
	return r.folder.Save(&noted)
}

// undo deletes what may have been written, and has the file say what it said
// before; that of a provider which stays goes on naming what cannot be deleted.
func (r *providerRun) undo(ctx context.Context, s *authring.Session, id keyring.ID, old *registry.Entry) {
	err := s.DeleteClientSecret(ctx, id)
	switch {
	case old == nil:
		err = errors.Join(err, r.folder.Remove(r.name))
	case err == nil:
		err = r.folder.Save(old)
	}
	if err != nil {
		r.warn("The client secret may be left in the keyring %s: %s", id, r.messageOf(err))
	}
}

// sweep is deleteLeft where nothing else is changed.
func (r *providerRun) sweep(ctx context.Context, entry *registry.Entry) error {
	if len(entry.SecretLeftIn) == 0 {
		return nil
	}
	unlock, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return r.deleteLeft(ctx, entry)
}

// deleteLeft deletes the client secrets that are no longer used, as far as their
// keyrings can be; the file goes on naming those that cannot.
func (r *providerRun) deleteLeft(ctx context.Context, entry *registry.Entry) error {
	if len(entry.SecretLeftIn) == 0 {
		return nil
	}
	s, err := r.openWith(r.name, entry)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	entry.SecretLeftIn = slices.DeleteFunc(entry.SecretLeftIn, func(id string) bool {
		if id == entry.SecretKeyring {
			return true
		}
		err := s.DeleteClientSecret(ctx, keyring.ID(id))
		if err != nil {
			r.warn("An earlier client secret is left in the keyring %s, until this is done again: %s", id, r.messageOf(err))
		}
		return err == nil
	})
	return r.folder.Save(entry)
}

// deleteSecrets deletes all client secrets of a provider that is to be removed.
func (r *providerRun) deleteSecrets(ctx context.Context, entry *registry.Entry) error {
	places := entry.SecretLeftIn
	if entry.SecretKeyring != "" {
		places = append([]string{entry.SecretKeyring}, places...)
	}
	if len(places) == 0 {
		return nil
	}
	s, err := r.openWith(r.name, entry)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for _, id := range places {
		err := s.DeleteClientSecret(ctx, keyring.ID(id))
		switch {
		case err != nil && r.providerFlags.localOnly:
			r.warn("The client secret is left in the keyring %s, as far as it is there: %s", id, r.messageOf(err))
		case err != nil:
			return &failure{
				err: err, message: r.messageOf(err) + "; the provider stays",
				hint: r.hintOf(err) + "\nTo remove the provider all the same: " + r.command("provider", "remove", r.name, "--local-only"),
			}
		}
	}
	return nil
}
