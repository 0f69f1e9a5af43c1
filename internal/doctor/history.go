package doctor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/authring/authring/record"
)

// histories collects what happened to the links, and the words that a copy for
// others leaves out.
func (e *examination) histories(context.Context) []Finding {
	if e.layoutErr != nil {
		return nil
	}
	names, _ := e.names()
	history := map[string][]record.Event{}
	var private []Replacement
	for i, config := range names {
		if events, err := e.layout.History(config); err == nil && len(events) > 0 {
			history[config] = events
		}
		rec, err := e.layout.Load(config)
		if err != nil {
			continue
		}
		for kind, word := range map[string]string{"account": rec.AccountID, "address": rec.Email, "name": rec.DisplayName} {
			if len(word) > 2 { // shorter ones are parts of all words
				private = append(private, Replacement{word, fmt.Sprintf("<%s %d>", kind, i+1)})
			}
		}
	}
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		private = append(private, Replacement{home, "~"})
	}
	// A word that holds another goes first.
	slices.SortFunc(private, func(a, b Replacement) int {
		return cmp.Or(len(b.Word)-len(a.Word), cmp.Compare(a.Word, b.Word))
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.history, e.private = history, private
	return nil
}
