package doctor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/authring/authring/keyring"
)

// codesign tells of signatures; every macOS has it.
const codesign = "/usr/bin/codesign"

// signature tells how macOS knows this program. It matters where the Keychain
// is among the keyrings, which notes with an item whose it is.
func (e *examination) signature(ctx context.Context) []Finding {
	for _, k := range e.Keyrings {
		if k.ID() == keyring.Keychain {
			return []Finding{e.signatureBy(ctx, codesign)}
		}
	}
	return nil
}

// signatureBy has the tool look at this program.
func (e *examination) signatureBy(ctx context.Context, tool string) Finding {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return unknownSignature("the program's own file cannot be found: " + err.Error())
	}
	cmd := exec.CommandContext(ctx, tool, "--display", "--verbose=2", program)
	cmd.WaitDelay = time.Second
	printed, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return unknownSignature(tool + " did not answer")
	}
	kind, signer := parseSignature(string(printed))
	switch kind {
	case signedByCertificate:
		return Finding{ID: "signature-sound", Title: "This program is signed, so that macOS knows its next build", Detail: signer}
	case signedAdHoc:
		return e.passingSignature("signature-adhoc", "This program is signed for itself only (ad hoc)", program)
	case unsigned:
		return e.passingSignature("signature-none", "This program is not signed", program)
	}
	if err != nil {
		return unknownSignature(tool + ": " + err.Error())
	}
	return unknownSignature("what " + tool + " says is not understood")
}

// passingSignature is about one that does not outlast a build.
func (e *examination) passingSignature(id, title, program string) Finding {
	return Finding{
		ID: id, Severity: Note, Title: title,
		Detail: "to the Keychain each build of it is another program: after an update macOS asks again before it hands out a secret, " +
			"and \"Always Allow\" lasts until the next one. A certificate of your own for signing code mends that: " +
			"Keychain Access makes one (Certificate Assistant), its name takes the place of IDENTITY, " +
			"and \"security find-identity -v -p codesigning\" lists those that are there",
		Cure: "codesign --force --identifier authring --sign IDENTITY " + e.Quote(program),
	}
}

func unknownSignature(why string) Finding {
	return Finding{ID: "signature-unknown", Severity: Note, Title: "How this program is signed is not known", Detail: why,
		Cure: "codesign --display --verbose=2 \"$(command -v authring)\""}
}

// signatureKind is how a program can be signed.
type signatureKind int

const (
	unknownKind signatureKind = iota
	unsigned
	signedAdHoc
	signedByCertificate
)

// parseSignature reads what codesign(1) says of a program, and names who signed
// it.
func parseSignature(printed string) (kind signatureKind, signer string) {
	for line := range strings.Lines(printed) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, "=")
		switch {
		case strings.HasSuffix(line, ": code object is not signed at all"):
			return unsigned, ""
		case name == "Signature" && value == "adhoc":
			return signedAdHoc, ""
		case name == "Signature size":
			kind = signedByCertificate
		case name == "Authority" && signer == "":
			// The first is who signed; those after it vouch for that one.
			signer = value
		}
	}
	if kind != signedByCertificate {
		return unknownKind, ""
	}
	return kind, signer
}
