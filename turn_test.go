package authring_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
)

func takeTurn(t *testing.T, s *authring.Session, request authring.TurnRequest) *authring.LinkTurn {
	t.Helper()
	turn, err := s.TakeLinkTurn(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { turn.End(authring.TurnGivenUp) })
	return turn
}

func TestTurnsOfALink(t *testing.T) {
	w := newWorld(t)
	a, b, other := w.open(t, "default"), w.open(t, "default"), w.open(t, "work")
	synctest.Test(t, func(t *testing.T) {
		turn := takeTurn(t, a, authring.TurnRequest{})
		takeTurn(t, other, authring.TurnRequest{}) // another link, at the same time

		_, err := b.TakeLinkTurn(t.Context(), authring.TurnRequest{Unattended: true})
		wantErr(t, err, authring.ErrLinkUnderWay)
		if !strings.Contains(err.Error(), "(pid ") {
			t.Errorf("it is not said which process: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		told := 0
		_, err = b.TakeLinkTurn(ctx, authring.TurnRequest{Waiting: func(string, time.Time) { told++ }})
		wantErr(t, err, context.DeadlineExceeded)
		if told != 1 {
			t.Errorf("told %d times", told)
		}

		time.AfterFunc(10*time.Second, func() { turn.End(authring.TurnGivenUp) })
		began := time.Now()
		takeTurn(t, b, authring.TurnRequest{}).End(authring.TurnLinked)
		if waited := time.Since(began); waited < 10*time.Second || waited > 11*time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestNoStormOfWindows(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		turn := takeTurn(t, w.open(t, "default"), authring.TurnRequest{})
		if !turn.MayOpenBrowser() || turn.MayOpenBrowser() {
			t.Error("one window may be opened, and no second one")
		}
		turn.End(authring.TurnGivenUp)
		time.Sleep(29 * time.Second)
		turn = takeTurn(t, w.open(t, "default"), authring.TurnRequest{})
		if turn.MayOpenBrowser() {
			t.Error("the next process may open another")
		}
		time.Sleep(2 * time.Second)
		if !turn.MayOpenBrowser() {
			t.Error("no window may be opened after half a minute")
		}
		turn.End(authring.TurnLinked)
		if !takeTurn(t, w.open(t, "default"), authring.TurnRequest{}).MayOpenBrowser() {
			t.Error("no window may be opened for a relink")
		}
	})
}

func TestTriesWithoutAPersonBackOff(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	synctest.Test(t, func(t *testing.T) {
		unattended := authring.TurnRequest{Unattended: true}
		for _, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
			takeTurn(t, s, unattended).End(authring.TurnFailed)
			_, err := s.TakeLinkTurn(t.Context(), unattended)
			wantErr(t, err, authring.ErrLinkFailedLately)
			time.Sleep(pause - time.Second)
			_, err = s.TakeLinkTurn(t.Context(), unattended)
			wantErr(t, err, authring.ErrLinkFailedLately)
			time.Sleep(2 * time.Second)
		}
		takeTurn(t, s, unattended).End(authring.TurnFailed)
		// A person need not wait, and counts as none of these tries.
		takeTurn(t, s, authring.TurnRequest{}).End(authring.TurnFailed)
		takeTurn(t, s, authring.TurnRequest{}).End(authring.TurnLinked)
		takeTurn(t, s, unattended).End(authring.TurnGivenUp)
	})
}
