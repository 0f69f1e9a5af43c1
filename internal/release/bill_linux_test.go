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
	var program []byte
	if strings.Contains(name, "windows") {
		program = unzip(t, filepath.Join(folder, name+".zip"))[name+"/authring.exe"].content
	} else {
		program = untar(t, filepath.Join(folder, name+".tar.gz"))[name+"/authring"].content
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	const command = "github.com/authring/authring/cmd/authring"
	want := map[string]string{command: "v1.2.3", "stdlib": strings.TrimPrefix(info.GoVersion, "go")}
	for _, m := range info.Deps {
		want[m.Path] = m.Version
	}
	got, ids := map[string]string{}, map[string]string{bill.SPDXID: "document"}
	for _, p := range bill.Packages {
		got[p.Name], ids[p.SPDXID] = p.VersionInfo, p.Name
		if len(p.ExternalRefs) != 1 || !strings.Contains(p.ExternalRefs[0].ReferenceLocator, "@"+p.VersionInfo) {
			t.Errorf("%s: %s is referred to as %v", name, p.Name, p.ExternalRefs)
		}
		if p.Name == command && (len(p.Checksums) != 1 || p.Checksums[0].ChecksumValue != fmt.Sprintf("%x", sha256.Sum256(program))) {
			t.Errorf("%s: the program has checksums %v", name, p.Checksums)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s lists\n%v, want\n%v", name, got, want)
	}
	depends := map[string]bool{}
	for _, r := range bill.Relationships {
		if ids[r.SPDXElementID] == "" || ids[r.RelatedSPDXElement] == "" {
			t.Errorf("%s: %v relates what is not there", name, r)
		}
		if ids[r.SPDXElementID] == command && r.RelationshipType == "DEPENDS_ON" {
			depends[ids[r.RelatedSPDXElement]] = true
		}
	}
	if len(depends) != len(want)-1 {
		t.Errorf("%s: the program depends on %v", name, depends)
	}
}
