//go:build unix

package doctor_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/doctor"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
)

// What codesign prints, by its manual and Apple's technical notes.
var signatures = map[string]struct{ printed, kind, signer string }{
	"none": {"/usr/local/bin/authring: code object is not signed at all\n", "none", ""},
	"by the linker": {`Executable=/usr/local/bin/authring
Identifier=a.out
Format=Mach-O thin (arm64)
CodeDirectory v=20400 size=58382 flags=0x20002(adhoc,linker-signed) hashes=1822+0 location=embedded
Signature=adhoc
Info.plist=not bound
TeamIdentifier=not set
Sealed Resources=none
Internal requirements=none
`, "ad hoc", ""},
	"with a certificate of Apple's": {`Executable=/usr/local/bin/authring
Identifier=authring
Format=Mach-O thin (arm64)
CodeDirectory v=20500 size=58400 flags=0x10000(runtime) hashes=1822+2 location=embedded
Signature size=9012
Authority=Developer ID Application: Ada Lovelace (ABCDE12345)
Authority=Developer ID Certification Authority
Authority=Apple Root CA
TeamIdentifier=ABCDE12345
`, "certificate", "Developer ID Application: Ada Lovelace (ABCDE12345)"},
	"with one of one's own": {"Executable=/x\nSignature size=1650\nAuthority=my signing\nTeamIdentifier=not set\n", "certificate", "my signing"},
	"something else":        {"/x: No such file or directory\n", "unknown", ""},
	"nothing":               {"", "unknown", ""},
}

func TestSignatures(t *testing.T) {
	for name, c := range signatures {
		if kind, signer := doctor.ParseSignature(c.printed); kind != c.kind || signer != c.signer {
			t.Errorf("%s: %s %q, want %s %q", name, kind, signer, c.kind, c.signer)
		}
	}
}

func FuzzSignature(f *testing.F) {
	for _, c := range signatures {
		f.Add(c.printed)
	}
	f.Fuzz(func(t *testing.T, printed string) {
		kind, signer := doctor.ParseSignature(printed)
		if strings.Contains(signer, "\n") || signer != "" && kind != "certificate" {
			t.Errorf("%s, signed by %q", kind, signer)
		}
	})
}

// TestSignatureOfThisProgram: a tool in the place of codesign is asked about
// this very program, and what it says becomes a finding.
func TestSignatureOfThisProgram(t *testing.T) {
	quote := func(word string) string { return "'" + word + "'" }
	for name, c := range map[string]struct {
		script string
		id     string
		cure   string
	}{
		"none":        {`echo "$3: code object is not signed at all" >&2; exit 1`, "signature-none", "codesign --force"},
		"ad hoc":      {`[ -x "$3" ] && echo Signature=adhoc >&2`, "signature-adhoc", "--sign IDENTITY '/"},
		"sound":       {`printf 'Signature size=9\nAuthority=me\n' >&2`, "signature-sound", ""},
		"strange":     {`echo hello`, "signature-unknown", "codesign --display"},
		"fails":       {`exit 3`, "signature-unknown", "codesign --display"},
		"hangs":       {`exec sleep 600`, "signature-unknown", "codesign --display"},
		"no codesign": {"", "signature-unknown", "codesign --display"},
	} {
		t.Run(name, func(t *testing.T) {
			tool := filepath.Join(t.TempDir(), "codesign")
			if c.script != "" {
				if err := os.WriteFile(tool, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			if name == "hangs" {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			}
			defer cancel()
			f := doctor.SignatureBy(ctx, doctor.Patient{Quote: quote}, tool)
			if f.ID != c.id || f.Severity > doctor.Note || (c.cure == "") != (f.Cure == "") || !strings.Contains(f.Cure, c.cure) {
				t.Errorf("found %+v, want %s and %q", f, c.id, c.cure)
			}
		})
	}
}

// TestSignatureMattersToTheKeychain, and to nobody else.
func TestSignatureMattersToTheKeychain(t *testing.T) {
	for id, wanted := range map[keyring.ID]bool{keyring.Keychain: true, keyring.Sealed: false} {
		report := doctor.Examine(t.Context(), doctor.Patient{
			App: "authring", Config: "default", Offline: true, Keyrings: []keyring.Keyring{keyringtest.NewMemory(id)},
			Command: func(string, string, ...string) string { return "" }, Quote: func(s string) string { return s }, Getenv: func(string) string { return "" },
		})
		has := slices.ContainsFunc(report.Findings, func(f doctor.Finding) bool { return f.Area == "signature" })
		if has != wanted {
			t.Errorf("%s: found something about the signature: %v", id, has)
		}
	}
}
