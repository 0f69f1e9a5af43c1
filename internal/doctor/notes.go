package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// notes looks at what was begun and not ended.
func (e *examination) notes(context.Context) []Finding {
	if e.layoutErr != nil {
		return nil
	}
	var found []Finding
	pending, err := e.layout.Revocations()
	for _, one := range pending {
		found = append(found, Finding{
			ID: "revocation-pending", Severity: Warn, Config: one.Config,
			Title:  fmt.Sprintf("The grant that %q had before is not revoked yet", one.Config),
			Detail: "it waits since " + day(one.Since) + "; every command tries again",
			Cure:   e.Command(one.Config, "status"),
		})
	}
	if err != nil {
		found = append(found, e.brokenNote("", "A note of a pending revocation cannot be read", err))
	}
	for _, config := range e.noted("attempts") {
		found = append(found, e.attempt(config)...)
	}
	for _, config := range e.noted("intents") {
		found = append(found, e.intent(config)...)
	}
	for _, config := range e.noted("pending") {
		found = append(found, e.pending(config)...)
	}
	return found
}

// noted lists the config names that a folder of notes holds.
func (e *examination) noted(folder string) []string {
	entries, err := os.ReadDir(filepath.Join(e.layout.StateFolder(), folder))
	if err != nil {
		return nil // told among the files
	}
	var names []string
	for _, entry := range entries {
		if name, isNote := strings.CutSuffix(entry.Name(), ".json"); isNote && record.CheckConfigName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (e *examination) attempt(config string) []Finding {
	attempt, ok, err := e.layout.LoadAttempt(config)
	if err != nil {
		return []Finding{e.brokenNote(config, "The note of a refresh cannot be read", err)}
	}
	if !ok {
		return nil
	}
	f := Finding{
		ID: "refresh-in-doubt", Severity: Note, Config: config,
		Title:  fmt.Sprintf("A refresh of %q has not come to an end that is known", config),
		Detail: fmt.Sprintf("%s began it on %s; it is under way, or its answer was lost, and the next command settles it", orUnknown(attempt.Process), day(attempt.Started)),
		Cure:   e.Command(config, "token"),
	}
	if e.Provider.Replay != provider.ReplayReusable {
		f.Severity = Warn // its refresh tokens are for a single use
	}
	return []Finding{f}
}

func (e *examination) intent(config string) []Finding {
	intent, ok, err := e.layout.LoadIntent(config)
	if err != nil {
		return []Finding{e.brokenNote(config, "The note of a link that is being saved cannot be read", err)}
	}
	if !ok {
		return nil
	}
	if to := intent.Record.Keyring; intent.Migration {
		return []Finding{{
			ID: "move-unfinished", Severity: Warn, Config: config,
			Title:  fmt.Sprintf("The secret of %q was being moved from %s to %s", config, intent.OldKeyring, to),
			Detail: "it is under way, or its process died; the link can be used, and the next command completes the move, or goes back",
			Cure:   e.migrate(config, to),
		}}
	}
	return []Finding{{
		ID: "link-unfinished", Severity: Warn, Config: config, Title: fmt.Sprintf("A link was being saved as %q", config),
		Detail: "it is under way, or its process died; the next command completes it, or goes back",
		Cure:   e.Command(config, "status"),
	}}
}

func (e *examination) pending(config string) []Finding {
	pending, err := e.layout.LoadPending(config, time.Now())
	switch {
	case errors.Is(err, record.ErrNoPending), errors.Is(err, record.ErrPendingExpired):
		return nil // the next link replaces it
	case err != nil:
		return []Finding{e.brokenNote(config, "The note of a link that was begun cannot be read", err)}
	}
	return []Finding{{
		ID: "link-begun", Severity: Note, Config: config, Title: fmt.Sprintf("A link of %q was begun", config),
		Detail: "its code is taken until " + pending.Expires.Local().Format("15:04"), Cure: e.Command(config, "link", "--finish"),
	}}
}

func (e *examination) brokenNote(config, title string, err error) Finding {
	f := Finding{ID: "broken-note", Severity: Warn, Config: config, Title: title, Detail: err.Error(),
		Cure: e.cureOf(err, e.reachOr(e.layout.StateFolder(), cure.LookBelow(e.layout.StateFolder())))}
	var file *record.FileError
	if errors.As(err, &file) {
		f.Cure = e.away(file.Path, ".broken")
	}
	return f
}

func day(at time.Time) string {
	if at.IsZero() {
		return "a day that is not known"
	}
	return at.Local().Format(time.DateTime)
}

func orUnknown(process string) string {
	if process == "" {
		return "a process"
	}
	return process
}
