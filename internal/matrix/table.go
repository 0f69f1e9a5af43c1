package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/authring/authring/keyring"
)

// packages are the packages of the keyrings, in the order of the table, and
// how their identifiers begin.
var packages = []struct {
	name string
	id   keyring.ID
}{
	{"keychain", keyring.Keychain},
	{"secretservice", keyring.SecretService},
	{"kwallet", keyring.KWallet},
	{"wincred", keyring.WinCred},
	{"sealed", keyring.Sealed},
	{"helper", "helper"},
	{"plaintext", keyring.Plaintext},
}

var hows = []How{Daemon, Program, System, File, Wine, Fake, Compiled}

// row is a line of the table.
type row struct {
	keyring            keyring.ID
	platforms, behinds []string
	version            string
	how                How
	checks             int
}

const head = `| keyring | platform | behind it | version | how proven | checks |
|---|---|---|---|---|---|
`

// versionColumn is where the table has versions, counted from the first border.
const versionColumn = 4

// Table is the table of what ran, and, for each platform with the packages
// that are built for it, of what was compiled only.
func Table(records []Record, built map[string][]string) (string, error) {
	var rows []row
	ran := map[string]bool{} // by the package's name and the platform
	for _, r := range records {
		at := place(r.Keyring)
		if at < 0 {
			return "", fmt.Errorf("no package has the keyring %q", r.Keyring)
		}
		ran[packages[at].name+" "+r.Platform] = true
		rows = join(rows, row{r.Keyring, []string{r.Platform}, []string{r.Behind}, r.Version, r.How, r.Checks})
	}
	for platform, names := range built {
		for _, name := range names {
			at := slices.IndexFunc(packages, func(p struct {
				name string
				id   keyring.ID
			}) bool {
				return p.name == name
			})
			if at < 0 {
				return "", fmt.Errorf("the package keyring/%s has no place in the table", name)
			}
			if !ran[name+" "+platform] {
				rows = join(rows, row{packages[at].id, []string{platform}, []string{"–"}, "", Compiled, 0})
			}
		}
	}
	for _, r := range rows {
		slices.Sort(r.platforms)
		slices.Sort(r.behinds)
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(
			cmp.Compare(place(a.keyring), place(b.keyring)), cmp.Compare(a.keyring, b.keyring),
			cmp.Compare(slices.Index(hows, a.how), slices.Index(hows, b.how)),
			slices.Compare(a.platforms, b.platforms), slices.Compare(a.behinds, b.behinds), cmp.Compare(a.version, b.version),
		)
	})
	var b strings.Builder
	b.WriteString(head)
	for _, r := range rows {
		b.WriteString(r.String())
	}
	return b.String(), nil
}

// place is where in the order a keyring has its package.
func place(id keyring.ID) int {
	for i, p := range packages {
		if id == p.id || strings.HasPrefix(string(id), string(p.id)+":") {
			return i
		}
	}
	return -1
}

// join adds a row, or adds what it says to one that is there: what runs on one
// platform with several files is told in one, and so is what was compiled only,
// on several platforms.
func join(rows []row, r row) []row {
	for i, old := range rows {
		if old.keyring != r.keyring || old.how != r.how || old.version != r.version {
			continue
		}
		switch {
		case r.how == Compiled:
			rows[i].platforms = append(old.platforms, r.platforms...)
			return rows
		case (r.how == File || r.how == Wine) && slices.Equal(old.platforms, r.platforms):
			rows[i].behinds = append(old.behinds, r.behinds...)
			rows[i].checks += r.checks
			return rows
		}
	}
	return append(rows, r)
}

func (r row) String() string {
	checks := ""
	if r.checks > 0 {
		checks = fmt.Sprint(r.checks)
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s |\n",
		r.keyring, strings.Join(r.platforms, ", "), strings.Join(r.behinds, ", "), r.version, r.how, checks)
}
