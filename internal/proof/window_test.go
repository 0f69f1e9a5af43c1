package proof_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// honest are the errors that a grant may end with that the server has taken:
// it takes the access tokens that are in use as well.
var honest = []string{
	"the grant was revoked",
	"it is not known whether the refresh token was used up",
	"a token that is not valid was handed out",
}

// Where the server has no window for a token whose answer was lost, the grant
// can be lost with a process, and then that is said: at every moment the link
// is shown as linked, or as revoked because an answer was lost; processes fail
// with nothing but that; and one relink repairs it.
func TestProcessesAreKilledWithoutAWindow(t *testing.T) {
	l := newLink(t, "single", newHome(t).environ())
	watch := newCrew(t, l, 0)
	watch.hands = []*hand{watch.start("watch")}
	rounds, lost, kills, over := 0, 0, 0, time.After(long()/3)
	for running := true; running; rounds++ {
		// An answer takes long to come, so that many are lost.
		l.server.SetFault("refresh:slow-body=1ms")
		crew := newCrew(t, l, 8)
		kill := time.NewTicker(killEvery)
		for holding := true; holding; {
			select {
			case <-kill.C:
				crew.replaceOne()
			case <-crew.failed:
				holding = false
			case <-over:
				holding, running = false, false
			}
		}
		kill.Stop()
		crew.stop()
		kills += len(crew.gone)
		for _, complaint := range crew.complaints() {
			if !slices.ContainsFunc(honest, func(text string) bool { return strings.Contains(complaint, text) }) {
				t.Errorf("a process failed: %s", complaint)
			}
		}
		l.server.ClearFaults()
		// The process that died last may be the one that lost the answer:
		// then the first that looks finds out, and the second sees it.
		seen := sights(t, l.do(t, "look", "look"))[1]
		switch {
		case seen.State == "linked" && seen.Usable:
			continue
		case seen.State == "linked" && seen.Kind == "doubt", seen.State == "revoked" && strings.Contains(seen.Reason, "was lost"):
		default:
			t.Fatalf("round %d: %+v", rounds, seen)
		}
		lost++
		l.do(t, "link")
		if seen := look(t, l); seen.State != "linked" || !seen.Usable {
			t.Fatalf("after a relink: %+v", seen)
		}
	}
	watch.stop()
	for line := range strings.Lines(watch.hands[0].said.String()) {
		if line != "state linked\n" && !(strings.HasPrefix(line, "state revoked") && strings.Contains(line, "was lost")) {
			t.Errorf("the state was shown as: %s", line)
		}
	}
	l.do(t, "retry")
	if live := len(l.server.Grants()); live != 1 {
		t.Errorf("%d grants are alive", live)
	}
	t.Logf("%d rounds, %d kills: the server ended %d grants because an answer was lost; each time that was said, and a relink repaired it", rounds, kills, lost)
}
