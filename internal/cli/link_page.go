package cli

import (
	"context"
	"time"

	"github.com/authring/authring"
)

// present shows the page of a link, and until when it can be opened.
func (l *linking) present(pending authring.PendingLink) {
	l.pageEnds = pending.PageExpires
	l.showPage(pending.AuthURL)
	l.sayUntil(pending)
	if !l.pageEnds.IsZero() && l.asks() {
		l.say("After that, press Enter here for another one.")
	}
}

// sayUntil says how long a page is good that the provider soon forgets.
func (l *linking) sayUntil(pending authring.PendingLink) {
	if !pending.PageExpires.IsZero() {
		l.say("The page has to be opened before %s.", pending.PageExpires.Local().Format("15:04:05"))
	}
}

// renewPage shows another page of the same link once the provider has forgotten
// the one before.
func (l *linking) renewPage(ctx context.Context) error {
	if l.pageEnds.IsZero() || time.Now().Before(l.pageEnds) {
		return nil
	}
	pending, err := l.beginPage(ctx)
	if err != nil {
		return err
	}
	l.present(pending)
	return nil
}
