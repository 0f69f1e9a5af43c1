package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// billOfMaterials is an SPDX document, version 2.3: the binaries of a target,
// and every module that they say they were built from.
type billOfMaterials struct {
	Version       string             `json:"spdxVersion"`
	License       string             `json:"dataLicense"`
	ID            string             `json:"SPDXID"`
	Name          string             `json:"name"`
	Namespace     string             `json:"documentNamespace"`
	Creation      billCreation       `json:"creationInfo"`
	Packages      []billPackage      `json:"packages"`
	Relationships []billRelationship `json:"relationships"`
}

type billCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type billPackage struct {
	ID               string          `json:"SPDXID"`
	Name             string          `json:"name"`
	Version          string          `json:"versionInfo"`
	FileName         string          `json:"packageFileName,omitempty"`
	Purpose          string          `json:"primaryPackagePurpose"`
	Location         string          `json:"downloadLocation"`
	FilesAnalyzed    bool            `json:"filesAnalyzed"`
	Checksums        []billChecksum  `json:"checksums,omitempty"`
	SourceInfo       string          `json:"sourceInfo,omitempty"`
	LicenseConcluded string          `json:"licenseConcluded"`
	LicenseDeclared  string          `json:"licenseDeclared"`
	Copyright        string          `json:"copyrightText"`
	References       []billReference `json:"externalRefs"`
}

type billChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type billReference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type billRelationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const (
	billDocument = "SPDXRef-DOCUMENT"
	noAssertion  = "NOASSERTION"
)

func (r release) billOfMaterials(name string, binaries []binary, modules []module) ([]byte, error) {
	bill := billOfMaterials{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: billDocument, Name: name,
		Creation: billCreation{r.date.Format(time.RFC3339), []string{"Tool: authring-release-" + r.version.plain}},
	}
	ids := map[string]string{}
	for i, m := range modules {
		ids[m.path] = fmt.Sprintf("SPDXRef-Module-%d", i)
	}
	for i, b := range binaries {
		id := fmt.Sprintf("SPDXRef-Program-%d", i)
		sum := sha256.Sum256(b.content)
		p := newBillPackage(id, b.info.Main.Path, r.version.given)
		p.Name = b.info.Path
		p.References[0].Locator += "#" + strings.TrimPrefix(b.info.Path, b.info.Main.Path+"/")
		p.Purpose, p.FileName, p.LicenseDeclared = "APPLICATION", b.name, "MIT"
		p.Checksums = []billChecksum{{"SHA256", fmt.Sprintf("%x", sum)}}
		bill.Packages = append(bill.Packages, p)
		bill.relate(billDocument, "DESCRIBES", id)
		bill.relate(id, "DEPENDS_ON", ids[standardLibrary])
		for _, m := range b.info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			bill.relate(id, "DEPENDS_ON", ids[m.Path])
		}
	}
	for _, m := range modules {
		p := newBillPackage(ids[m.path], m.path, m.version)
		p.Purpose = "LIBRARY"
		if m.sum != "" {
			p.SourceInfo = "in go.sum: " + m.sum
		}
		bill.Packages = append(bill.Packages, p)
	}
	// A name that no other document has, and that is the same in each build.
	text, err := json.Marshal(bill)
	if err != nil {
		return nil, fmt.Errorf("could not write the bill of materials: %w", err)
	}
	bill.Namespace = uuid(text)
	if text, err = json.MarshalIndent(bill, "", "  "); err != nil {
		return nil, fmt.Errorf("could not write the bill of materials: %w", err)
	}
	return append(text, '\n'), nil
}

func newBillPackage(id, name, version string) billPackage {
	return billPackage{
		ID: id, Name: name, Version: version, Location: noAssertion,
		LicenseConcluded: noAssertion, LicenseDeclared: noAssertion, Copyright: noAssertion,
		References: []billReference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + name + "@" + url.QueryEscape(version)}},
	}
}

func (b *billOfMaterials) relate(from, kind, to string) {
	b.Relationships = append(b.Relationships, billRelationship{from, kind, to})
}

// uuid makes a name of data: a UUID of version 8 (RFC 9562 section 5.8).
func uuid(data []byte) string {
	u := sha256.Sum256(data)
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
