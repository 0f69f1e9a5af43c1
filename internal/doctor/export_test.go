package doctor

import "context"

var ShownProxy = shownProxy

// ParseSignature names the kind that parseSignature finds.
func ParseSignature(printed string) (kind, signer string) {
	k, signer := parseSignature(printed)
	return [...]string{"unknown", "none", "ad hoc", "certificate"}[k], signer
}

// SignatureBy is what is found with another tool in the place of codesign.
func SignatureBy(ctx context.Context, p Patient, tool string) Finding {
	return (&examination{Patient: p}).signatureBy(ctx, tool)
}
