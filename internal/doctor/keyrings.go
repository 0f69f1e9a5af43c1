package doctor

import (
	"context"
	"strings"
	"sync"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/system"
)

// noAnswer is how a keyring stands that lets the time pass.
const noAnswer = "it did not answer"

// probe begins to look at each keyring, once for all who want to know.
func (e *examination) probe(ctx context.Context) {
	for _, k := range e.Keyrings {
		seen := make(chan keyring.Status, 1)
		go func() {
			status := keyring.Status{Availability: keyring.Unavailable, Detail: "authring has a fault there"}
			defer func() {
				_ = recover()
				seen <- status
			}()
			status = keyring.Probe(ctx, k)
		}()
		e.probed = append(e.probed, sync.OnceValue(func() keyring.Status {
			select {
			case status := <-seen:
				return status
			case <-ctx.Done():
				return keyring.Status{Availability: keyring.Unavailable, Detail: noAnswer}
			}
		}))
	}
}

// find returns a keyring of this build by its name, and how it stands.
func (e *examination) find(id keyring.ID) (keyring.Keyring, keyring.Status, bool) {
	for i, k := range e.Keyrings {
		if k.ID() == id {
			return k, e.probed[i](), true
		}
	}
	if k, ok := system.Find(id); ok {
		// A look for a program, which takes no time.
		return k, keyring.Probe(context.Background(), k), true
	}
	return nil, keyring.Status{}, false
}

// keyrings tells how each keyring stands, and which one a new link would use.
func (e *examination) keyrings(ctx context.Context) []Finding {
	var found []Finding
	var absent []string
	var next keyring.ID
	preferred := false
	for i, k := range e.Keyrings {
		status := e.probed[i]()
		if status.Availability.Usable() && (next == "" || status.Preferred && !preferred) {
			next, preferred = k.ID(), status.Preferred
		}
		if status.Availability == keyring.Absent {
			absent = append(absent, string(k.ID())+missingKey(k.ID()))
			continue
		}
		found = append(found, e.standing(k, status))
	}
	for i := range found {
		// One that nobody needs may be as it is, but for one that hangs.
		if f := &found[i]; f.ID == "keyring-unavailable" && next != "" && next != keyring.Plaintext {
			f.Severity = Note
		}
	}
	if len(absent) > 0 {
		found = append(found, Finding{ID: "keyrings-absent", Title: "Not here: " + strings.Join(absent, ", ")})
	}
	switch next {
	case "":
		found = append(found, Finding{
			ID: "keyring-none", Severity: Fail, Cause: Unavailable, Title: "No keyring can take the secret of a new link", Cure: e.anyFileCure(),
		})
	case keyring.Plaintext:
		found = append(found, Finding{
			ID: "keyring-plaintext-only", Severity: Note, Title: "Only plain text could take the secret of a new link",
			Detail: "an encrypted file needs a passphrase, or a key", Cure: e.towardsSealed(ctx),
		})
	default:
		found = append(found, Finding{ID: "keyring-next", Title: "A new link would use " + string(next)})
	}
	return found
}

// anyFileCure is the command that mends a keyring that is a file, plain text
// last.
func (e *examination) anyFileCure() string {
	for _, k := range e.Keyrings {
		if cure := e.fileCure(k, ""); cure != "" {
			return cure
		}
	}
	return "authring keyrings"
}

// missingKey tells why a keyring that needs nothing else is not here.
func missingKey(id keyring.ID) string {
	if id == keyring.Sealed {
		return " (no key for it is set up)"
	}
	return ""
}

func (e *examination) standing(k keyring.Keyring, status keyring.Status) Finding {
	id := k.ID()
	f := Finding{ID: "keyring-" + status.Availability.String(), Title: string(id) + " is " + status.Availability.String(), Detail: join(status.Name, status.Detail)}
	switch status.Availability {
	case keyring.Locked:
		f.Severity, f.Cure = Note, e.Command(e.Config, "token")
	case keyring.Unavailable:
		f.Severity, f.Cure, f.Cause, f.keyring = Warn, e.fileCure(k, "authring keyrings"), Unavailable, id
		if status.Detail == noAnswer {
			f.ID, f.Title = "keyring-silent", string(id)+" did not answer"
		}
	}
	return f
}

func join(name, detail string) string {
	if name == "" || detail == "" {
		return name + detail
	}
	return name + ": " + detail
}
