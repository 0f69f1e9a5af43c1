package authring

import (
	"time"

	"github.com/authring/authring/keyring"
)

// EventKind says what happened to a session.
type EventKind int

const (
	// EventWaiting: a call has been waiting for what Text names.
	EventWaiting EventKind = iota
	// EventPlaintext: the secret was stored as plain text; Err says why.
	EventPlaintext
	// EventRevoked: the provider ended the grant; Err is its answer.
	EventRevoked
	// EventGrantAlive: a grant that is no longer used stays valid at the
	// provider; Err says why it could not be revoked.
	EventGrantAlive
	// EventRevocationQueued: revoking a grant is left for later.
	EventRevocationQueued
	// EventLeftover: an item that is no longer used stays in the keyring
	// that Keyring names; Err says why it could not be deleted.
	EventLeftover
	// EventRotated: the provider replaced the refresh token; it was saved.
	EventRotated
	// EventInDoubt: the answer to an earlier refresh never came, and the
	// provider may not accept the refresh token again.
	EventInDoubt
	// EventTrouble: a question to the provider got no usable answer, and is
	// asked again; Err says why.
	EventTrouble
)

// Event is one thing that a program may want to show or log.
type Event struct {
	Kind    EventKind
	Config  string
	Keyring keyring.ID // where one is concerned
	Text    string     // in words, for people
	Err     error      // may be nil
}

func (s *Session) emit(e Event) {
	e.Config = s.name
	s.config.logger.Debug("session event", "config", s.name, "kind", int(e.Kind), "keyring", string(e.Keyring), "text", e.Text, "error", e.Err)
	if s.config.events != nil {
		s.config.events(e)
	}
}

// waitNotice is how long a call may take before it is said what it waits for.
const waitNotice = 400 * time.Millisecond

// waiting reports what is awaited if that takes a while; the returned function
// ends the wait.
func (s *Session) waiting(id keyring.ID, what func() string) (done func()) {
	if s.config.events == nil {
		return func() {}
	}
	timer := time.AfterFunc(waitNotice, func() {
		s.emit(Event{Kind: EventWaiting, Keyring: id, Text: what()})
	})
	return func() { timer.Stop() }
}

// waitingForProvider reports that the server is awaited.
func (s *Session) waitingForProvider() (done func()) {
	return s.waiting("", func() string { return s.config.provider.Title })
}
