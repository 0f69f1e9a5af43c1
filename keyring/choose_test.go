package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// scripted is a keyring that can only be looked at.
type scripted struct {
	id     keyring.ID
	status keyring.Status
	takes  time.Duration // of a probe
}

func (s *scripted) ID() keyring.ID { return s.id }

func (s *scripted) Probe(ctx context.Context) keyring.Status {
	if s.takes == 0 {
		return s.status
	}
	timer := time.NewTimer(s.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.status
	case <-ctx.Done():
		return keyring.Status{Availability: keyring.Unavailable, Detail: "no answer"}
	}
}

func (s *scripted) Get(context.Context, keyring.Key, keyring.Prompt) (secret.Secret, error) {
	panic("choosing reads nothing")
}

func (s *scripted) Set(context.Context, keyring.Key, secret.Secret, keyring.Prompt) error {
	panic("choosing writes nothing")
}

func (s *scripted) Delete(context.Context, keyring.Key, keyring.Prompt) error {
	panic("choosing deletes nothing")
}

// unprobed hides the Probe of a keyring.
type unprobed struct{ keyring.Keyring }

func stands(id keyring.ID, as keyring.Availability) *scripted {
	return &scripted{id: id, status: keyring.Status{Availability: as, Detail: "why " + string(id)}}
}

func preferred(k *scripted) *scripted {
	k.status.Preferred = true
	return k
}

func TestChoose(t *testing.T) {
	const (
		secrets = keyring.SecretService
		kwallet = keyring.KWallet
		plain   = keyring.Plaintext
	)
	for name, c := range map[string]struct {
		keyrings []keyring.Keyring
		want     keyring.ID
		passed   string
	}{
		"the first that is ready": {
			[]keyring.Keyring{stands(secrets, keyring.Ready), stands(kwallet, keyring.Ready), stands(plain, keyring.Ready)},
			secrets, "[]",
		},
		"a locked one before a ready one of lower rank": {
			[]keyring.Keyring{stands(secrets, keyring.Locked), stands(kwallet, keyring.Ready)},
			secrets, "[]",
		},
		"one that the bus would start": {
			[]keyring.Keyring{stands(secrets, keyring.Absent), stands(kwallet, keyring.Startable), stands(plain, keyring.Ready)},
			kwallet, "[secret-service: why secret-service]",
		},
		"what cannot be used is passed over, with its reason": {
			[]keyring.Keyring{stands(secrets, keyring.Unavailable), stands(kwallet, keyring.Absent), stands(plain, keyring.Ready)},
			plain, "[secret-service: why secret-service kwallet: why kwallet]",
		},
		"the desktop prefers another": {
			[]keyring.Keyring{stands(secrets, keyring.Ready), preferred(stands(kwallet, keyring.Locked)), stands(plain, keyring.Ready)},
			kwallet, "[]",
		},
		"the desktop prefers one that cannot be used": {
			[]keyring.Keyring{stands(secrets, keyring.Ready), preferred(stands(kwallet, keyring.Unavailable))},
			secrets, "[]",
		},
		"two that are preferred keep their order": {
			[]keyring.Keyring{stands(plain, keyring.Ready), preferred(stands(secrets, keyring.Locked)), preferred(stands(kwallet, keyring.Ready))},
			secrets, "[]",
		},
		"one that cannot be looked at counts as ready": {
			[]keyring.Keyring{stands(secrets, keyring.Absent), unprobed{stands("mine", keyring.Absent)}},
			"mine", "[secret-service: why secret-service]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			choice, err := keyring.Choose(t.Context(), c.keyrings)
			if err != nil {
				t.Fatal(err)
			}
			if got := choice.Keyring.ID(); got != c.want {
				t.Errorf("chosen: %s, want %s", got, c.want)
			}
			if got := reasons(choice.Passed); got != c.passed {
				t.Errorf("passed over: %s, want %s", got, c.passed)
			}
		})
	}
}

func reasons(passed []keyring.Probed) string {
	list := []string{}
	for _, p := range passed {
		list = append(list, string(p.Keyring.ID())+": "+p.Status.Detail)
	}
	return fmt.Sprint(list)
}

func TestChooseFromNone(t *testing.T) {
	choice, err := keyring.Choose(t.Context(), []keyring.Keyring{
		stands(keyring.SecretService, keyring.Absent), preferred(stands(keyring.KWallet, keyring.Unavailable)),
	})
	if !errors.Is(err, keyring.ErrAbsent) || choice.Keyring != nil {
		t.Errorf("Choose = %v, %v; want ErrAbsent and no keyring", choice.Keyring, err)
	}
	if got := reasons(choice.Passed); got != "[secret-service: why secret-service kwallet: why kwallet]" {
		t.Errorf("passed over: %s", got)
	}
	if _, err := keyring.Choose(t.Context(), nil); !errors.Is(err, keyring.ErrAbsent) {
		t.Errorf("Choose of nothing = %v, want ErrAbsent", err)
	}
}

func TestProbesRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keyrings []keyring.Keyring
		for i := range 5 {
			k := stands(keyring.ID(strings.Repeat("x", i+1)), keyring.Ready)
			k.takes = 2 * time.Second
			keyrings = append(keyrings, k)
		}
		begin := time.Now()
		for i, p := range keyring.ProbeAll(t.Context(), keyrings) {
			if p.Keyring != keyrings[i] || p.Status.Availability != keyring.Ready {
				t.Errorf("%d: %v, %v", i, p.Keyring.ID(), p.Status)
			}
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("took %v, want 2s", took)
		}
	})
}

// TestChooseWithinItsContext: one that does not answer holds up the choice no
// longer than the context lasts.
func TestChooseWithinItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := stands(keyring.SecretService, keyring.Ready)
		hangs.takes = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		choice, err := keyring.Choose(ctx, []keyring.Keyring{hangs, stands(keyring.Plaintext, keyring.Ready)})
		if err != nil || choice.Keyring.ID() != keyring.Plaintext || reasons(choice.Passed) != "[secret-service: no answer]" {
			t.Errorf("Choose = %+v, %v", choice, err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
	})
}

func TestAvailabilityInWords(t *testing.T) {
	for a, want := range map[keyring.Availability]string{
		keyring.Absent: "absent", keyring.Unavailable: "unavailable", keyring.Locked: "locked",
		keyring.Startable: "startable", keyring.Ready: "ready",
	} {
		if a.String() != want || a.Usable() != (a >= keyring.Locked) {
			t.Errorf("%d: %q, usable %v", a, a, a.Usable())
		}
	}
}
