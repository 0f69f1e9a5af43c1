package cli_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/cli"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

func TestExitCodes(t *testing.T) {
	access := func(state authring.State, err error) error {
		return &authring.KeyringAccessError{Op: "load the token", Config: "default", State: state, Err: err}
	}
	for _, c := range []struct {
		err  error
		name string
		code int
	}{
		{nil, "", 0},
		{provider.ErrCodeRejected, "invalid-token", 1},
		{provider.ErrNotACode, "invalid-token", 1},
		{authring.ErrNoPendingLink, "no-pending-link", 1},
		{authring.ErrAccountMismatch, "account-mismatch", 1},
		{provider.ErrRateLimited, "connection-failed", 2},
		{&provider.Error{Op: "refresh", Kind: provider.ErrServerFault}, "connection-failed", 2},
		{authring.ErrNotLinked, "not-linked", 3},
		{access(authring.Locked, keyring.ErrLocked), "locked", 4},
		{access(authring.Locked, keyring.ErrDismissed), "dismissed", 4},
		{fmt.Errorf("%w: %w", authring.ErrPlaintextRefused, keyring.ErrDismissed), "dismissed", 4},
		{fmt.Errorf("%w: %w", authring.ErrPlaintextRefused, keyring.ErrAbsent), "plaintext-refused", 5},
		{access(authring.Unavailable, keyring.ErrUnavailable), "unavailable", 5},
		{access(authring.Unavailable, keyring.ErrAbsent), "unavailable", 5},
		{access(authring.SecretMissing, fmt.Errorf("%w: %w", authring.ErrSecretMissing, keyring.ErrNotFound)), "secret-missing", 5},
		{authring.ErrRevoked, "revoked", 6},
		{authring.ErrInDoubt, "in-doubt", 6},
		{authring.ErrValidityTooLong, "validity-too-long", 64},
		{record.CheckConfigName("../x"), "name", 64},
		{&record.FileError{Path: "default.ini", Line: 3, Reason: "no section"}, "broken-record", 70},
		{errors.New("disk full"), "internal", 70},
		{context.Canceled, "interrupted", 130},
	} {
		err := c.err
		if err != nil {
			err = fmt.Errorf("could not do it: %w", err)
		}
		if name, code := cli.KindOf(err); name != c.name || code != c.code {
			t.Errorf("%v is %q, %d; want %q, %d", c.err, name, code, c.name, c.code)
		}
	}
}
