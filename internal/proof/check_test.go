package proof_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring/record"
)

// check lets the next commands find what a killed process left, and holds it
// against what must be true. newGrant: a grant that the process had just been
// given may be left at the server, known to nobody. answer: so may the answer
// to a refresh, and with it the grant.
func (tr *trial) check(total *figures, where string, newGrant, answer bool) {
	t := tr.t
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf(where+": "+format, args...)
	}
	tr.wantReadable(fail)
	if items := tr.items(); len(items) != len(slices.Compact(slices.Sorted(slices.Values(items)))) {
		fail("the keyring holds an item twice: %q", items)
	}
	// Either of the two may come first. What is retried must not end the link.
	verbs := []string{"look", "retry", "look"}
	if len(where)%2 == 0 {
		verbs = []string{"retry", "look", "look"}
	}
	seen := sights(t, tr.must(verbs...))
	first, last := seen[0], seen[1]
	unknown := len(tr.server.Grants())
	switch {
	case first.Usable && !last.Usable:
		fail("the link ended: %+v, then %+v", first, last)
	case last.Usable:
		if last.State != "linked" {
			fail("usable, and shown as %+v", last)
		}
		unknown--
		total.add(func() { total.usable++ })
	case tr.op.keeps:
		fail("the link is not usable: %+v, then %+v", first, last)
	case tr.op.verb == "refresh" && !answer:
		fail("the link did not outlive a refresh: %+v, then %+v", first, last)
	case answer && !(last.State == "revoked" && strings.Contains(last.Reason, "was lost")):
		fail("it is not said that an answer was lost: %+v, then %+v", first, last)
	case last.State == "unlinked" && last.Kind == "unlinked":
		total.add(func() { total.unlinked++ })
	case last.State == "revoked", last.State == "secret-missing" && last.Kind == "missing", last.Kind == "doubt":
		total.add(func() { total.repaired++ })
	default:
		fail("no state that tells what to do: %+v, then %+v", first, last)
	}
	// What is left alive is the link's, or the one exception.
	if unknown < 0 || unknown > 1 || (unknown == 1 && !newGrant) {
		fail("%d grants are alive that nobody knows: %v; %+v", unknown, tr.server.Stats(), seen)
	}
	total.add(func() { total.unknown += max(unknown, 0) })
	tr.wantItems(fail, last)
	// One command repairs whatever it is.
	if !last.Usable {
		seen := sights(t, tr.must("link", "look"))
		if last = seen[0]; !last.Usable || last.State != "linked" {
			fail("after a relink: %+v", last)
		}
		tr.wantItems(fail, last)
	}
	// And nothing stays behind in the end.
	if tr.half() {
		tr.writeAll()
	}
	tr.must("unlink", "retry")
	if items := tr.items(); len(items) > 0 {
		fail("items left: %q", items)
	}
	if left := len(tr.server.Grants()) - unknown; left != 0 {
		fail("%d grants left: %v", left, tr.server.Stats())
	}
	tr.wantReadable(fail)
	if files := tr.notes(); len(files) > 0 {
		fail("files left: %q", files)
	}
}

// items names all that the keyrings hold of ours.
func (tr *trial) items() []string {
	tr.t.Helper()
	return append(tr.desk.list(tr.t, tr.home), plaintextItems(tr.t, tr.home)...)
}

// wantItems fails unless there is one item for the link, and no other.
func (tr *trial) wantItems(fail func(string, ...any), seen sight) {
	tr.t.Helper()
	items := tr.items()
	links := 0
	for _, item := range items {
		if strings.HasPrefix(item, "config:") {
			links++
		} else {
			fail("after all was retried there still is %q", item)
		}
	}
	if links > 1 || (links == 0 && seen.Usable) || (links > 0 && seen.State == "unlinked") {
		fail("%q: %+v", items, seen)
	}
}

func (tr *trial) layout() record.Layout {
	tr.t.Helper()
	layout, err := record.LayoutIn(service, filepath.Join(tr.home.dir, "config", service), filepath.Join(tr.home.dir, "state", service))
	if err != nil {
		tr.t.Fatal(err)
	}
	return layout
}

// wantReadable fails unless every file can be read.
func (tr *trial) wantReadable(fail func(string, ...any)) {
	tr.t.Helper()
	layout := tr.layout()
	_, record := layout.Load("default")
	_, _, intent := layout.LoadIntent("default")
	_, _, attempt := layout.LoadAttempt("default")
	_, revocations := layout.Revocations()
	_, history := layout.History("default")
	for _, err := range []error{record, intent, attempt, revocations, history} {
		if err != nil {
			fail("%v", err)
		}
	}
}

// half reports whether a file was left that had not taken its name.
func (tr *trial) half() bool {
	tr.t.Helper()
	found := false
	tr.walk(func(path string) { found = found || strings.HasSuffix(path, ".tmp") })
	return found
}

// writeAll has each kind of file be written once more, a day later.
func (tr *trial) writeAll() {
	tr.t.Helper()
	tr.age()
	if tr.op.other {
		tr.relinkElsewhere()
	}
	tr.offline("all")
	tr.must("unlink")
	tr.offline("")
	tr.must("retry", "link", "refresh")
}

// age makes all files old, as if the kill had been yesterday.
func (tr *trial) age() {
	tr.t.Helper()
	yesterday := time.Now().Add(-24 * time.Hour)
	tr.walk(func(path string) {
		if err := os.Chtimes(path, yesterday, yesterday); err != nil {
			tr.t.Error(err)
		}
	})
}

// notes are the files that ought to go: notes of what is under way, and files
// that were being written; but for the one of the key of fingerprints, which is
// made once in a home.
func (tr *trial) notes() (left []string) {
	tr.t.Helper()
	tr.walk(func(path string) {
		folder := filepath.Base(filepath.Dir(path))
		half := strings.HasSuffix(path, ".tmp") && !strings.HasPrefix(filepath.Base(path), ".fingerprint.")
		if half || slices.Contains([]string{"attempts", "intents", "revocations", "pending"}, folder) {
			left = append(left, strings.TrimPrefix(path, tr.home.dir))
		}
	})
	return left
}

func (tr *trial) walk(visit func(path string)) {
	tr.t.Helper()
	err := filepath.WalkDir(tr.home.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			visit(path)
		}
		return err
	})
	if err != nil {
		tr.t.Error(err)
	}
}
