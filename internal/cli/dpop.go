package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/authring/authring"
)

// errBound: what was asked for cannot be done with a token that needs a proof
// at each use.
var errBound = errors.New("the access tokens of this link are bound to a key")

// mustBeBearer refuses a token that is of no use to whoever is to get it: what
// cannot make the proofs of RFC 9449 (DPoP), which take the key.
func mustBeBearer(token authring.Token, who string) error { return bearerType(token.TokenType, who) }

func bearerType(tokenType, who string) error {
	if strings.EqualFold(tokenType, authring.Bearer) {
		return nil
	}
	return &failure{
		err:     errBound,
		message: fmt.Sprintf("the access tokens of this link are bound to a key (DPoP), and each request needs a proof by it, which %s cannot make", who),
		hint:    "The proxy makes the proofs for other programs: authring proxy, or authring exec --proxy. Programs that use the library have Session.Client. To link without them, take the member dpop_signing_alg_values_supported out of the provider's file, if the server allows that, and link again.",
	}
}
