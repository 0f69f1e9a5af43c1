package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// lockPatience is how long another process's refresh is waited for.
const lockPatience = time.Second

// token asks the provider whether the grant of the chosen link works. With a
// provider whose refresh tokens are replaced when they are used that would
// change the link, and is not done.
func (e *examination) token(ctx context.Context) []Finding {
	if e.layoutErr != nil || e.Offline || e.ProviderErr != nil {
		return nil
	}
	rec, err := e.layout.Load(e.Config)
	if err != nil || rec.Empty() || rec.Provider != e.Provider.Name {
		return nil // told among the links
	}
	k, status, here := e.find(rec.Keyring)
	if !here || status.Availability != keyring.Ready && !e.readsFile(ctx, k, rec) {
		return []Finding{e.untried("its secret cannot be read now", e.Command(e.Config, "token"))}
	}
	if rec.TokenAccessType != record.Legacy && e.Provider.Replay != provider.ReplayReusable {
		return []Finding{e.untried(e.Provider.Title+" replaces refresh tokens when they are used", e.Command(e.Config, "token"))}
	}
	unlock, err := e.lock(ctx)
	if err != nil {
		return []Finding{e.untried("another process works on it", e.Command(e.Config, "token"))}
	}
	defer unlock()
	value, err := e.read(ctx, k, e.Config, rec)
	if err != nil || value.IsZero() {
		return nil // told among the links
	}
	if strings.Contains(value.Reveal(), " ") {
		// The token and the key that it is bound to, which no server may see.
		return []Finding{e.untried("it is bound to a key (DPoP)", e.Command(e.Config, "token"))}
	}
	return e.alive(ctx, k, rec, value)
}

// readsFile reports whether a keyring that is a file gives the secret, though it
// may not be changed.
func (e *examination) readsFile(ctx context.Context, k keyring.Keyring, rec record.Record) bool {
	if k.ID() != keyring.Plaintext && k.ID() != keyring.Sealed {
		return false
	}
	value, err := e.read(ctx, k, e.Config, rec)
	return err == nil && !value.IsZero()
}

func (e *examination) untried(why, cure string) Finding {
	return Finding{ID: "token-untried", Severity: Note, Config: e.Config, Title: fmt.Sprintf("The token of %q was not tried", e.Config), Detail: why, Cure: cure}
}

// lock takes the lock of the link, unless there is no file for it yet.
func (e *examination) lock(ctx context.Context) (unlock func(), err error) {
	path := e.layout.LockPath(e.Config)
	if _, err := os.Lstat(path); err != nil {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	held, err := filelock.Acquire(ctx, path)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return func() {}, nil // it is no lock that anybody could hold
	}
	return func() { _ = held.Release() }, err
}

// alive tries the grant.
func (e *examination) alive(ctx context.Context, k keyring.Keyring, rec record.Record, value secret.Secret) []Finding {
	appKey := rec.AppKey
	if appKey == "" {
		appKey = e.Provider.ClientID
	}
	if e.Provider.ClientAuth != provider.AuthNone {
		return []Finding{e.untried(e.Provider.Title+" wants the client secret for it", e.Command(e.Config, "token"))}
	}
	client, err := provider.NewClient(e.Provider, appKey, provider.WithRetry(provider.Retry{Tries: 1}))
	if err != nil {
		return []Finding{e.untried(err.Error(), e.Command(e.Config, "link", "--relink"))}
	}
	defer client.CloseIdleConnections()
	access, detail := value, "its own check"
	var found []Finding
	if rec.TokenAccessType != record.Legacy {
		token, err := client.Refresh(ctx, value, nil)
		if err != nil {
			return []Finding{e.refused(ctx, err)}
		}
		access, detail = token.AccessToken, "a refresh, which changes nothing here, and its own check"
		if renewed := token.RefreshToken; !renewed.IsZero() && !renewed.Equal(value) {
			found = append(found, e.renewed(ctx, k, rec, renewed))
		}
	}
	if err := client.Check(ctx, access); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return append(found, e.refused(ctx, err))
	}
	return append(found, Finding{ID: "token-works", Config: e.Config, Title: fmt.Sprintf("%s accepts the token of %q", e.Provider.Title, e.Config), Detail: "tried with " + detail})
}

// renewed keeps a refresh token that came against all promises: the one before
// may be of no more use.
func (e *examination) renewed(ctx context.Context, k keyring.Keyring, rec record.Record, value secret.Secret) Finding {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usualBound)
	defer cancel()
	key := keyring.Key{Service: e.layout.Service(), User: record.UserName(e.Config, rec.AccountID)}
	err := k.Set(ctx, key, value, keyring.NoPrompt)
	if err == nil {
		var back secret.Secret
		if back, err = k.Get(ctx, key, keyring.NoPrompt); err == nil && !back.Equal(value) {
			err = errors.New("it returns another secret than the one written")
		}
	}
	f := Finding{ID: "token-renewed", Severity: Warn, Config: e.Config,
		Title:  fmt.Sprintf("%s replaced the refresh token of %q, which it is not known to do", e.Provider.Title, e.Config),
		Detail: "the new one was saved in the keyring", Cure: e.Command(e.Config, "token")}
	if err != nil {
		f.Severity, f.Detail, f.Cure = Fail, "the new one could not be saved: "+err.Error(), e.Command(e.Config, "link", "--relink")
	}
	return f
}

func (e *examination) refused(ctx context.Context, err error) Finding {
	f := Finding{ID: "token-refused", Severity: Fail, Cause: Refused, Config: e.Config,
		Title: fmt.Sprintf("%s refuses the token of %q", e.Provider.Title, e.Config), Detail: err.Error(), Cure: e.Command(e.Config, "link", "--relink")}
	switch {
	case ctx.Err() != nil:
		f.ID, f.Cause, f.Title = "token-unknown", Unreachable, fmt.Sprintf("It is not known whether the token of %q works", e.Config)
		f.Detail, f.Cure = e.Provider.Title+" did not answer", e.Command(e.Config, "token")
	case errors.Is(err, provider.ErrRevoked):
		f.ID, f.Cause, f.Title = "token-revoked", Revoked, fmt.Sprintf("%s says that the grant of %q was revoked", e.Provider.Title, e.Config)
	case errors.Is(err, provider.ErrConnectionFailed):
		f.ID, f.Cause, f.Title = "token-unknown", Unreachable, fmt.Sprintf("It is not known whether the token of %q works", e.Config)
		f.Cure = e.Command(e.Config, "token")
	}
	return f
}
