package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/agent"
)

// defaultWithin is how long ahead it is said that a link ends.
const defaultWithin = 7 * 24 * time.Hour

type checkOptions struct {
	on     bool
	within days
}

// days is a flag: a length of time, which may be in days.
type days time.Duration

const daysType = "TIME"

// String writes whole days as such.
func (d *days) String() string {
	const day = 24 * time.Hour
	if whole := time.Duration(*d); whole >= day && whole%day == 0 {
		return fmt.Sprintf("%dd", whole/day)
	}
	return time.Duration(*d).String()
}

// Type is what the value is called.
func (d *days) Type() string { return daysType }

// Set reads the flag.
func (d *days) Set(text string) error {
	const most = 36500 // a hundred years
	var length time.Duration
	var err error
	if number, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		if n, err = strconv.ParseUint(number, 10, 16); err == nil && n > most {
			err = strconv.ErrRange
		}
		length = time.Duration(n) * 24 * time.Hour
	} else {
		length, err = time.ParseDuration(text)
	}
	if err != nil || length < 0 {
		return errors.New("it is not a length of time such as 7d or 36h")
	}
	*d = days(length)
	return nil
}

// withoutUnlinked leaves out a chosen link that is none, where there are others.
func withoutUnlinked(all []standing) []standing {
	if len(all) > 1 && all[0].err == nil && all[0].status.State == authring.Unlinked {
		return all[1:]
	}
	return all
}

// ends reports whether a link that can be used will end within a time.
func (one standing) ends(within time.Duration) bool {
	if one.err != nil || one.status.State == authring.Unlinked || one.status.State == authring.Revoked {
		return false
	}
	at := one.status.Lifetime.Expires()
	return !at.IsZero() && time.Until(at) <= within
}

// checkCode is the exit code of status --check: that of what is worst.
func checkCode(all []standing, within time.Duration) int {
	worst := []int{exitRevoked, exitUnavailable, exitLocked, exitNotLinked, exitEnding}
	found := map[int]bool{}
	for _, one := range all {
		code := stateCode(one.status.State)
		switch {
		case one.err != nil:
			return kindOf(one.err).code
		case code == exitOK && one.ends(within):
			code = exitEnding
		}
		found[code] = true
	}
	for _, code := range worst {
		if found[code] {
			return code
		}
	}
	return exitOK
}

// tellEnds says which links end soon, and what were not granted all that was
// asked for, and what helps.
func (p *program) tellEnds(all []standing, within time.Duration) {
	if p.json {
		return
	}
	for _, one := range all {
		if missing := one.status.Record.ScopeMissing; one.err == nil && missing != "" {
			p.warn("%q: not granted, although asked for: %s", one.config, missing)
		}
		if !one.ends(within) {
			continue
		}
		life := one.status.Lifetime
		if at := life.IdleEnds; at.Equal(life.Expires()) {
			p.tellEnd(one.config, at, "if it is not used before", "token", "--no-agent")
		}
		if at := life.Ends; !at.IsZero() && time.Until(at) <= within {
			p.tellEnd(one.config, at, "used or not", "link", "--relink")
		}
	}
}

// tellEnd says when a link ends, or that it has, under which condition, and the
// verb that helps.
func (p *program) tellEnd(config string, at time.Time, unless, verb, flag string) {
	when := "ends on " + at.Local().Format("2006-01-02 at 15:04") + ", " + unless
	if !time.Now().Before(at) {
		when = "has ended on " + at.Local().Format("2006-01-02") + ", as far as is known"
	}
	p.warn("%q %s; run: %s", config, when, p.named(config, verb, flag))
}

// linksToKeep are the links that the agent keeps alive.
func (p *program) linksToKeep() ([]agent.Link, error) {
	names, err := p.configNames()
	links := make([]agent.Link, len(names))
	for i, name := range names {
		links[i] = agent.Link{App: p.app, Config: name}
	}
	return links, err
}
