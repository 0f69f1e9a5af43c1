package dropboxtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// maxEnded bounds how many grants are remembered that have ended; older ones go
// first.
const maxEnded = 1000

// What ended a grant.
const (
	endedByReuse  = "reuse"
	endedByClient = "client"
	endedByUser   = "user"
	endedByFault  = "fault"
)

// Stats counts what became of a grant. It holds no token. What the server did
// counts, whether or not its answer arrived.
type Stats struct {
	// Number is 1 for the first grant of the emulator, and grows by one.
	Number     uint64    `json:"number"`
	ClientID   string    `json:"client_id"`
	AccountID  string    `json:"account_id"`
	AccessType string    `json:"access_type"` // offline, online or legacy
	Created    time.Time `json:"created"`
	// RefreshTokens is how many refresh tokens were minted, the first among
	// them. With rotation it is one more than Redemptions.
	RefreshTokens uint64 `json:"refresh_tokens"`
	// Redemptions is how often the newest refresh token was redeemed. With
	// rotation that is once for each at most.
	Redemptions uint64 `json:"redemptions"`
	// Replays is how often a used refresh token came back within the window of
	// [WithGrace] and was answered.
	Replays uint64 `json:"replays"`
	// Reuses is how often a used refresh token came back and was refused,
	// after the grant had ended too.
	Reuses uint64 `json:"reuses"`
	// AccessTokens counts the access tokens that work.
	AccessTokens int `json:"access_tokens"`
	// Ended is empty while the grant stands. Otherwise it says what ended it:
	// "reuse" for [WithReuseDetection], "client" for auth/token/revoke, "user"
	// for [Dropbox.Revoke], "fault" for the fault revoked.
	Ended string `json:"ended,omitempty"`
	// EndedAt is zero while the grant stands.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// String gives the counts in one line.
func (s Stats) String() string {
	state := "stands"
	if s.Ended != "" {
		state = "ended by " + s.Ended
	}
	return fmt.Sprintf("grant %d: %d refresh tokens minted, %d redemptions, %d replays, %d reuses, %s",
		s.Number, s.RefreshTokens, s.Redemptions, s.Replays, s.Reuses, state)
}

// Stats returns the counts of all grants that stand and of the last 1,000 that
// have ended, in the order in which they were made.
func (d *Dropbox) Stats() []Stats {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	working := make(map[*grant]int, len(d.grants))
	for _, a := range d.access {
		if !expired(a.expires, now) {
			working[a.grant]++
		}
	}
	out := make([]Stats, 0, len(d.numbered))
	for _, g := range d.numbered {
		s := Stats{
			Number:       g.number,
			ClientID:     g.clientID,
			AccountID:    g.accountID,
			AccessType:   g.accessType,
			Created:      g.created,
			Redemptions:  g.redemptions,
			Replays:      g.replays,
			Reuses:       g.reuses,
			AccessTokens: working[g],
			Ended:        g.ended,
			EndedAt:      g.endedAt,
		}
		if g.accessType == accessOffline {
			s.RefreshTokens = g.generation + 1
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Stats) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// serveStats answers GET /_emulator/stats.
func (d *Dropbox) serveStats(w http.ResponseWriter, r *http.Request) {
	if allowOnly(w, r, http.MethodGet) {
		writeJSON(w, http.StatusOK, d.Stats())
	}
}
