package agent

import (
	"crypto/sha256"
	"time"

	"github.com/authring/authring/record"
)

// files are those that a link depends on; that of the provider may be none.
type files struct {
	layout           record.Layout
	config           string
	record, provider string // their paths
}

func filesOf(layout record.Layout, config, described string) files {
	return files{layout, config, layout.ConfigPath(config), described}
}

// stamps tell two versions of the files apart.
type stamps struct{ record, provider stamp }

// settling is longer than the steps in which any file system tells time: two
// seconds on FAT, one on others. Two versions of a file within one step can have
// the same stamp.
const settling = 3 * time.Second

// sight is the files as they were seen.
type sight struct {
	stamps
	// digest is of the record, and counts until the stamps are settled: seen
	// again after so long a time that the next version has another stamp.
	digest  [sha256.Size]byte
	settled bool
	first   time.Duration // when they were seen, on the agent's clock
}

// see is the sight of the files, with that of the provider as it was before it
// was read.
func (f files) see(provider stamp, now time.Duration) sight {
	return sight{stamps: stamps{look(f.record), provider}, digest: f.layout.Digest(f.config), first: now}
}

// same looks again, and reports whether the files are as they were.
func (f files) same(s *sight, now time.Duration) bool {
	if s.stamps != (stamps{look(f.record), look(f.provider)}) {
		return false
	}
	if s.settled {
		return true
	}
	if s.digest != f.layout.Digest(f.config) {
		return false
	}
	s.settled = now-s.first > settling
	return true
}
