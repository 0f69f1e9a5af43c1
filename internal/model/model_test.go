package model_test

import "testing"

// The servers that a provider's rule may meet.
var servers = map[string]rules{
	"reusable":                           {replay: reusable},
	"reusable, rotating":                 {replay: reusable, rotates: true},
	"reusable, without a lock":           {replay: reusable, unlocked: true},
	"reusable, rotating, without a lock": {replay: reusable, rotates: true, unlocked: true},
	"grace, not rotating":                {replay: grace},
	"grace, detecting reuse":             {replay: grace, rotates: true, detects: true},
	"grace, new heirs, detecting reuse":  {replay: grace, rotates: true, detects: true, newHeirs: true},
	"grace without end":                  {replay: grace, rotates: true, detects: true, timeless: true},
	"single use, not rotating":           {replay: singleUse},
	"single use":                         {replay: singleUse, rotates: true},
	"single use, detecting reuse":        {replay: singleUse, rotates: true, detects: true},
}

// The sizes that each server is searched at.
var sizes = map[string]rules{
	"3 processes":         {processes: 3, refreshes: 1, faults: faults{crash: 1, network: 1, keyring: 1}},
	"twice each, network": {processes: 2, refreshes: 2, faults: faults{crash: 1, network: 2}},
	"twice each, keyring": {processes: 2, refreshes: 2, faults: faults{crash: 1, network: 1, keyring: 1}},
	"with an ill server":  {processes: 2, refreshes: 1, faults: faults{crash: 1, network: 1, lie: 1, user: 1}},
	"with an ill disk":    {processes: 2, refreshes: 1, faults: faults{crash: 1, network: 1, disk: 1}},
}

func TestTransaction(t *testing.T) {
	for size, bounds := range sizes {
		for name, r := range servers {
			r.processes, r.refreshes, r.faults = bounds.processes, bounds.refreshes, bounds.faults
			if r.unlocked {
				// Where all may happen at once, a little is much.
				r.processes, r.refreshes, r.faults.network = 2, 1, 1
			}
			t.Run(size+", "+name, func(t *testing.T) {
				result := r.search(append(r.cutShort(), r.linked())...)
				t.Logf("%d worlds, %d steps; in %d the grant is lost", result.worlds, result.steps, result.lost)
				if result.trace != "" {
					t.Error("\n" + result.trace)
				}
				// The exception is one, and not the rule; and it is real.
				mayLose := r.rotates && r.replay != reusable && !r.timeless
				if mayLose != (result.lost > 0) {
					t.Errorf("in %d worlds the grant is lost", result.lost)
				}
			})
		}
	}
}

// TestNothingIsLostWithoutAFault leaves out all faults but those of the network
// that come before the server acts, and of the keyring: none of them costs a
// grant as long as no process dies.
func TestNothingIsLostWithoutAFault(t *testing.T) {
	for name, r := range servers {
		for _, f := range []faults{{}, {keyring: 2}} {
			r.processes, r.refreshes, r.faults = 2, 2, f
			if r.unlocked {
				r.refreshes = 1
			}
			if result := r.search(r.linked()); result.trace != "" || result.lost > 0 {
				t.Errorf("%s, %+v: the grant is lost in %d worlds\n%s", name, f, result.lost, result.trace)
			} else {
				t.Logf("%s, %+v: %d worlds", name, f, result.worlds)
			}
		}
	}
}
