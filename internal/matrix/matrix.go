// Package matrix has the table of what the keyrings have run against made by
// the runs themselves. Tests of keyrings call [Run] in place of
// keyringtest.Run; it leaves a record of the run in the folder that
// AUTHRING_TEST_MATRIX names. From these, and from what is compiled for each
// platform, genmatrix makes the table, and holds it against the one in the
// documents.
package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
)

// Folder is the variable that names the folder of the records. Without it none
// are made.
const Folder = "AUTHRING_TEST_MATRIX"

// Record is one run of the suite.
type Record struct {
	Keyring  keyring.ID `json:"keyring"`
	Platform string     `json:"platform"`
	Behind   string     `json:"behind"`
	Version  string     `json:"version,omitempty"`
	How      How        `json:"how"`
	Checks   int        `json:"checks"`
	Failed   bool       `json:"failed,omitempty"`
}

// Run is [keyringtest.Run], and makes a record of it. On Windows that is Wine,
// the record says so.
func Run(t *testing.T, behind Behind, open func(*testing.T) keyring.Keyring, opts ...keyringtest.Option) {
	t.Helper()
	if version := wineVersion(); version != "" && behind.How != Fake {
		behind.How, behind.Version = Wine, version
	}
	r := Record{
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Behind:   behind.Name, Version: behind.Version, How: behind.How,
	}
	// Each check opens handles of its own, for its own test.
	var mu sync.Mutex
	checks := map[string]bool{}
	keyringtest.Run(t, func(t *testing.T) keyring.Keyring {
		k := open(t)
		mu.Lock()
		defer mu.Unlock()
		checks[t.Name()] = true
		r.Keyring = k.ID()
		return k
	}, opts...)
	r.Checks, r.Failed = len(checks), t.Failed()
	if dir := os.Getenv(Folder); dir != "" {
		if err := r.save(dir); err != nil {
			t.Errorf("could not record the run: %v", err)
		}
	}
}

// save writes the record as a line of a file of its own: runs go on in several
// processes at once.
func (r Record) save(dir string) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "run-*.json")
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// Records reads the records in a folder. One that failed, or that is not whole,
// is an error: no table is made of it.
func Records(dir string) ([]Record, error) {
	files, err := filepath.Glob(filepath.Join(dir, "run-*.json"))
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var r Record
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		switch {
		case r.Failed:
			return nil, fmt.Errorf("%s on %s, with %s: the suite failed", r.Keyring, r.Platform, r.Behind)
		case r.Keyring == "" || r.Platform == "" || r.Behind == "" || r.How == "" || r.Checks == 0:
			return nil, fmt.Errorf("%s: it does not say what ran: %s", file, data)
		}
		if !slices.Contains(records, r) { // it may have run twice
			records = append(records, r)
		}
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("no run was recorded in %s", dir)
	}
	return records, nil
}
