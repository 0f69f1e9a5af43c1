package matrix_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
)

// folder has records made in a folder of the test's own.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(matrix.Folder, dir)
	return dir
}

func run(t *testing.T, id keyring.ID, behind matrix.Behind) {
	t.Helper()
	k := keyringtest.NewMemory(id)
	matrix.Run(t, behind, func(*testing.T) keyring.Keyring { return k })
}

func TestARunIsRecorded(t *testing.T) {
	dir := folder(t)
	for range 2 {
		run(t, "sealed", matrix.Behind{How: matrix.File, Name: "key file"})
	}
	run(t, "kwallet", matrix.Behind{How: matrix.Daemon, Name: "kwalletd5", Version: "5.103.0"})
	records, err := matrix.Records(dir)
	if err != nil || len(records) != 2 {
		t.Fatalf("Records = %+v, %v; want the two that differ", records, err)
	}
	at := slices.IndexFunc(records, func(r matrix.Record) bool { return r.Keyring == "kwallet" })
	if r := records[at]; r.Behind != "kwalletd5" || r.Version != "5.103.0" || r.How != matrix.Daemon || r.Checks < 10 || r.Failed {
		t.Errorf("recorded %+v", r)
	}

	t.Setenv(matrix.Folder, "")
	run(t, "plaintext", matrix.Behind{How: matrix.File, Name: "file"})
	if records, err := matrix.Records(dir); err != nil || len(records) != 2 {
		t.Errorf("Records = %+v, %v; want no more", records, err)
	}
}

func TestNoTableOfWhatFailed(t *testing.T) {
	for name, text := range map[string]string{
		"failed":    `{"keyring":"sealed","platform":"linux/amd64","behind":"key file","how":"real file","checks":11,"failed":true}`,
		"no checks": `{"keyring":"sealed","platform":"linux/amd64","behind":"key file","how":"real file"}`,
		"cut short": `{"keyring":"sealed","platform":"linux/amd64","be`,
		"nothing":   "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "run-1.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if records, err := matrix.Records(dir); err == nil {
			t.Errorf("%s: read as %+v", name, records)
		}
	}
	if _, err := matrix.Records(t.TempDir()); err == nil {
		t.Error("a table could be made of no run at all")
	}
}

const linux = "linux/amd64"

func TestTable(t *testing.T) {
	table, err := matrix.Table([]matrix.Record{
		{Keyring: "plaintext", Platform: linux, Behind: "file", Version: "", How: matrix.File, Checks: 11},
		{Keyring: "sealed", Platform: linux, Behind: "passphrase", Version: "", How: matrix.File, Checks: 11},
		{Keyring: "sealed", Platform: linux, Behind: "identity", Version: "", How: matrix.File, Checks: 11},
		{Keyring: "sealed", Platform: "windows/amd64", Behind: "identity", Version: "8.0", How: matrix.Wine, Checks: 11},
		{Keyring: "helper:pass", Platform: linux, Behind: "docker-credential-pass", Version: "0.6.4", How: matrix.Program, Checks: 11},
		{Keyring: "keychain", Platform: linux, Behind: "fake", Version: "", How: matrix.Fake, Checks: 11},
		{Keyring: "secret-service", Platform: linux, Behind: "KeePassXC", Version: "2.7.4", How: matrix.Daemon, Checks: 11},
		{Keyring: "secret-service", Platform: linux, Behind: "GNOME Keyring", Version: "42.1", How: matrix.Daemon, Checks: 11},
	}, map[string][]string{
		linux:           {"secretservice", "sealed", "helper", "plaintext"},
		"darwin/arm64":  {"keychain", "helper"},
		"darwin/amd64":  {"keychain", "helper"},
		"windows/amd64": {"sealed"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "| keyring | platform | behind it | version | how proven | checks |\n|---|---|---|---|---|---|\n" +
		"| `keychain` | linux/amd64 | fake |  | fake | 11 |\n" +
		"| `keychain` | darwin/amd64, darwin/arm64 | – |  | compiled only |  |\n" +
		"| `secret-service` | linux/amd64 | GNOME Keyring | 42.1 | real daemon | 11 |\n" +
		"| `secret-service` | linux/amd64 | KeePassXC | 2.7.4 | real daemon | 11 |\n" +
		"| `sealed` | linux/amd64 | identity, passphrase |  | real file | 22 |\n" +
		"| `sealed` | windows/amd64 | identity | 8.0 | Wine | 11 |\n" +
		"| `helper` | darwin/amd64, darwin/arm64 | – |  | compiled only |  |\n" +
		"| `helper:pass` | linux/amd64 | docker-credential-pass | 0.6.4 | real program | 11 |\n" +
		"| `plaintext` | linux/amd64 | file |  | real file | 11 |\n"
	if table != want {
		t.Errorf("the table is\n%s\nwant\n%s", table, want)
	}

	if other := strings.Replace(table, "42.1", "43.2", 1); !matrix.Equal(table, other) {
		t.Error("another version makes another table")
	}
	for _, old := range []string{"GNOME Keyring", "real daemon", "| 22 |", "darwin/arm64"} {
		if other := strings.Replace(table, old, "x", 1); matrix.Equal(table, other) {
			t.Errorf("%s does not count", old)
		}
	}
	if _, err := matrix.Table(nil, map[string][]string{linux: {"another"}}); err == nil {
		t.Error("a keyring that the table does not know was left out")
	}
}

// TestEveryKeyringHasItsPlace: what is built is in the table, on every platform.
func TestEveryKeyringHasItsPlace(t *testing.T) {
	for platform, least := range map[string]int{linux: 5, "darwin/arm64": 3, "windows/amd64": 4, "freebsd/amd64": 5} {
		built, err := matrix.Built(platform)
		if err != nil || len(built) < least {
			t.Errorf("Built(%s) = %q, %v; want at least %d", platform, built, err, least)
		}
		table, err := matrix.Table(nil, map[string][]string{platform: built})
		if err != nil || strings.Count(table, "compiled only") != len(built) {
			t.Errorf("%s, %v:\n%s", platform, err, table)
		}
	}
}

func TestSplit(t *testing.T) {
	const text = "# Title\n\n<!-- made by ./test: matrix -->\n| a |\n<!-- end of matrix -->\nrest\n"
	before, table, after, err := matrix.Split(text)
	if err != nil || table != "| a |\n" || before+table+after != text {
		t.Errorf("Split = %q, %q, %q, %v", before, table, after, err)
	}
	for _, broken := range []string{"", strings.Replace(text, "end of", "", 1), strings.Replace(text, "made by", "", 1), text + text} {
		if _, _, _, err := matrix.Split(broken); err == nil {
			t.Errorf("Split(%q) found a table", broken)
		}
	}
}

// TestEveryRunIsRecorded: a test that calls the suite itself would leave its
// keyring out of the table.
func TestEveryRunIsRecorded(t *testing.T) {
	runs := 0
	err := filepath.WalkDir(filepath.Join("..", "..", "keyring"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || filepath.Base(filepath.Dir(path)) == "keyringtest" {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "keyringtest.Run(") {
			t.Errorf("%s calls keyringtest.Run; matrix.Run records it", path)
		}
		runs += strings.Count(string(text), "matrix.Run(")
		return err
	})
	if err != nil || runs < 8 {
		t.Errorf("%d runs are recorded, %v", runs, err)
	}
}
