package proof_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/daemontest"
)

// crewSize is how many processes share one link.
const crewSize = 50

// killEvery is how often one of them is killed.
const killEvery = 50 * time.Millisecond

// newLink links a home to an emulator whose access tokens live two seconds, and
// which revokes the whole grant when a used refresh token comes back.
func newLink(t *testing.T, replay string, environ []string, opts ...dropboxtest.Option) *link {
	t.Helper()
	server := dropboxtest.NewServer(append([]dropboxtest.Option{
		dropboxtest.WithAutoApprove(), dropboxtest.WithReuseDetection(), dropboxtest.WithAccessTokenTTL(2 * time.Second),
	}, opts...)...)
	t.Cleanup(server.Close)
	l := &link{server: server, program: program(t, plainWorker), args: []string{"-replay", replay}, environ: environ}
	l.do(t, "link")
	return l
}

// Fifty processes, each with a token of its own that is soon over: none ever
// fails, and none redeems a refresh token that another one redeemed.
func TestProcessesShareALink(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ func(*testing.T) []string
		length  time.Duration
	}{
		{"plain text", func(t *testing.T) []string { return newHome(t).environ() }, long()},
		{"gnome-keyring", func(t *testing.T) []string {
			desk := daemontest.NewDesk(t)
			daemontest.StartGNOME(t, desk)
			return newHome(t).environ("DBUS_SESSION_BUS_ADDRESS=" + desk.Address)
		}, long() / 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLink(t, "single", test.environ(t))
			crew := newCrew(t, l, crewSize)
			select {
			case <-time.After(test.length):
			case <-crew.failed:
			}
			crew.stop()
			stats := wantSound(t, l, crew)
			if got := crew.count("rotated"); uint64(got) != stats.Redemptions || stats.RefreshTokens != stats.Redemptions+1 || stats.Replays != 0 {
				t.Errorf("%d rotations were saved; %v", got, stats)
			}
			t.Logf("%d processes, %v: %d tokens judged valid, %d asked about too late, %v",
				crewSize, test.length, crew.count("valid"), crew.count("late"), stats)
		})
	}
}

// The same while one of them is killed every 50 ms. A server that revokes upon
// reuse and has no window takes the grant when a process dies after the server
// has replaced the refresh token and before that was saved; no client can keep
// it from that. So the server here has a window, as such servers have.
func TestProcessesAreKilled(t *testing.T) {
	l := newLink(t, "grace", newHome(t).environ(), dropboxtest.WithGrace(30*time.Second))
	crew := newCrew(t, l, crewSize)
	kill, over := time.NewTicker(killEvery), time.After(long())
	defer kill.Stop()
	for running := true; running; {
		select {
		case <-kill.C:
			crew.replaceOne()
		case <-over:
			running = false
		case <-crew.failed:
			running = false
		}
	}
	crew.stop()
	stats := wantSound(t, l, crew)
	if seen := look(t, l); !seen.Usable || seen.State != "linked" {
		t.Errorf("afterwards: %+v", seen)
	}
	t.Logf("%d processes, %v, %d kills: %d tokens judged valid, %d asked about too late, %v",
		crewSize, long(), len(crew.gone), crew.count("valid"), crew.count("late"), stats)
}

// wantSound fails unless every process always got a valid token, and the grant
// lives. It returns what the server counted.
func wantSound(t *testing.T, l *link, c *crew) dropboxtest.Stats {
	t.Helper()
	if complaints := c.complaints(); len(complaints) > 0 {
		t.Errorf("%d processes failed, such as: %s", len(complaints), complaints[0])
	}
	if n := c.idle(); n > 0 {
		t.Errorf("%d processes never had a valid token", n)
	}
	all := l.server.Stats()
	if len(all) != 1 {
		t.Fatalf("%d grants: %v", len(all), all)
	}
	if all[0].Ended != "" || all[0].Reuses != 0 || all[0].Redemptions == 0 {
		t.Errorf("%v", all[0])
	}
	return all[0]
}

// sight is what a worker says of a link.
type sight struct {
	State, Reason, Keyring, Account, Kind, Error string
	Usable                                       bool
}

// look has a process look at the link, and use it.
func look(tb testing.TB, l *link) sight {
	tb.Helper()
	return sights(tb, l.do(tb, "look"))[0]
}

// sights are what a worker said that looked.
func sights(tb testing.TB, out string) (all []sight) {
	tb.Helper()
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "{") {
			var seen sight
			if err := json.Unmarshal([]byte(line), &seen); err != nil {
				tb.Fatalf("%v: %s", err, out)
			}
			all = append(all, seen)
		}
	}
	if len(all) == 0 {
		tb.Fatalf("nothing was seen: %s", out)
	}
	return all
}
