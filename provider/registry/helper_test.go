package registry_test

import (
	"context"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

var withSecret = provider.WithClientSecret(func(context.Context) (secret.Secret, error) { return secret.New("x"), nil })
