package servertest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/internal/servertest"
)

// all is a finding for every place of one server's table.
func all() []servertest.Finding {
	var findings []servertest.Finding
	for _, flow := range servertest.Flows {
		for _, feature := range servertest.Features {
			findings = append(findings, servertest.Finding{Server: "one", Version: "1.2", Flow: flow, Feature: feature, Outcome: servertest.Works})
		}
	}
	return findings
}

func TestTable(t *testing.T) {
	findings := all()
	for i, f := range findings {
		switch {
		case f.Feature == servertest.Refresh && f.Flow == servertest.Device:
			findings[i].Outcome, findings[i].Why = servertest.Fails, "a|b"
		case f.Feature == servertest.Reuse:
			findings[i].Why = "everywhere"
		case f.Feature == servertest.Issuer && f.Flow == servertest.Device:
			findings[i].Outcome = servertest.NotInFlow
		case f.Feature == servertest.Issuer:
			findings[i].Why = "said where it is"
		}
	}
	table, err := servertest.Table(findings)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"**one** (1.2)\n",
		"| refresh | works | works | fails | device code: a\\|b |\n",
		"| use of a rotated refresh token | works | works | works | everywhere |\n",
		"| `iss` of the answer (RFC 9207) | works | works | – | said where it is |\n",
	} {
		if !strings.Contains(table, line) {
			t.Errorf("no line %q in\n%s", line, table)
		}
	}
	if got, want := strings.Count(table, "\n| "), len(servertest.Features)+1; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}

	if _, err := servertest.Table(findings[1:]); err == nil {
		t.Error("a table was made though a finding is missing")
	}
	other := findings[0]
	other.Outcome = servertest.NotThere
	if _, err := servertest.Table(append(findings, other)); err == nil {
		t.Error("a table was made of two findings that do not agree")
	}
}

func TestFindingsAreKept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(matrix.Folder, dir)
	if _, err := servertest.Findings(dir); err == nil {
		t.Error("there were findings before any was saved")
	}
	if err := servertest.Save(all()); err != nil {
		t.Fatal(err)
	}
	if found, err := servertest.Findings(dir); err != nil || len(found) != len(all()) {
		t.Errorf("Findings = %d of them, %v", len(found), err)
	}
	for _, broken := range []string{
		``, `[{"server":"one"`, `[{"server":"one","version":"1","flow":"by post","feature":"link","outcome":"works"}]`,
		`[{"server":"one","version":"1","flow":"paste","feature":"luck","outcome":"works"}]`,
		`[{"server":"one","flow":"paste","feature":"link","outcome":"works"}]`,
		`[{"server":"one","version":"1","flow":"paste","feature":"link","outcome":"fails"}]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "server-broken.json"), []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := servertest.Findings(dir); err == nil {
			t.Errorf("%q is read as %+v", broken, found)
		}
	}
	t.Setenv(matrix.Folder, "")
	if err := servertest.Save(all()); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 2 {
		t.Errorf("%d files, want no more", len(files))
	}
}
