package registry

import (
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/provider"
)

// replay is a provider.Replay as a word.
type replay provider.Replay

var replayNames = []string{
	provider.ReplaySingleUse: "single-use", provider.ReplayGrace: "grace", provider.ReplayReusable: "reusable",
}

func (r replay) MarshalText() ([]byte, error) {
	if r < 0 || int(r) >= len(replayNames) {
		return nil, errors.New("its replay rule is none")
	}
	return []byte(replayNames[r]), nil
}

func (r *replay) UnmarshalText(text []byte) error {
	for i, name := range replayNames {
		if name == string(text) {
			*r = replay(i)
			return nil
		}
	}
	return errors.New("the replay rules are single-use, grace and reusable")
}

// duration is a length of time as people write it: 30s, 2160h.
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	if err != nil || value < 0 {
		return fmt.Errorf("%.20q is not a length of time such as 30s or 2160h", text)
	}
	*d = duration(value)
	return nil
}

// refusalKind is what an error code of the server means, as a word.
type refusalKind string

var refusalKinds = map[refusalKind]error{
	"access-denied":     provider.ErrAccessDenied,
	"code-rejected":     provider.ErrCodeRejected,
	"verifier-mismatch": provider.ErrVerifierMismatch,
	"redirect-mismatch": provider.ErrRedirectMismatch,
	"invalid-client":    provider.ErrInvalidClient,
	"missing-scope":     provider.ErrMissingScope,
	"server-fault":      provider.ErrServerFault,
}

func (k refusalKind) error() error { return refusalKinds[k] }

func kindOf(err error) refusalKind {
	for kind, one := range refusalKinds {
		if one == err {
			return kind
		}
	}
	return ""
}

func (k refusalKind) MarshalText() ([]byte, error) {
	if refusalKinds[k] == nil {
		return nil, errors.New("one of its refusals has a meaning that a file cannot say")
	}
	return []byte(k), nil
}

func (k *refusalKind) UnmarshalText(text []byte) error {
	if refusalKinds[refusalKind(text)] == nil {
		return fmt.Errorf("%.30q is not what a refusal can mean", text)
	}
	*k = refusalKind(text)
	return nil
}
