package authring

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// History returns the last events of the link, oldest first: linked,
// refreshed, rotated, in doubt, revoked, failed and why; by which process, when,
// with which keyring. A fingerprint tells the refresh tokens of a link apart,
// and is of no use to anybody who has not the key that is on this machine. It
// answers the question why a link died. The error is about the file.
func (s *Session) History() ([]record.Event, error) { return s.layout.History(s.name) }

// remember adds an event to the history; grant is what the link has
// afterwards. The caller holds the link's lock. A history that cannot be
// written stops nothing.
func (s *Session) remember(e record.Event, grant *credentials) {
	e.At, e.Process = time.Now(), process()
	if grant != nil {
		e.Fingerprint = s.fingerprint(grant.secret())
	}
	if err := s.layout.AppendHistory(s.name, e); err != nil {
		s.config.logger.Debug("could not write the history", "config", s.name, "error", err)
	}
}

// fingerprint names a token; "" where the key for that cannot be had.
func (s *Session) fingerprint(token secret.Secret) string {
	f, err := s.fingerprinter()
	if err != nil {
		s.config.logger.Debug("tokens have no fingerprints", "config", s.name, "error", err)
	}
	return f.Of(token)
}

func (s *Session) fingerprinter() (record.Fingerprints, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fingerprints != nil {
		return *s.fingerprints, nil
	}
	f, err := s.layout.Fingerprints()
	if err == nil {
		s.fingerprints = &f
	}
	return f, err
}

// process names this process for the history.
func process() string {
	name := "?"
	if len(os.Args) > 0 {
		name = filepath.Base(os.Args[0])
	}
	return fmt.Sprintf("%s (pid %d)", name, os.Getpid())
}
