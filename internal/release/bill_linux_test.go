package main_test

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkBill holds a bill of materials against the binary that was released.
func checkBill(t *testing.T, folder, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name+".spdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		SPDXVersion, SPDXID, DocumentNamespace string
		CreationInfo                           struct{ Created string }
		Packages                               []struct {
			SPDXID, Name, VersionInfo string
			Checksums                 []struct{ ChecksumValue string }
			ExternalRefs              []struct{ ReferenceLocator string }
		}
		Relationships []struct{ SPDXElementID, RelationshipType, RelatedSPDXElement string }
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	if bill.SPDXVersion != "SPDX-2.3" || bill.CreationInfo.Created != epochText || !strings.HasPrefix(bill.DocumentNamespace, "urn:uuid:") {
		t.Errorf("%s: %s of %s, named %q", name, bill.SPDXVersion, bill.CreationInfo.Created, bill.DocumentNamespace)
	}
	var contents map[string]member
	suffix := ""
	if strings.Contains(name, "windows") {
		contents, suffix = unzip(t, filepath.Join(folder, name+".zip")), ".exe"
	} else {
		contents = untar(t, filepath.Join(folder, name+".tar.gz"))
	}
	// What each program was built from, by its own word.
	const prefix = "github.com/authring/authring/cmd/"
	want, parts, sums := map[string]string{}, map[string]int{}, map[string]string{}
	for _, command := range []string{"authring", "authring-token"} {
		program := contents[name+"/"+command+suffix].content
		info, err := buildinfo.Read(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		sums[prefix+command] = fmt.Sprintf("%x", sha256.Sum256(program))
		parts[prefix+command] = len(info.Deps) + 1
		want[prefix+command], want["stdlib"] = "v1.2.3", strings.TrimPrefix(info.GoVersion, "go")
		for _, m := range info.Deps {
			want[m.Path] = m.Version
		}
	}
	got, ids := map[string]string{}, map[string]string{bill.SPDXID: "document"}
	for _, p := range bill.Packages {
		got[p.Name], ids[p.SPDXID] = p.VersionInfo, p.Name
		if len(p.ExternalRefs) != 1 || !strings.Contains(p.ExternalRefs[0].ReferenceLocator, "@"+p.VersionInfo) {
			t.Errorf("%s: %s is referred to as %v", name, p.Name, p.ExternalRefs)
		}
		if sum := sums[p.Name]; sum != "" && (len(p.Checksums) != 1 || p.Checksums[0].ChecksumValue != sum) {
			t.Errorf("%s: the program has checksums %v", name, p.Checksums)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s lists\n%v, want\n%v", name, got, want)
	}
	depends := map[string]int{}
	for _, r := range bill.Relationships {
		if ids[r.SPDXElementID] == "" || ids[r.RelatedSPDXElement] == "" {
			t.Errorf("%s: %v relates what is not there", name, r)
		}
		if r.RelationshipType == "DEPENDS_ON" {
			depends[ids[r.SPDXElementID]]++
		}
	}
	if fmt.Sprint(depends) != fmt.Sprint(parts) {
		t.Errorf("%s: the programs depend on %v others, want %v", name, depends, parts)
	}
}
