package model_test

import (
	"strings"
	"testing"
)

// flaw is a change of the machine that must be noticed.
type flaw uint8

const (
	sound               flaw = iota
	noLock                   // processes refresh side by side
	publishFirst             // hand out the access token, then save what came with it
	noNote                   // present a token without a note on disk
	networkMeansRevoked      // take an answer that did not come for a refusal
	noConfirmation           // believe the first refusal
	trustMemory              // use what memory holds while the keyring cannot be read
	blindSettling            // write what memory holds without a look at what is there
	silentKeeping            // keep a new token in memory, and tell nobody
	loadOver                 // let what the keyring holds replace what could not be saved
	forgetDoubt              // take the note away after an answer that says nothing
)

func TestFlawsAreNoticed(t *testing.T) {
	for name, test := range map[string]struct {
		flaw   flaw
		server string
		faults faults
		want   string
	}{
		"no lock":                  {noLock, "single use, detecting reuse", faults{}, "ended a grant that could be used"},
		"publish, then save":       {publishFirst, "single use", faults{}, "before the keyring has"},
		"no note":                  {noNote, "single use", faults{network: 1}, "did not know of an answer"},
		"no note, a crash":         {noNote, "single use", faults{crash: 1}, "did not know of an answer"},
		"network fault as revoked": {networkMeansRevoked, "reusable", faults{network: 1}, "shown as revoked, and can be used"},
		"no confirmation":          {noConfirmation, "reusable", faults{lie: 1}, "shown as revoked, and can be used"},
		"memory over keyring":      {trustMemory, "single use, detecting reuse", faults{keyring: 1}, "did not know of an answer"},
		"write without a look":     {blindSettling, "single use", faults{keyring: 2}, "is left"},
		"keep and say nothing":     {silentKeeping, "single use, detecting reuse", faults{keyring: 1}, "ended a grant that could be used"},
		"and without detection":    {silentKeeping, "single use", faults{keyring: 1}, "shown as revoked, and can be used"},
		"load over it":             {loadOver, "single use", faults{keyring: 1}, "none was lost between"},
		"doubt forgotten":          {forgetDoubt, "single use", faults{network: 2}, "did not know of an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			r := servers[test.server]
			r.processes, r.refreshes, r.faults, r.flaw = 2, 2, test.faults, test.flaw
			result := r.search(r.linked())
			t.Logf("%d worlds\n%s", result.worlds, result.trace)
			if !strings.Contains(result.trace, test.want) {
				t.Errorf("the flaw was not noticed; want a world in which %q", test.want)
			}
			// It is the flaw, and not the rules.
			if r.flaw = sound; r.search(r.linked()).trace != "" {
				t.Error("the sound machine fails here as well")
			}
		})
	}
}
