package servertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/authring/authring/internal/matrix"
)

// Feature is a line of the table.
type Feature string

// The features, in the order of the table.
const (
	Discovery  Feature = "discovery (RFC 8414, OpenID Connect)"
	Link       Feature = "link"
	Tool       Feature = "`authring provider add`, `link`, `token`, `unlink`"
	Denied     Feature = "access denied"
	PKCE       Feature = "PKCE (RFC 7636)"
	Basic      Feature = "client secret in a header (`basic`)"
	Post       Feature = "client secret in the body (`post`)"
	PAR        Feature = "pushed request (PAR, RFC 9126)"
	DPoP       Feature = "tokens bound to a key (DPoP, RFC 9449)"
	Issuer     Feature = "`iss` of the answer (RFC 9207)"
	Account    Feature = "account (userinfo)"
	IDToken    Feature = "ID token (OpenID Connect)"
	Refresh    Feature = "refresh"
	Rotation   Feature = "rotation of the refresh token"
	Reuse      Feature = "use of a rotated refresh token"
	Revocation Feature = "revocation (RFC 7009)"
)

// Features lists them.
var Features = []Feature{Discovery, Link, Tool, Denied, PKCE, PAR, DPoP, Issuer, Basic, Post, Account, IDToken, Refresh, Rotation, Reuse, Revocation}

// Flow is a column of the table: a way to link.
type Flow string

// The flows, in the order of the table.
const (
	Redirect Flow = "redirect"
	Paste    Flow = "paste"
	Device   Flow = "device code"
)

// Flows lists them.
var Flows = []Flow{Redirect, Paste, Device}

// Outcome is what was found.
type Outcome string

// The outcomes.
const (
	Works     Outcome = "works"
	Fails     Outcome = "fails"
	NotThere  Outcome = "not there" // the server does not have it
	NotInFlow Outcome = "–"         // it has no place in this way to link
	Unseen    Outcome = "unseen"    // something else fails before it
)

// Finding is what one run found of a feature.
type Finding struct {
	Server  string  `json:"server"`
	Version string  `json:"version"`
	Flow    Flow    `json:"flow"`
	Feature Feature `json:"feature"`
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why,omitempty"` // what is to be known of it; a reason, if it fails
}

const pattern = "server-*.json"

// Save writes findings to the folder that matrix.Folder names, if it names one.
func Save(findings []Finding) error {
	dir := os.Getenv(matrix.Folder)
	if dir == "" {
		return nil
	}
	data, err := json.Marshal(findings)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// Findings reads what is in a folder. One that is not whole is an error.
func Findings(dir string) ([]Finding, error) {
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var findings []Finding
		if err := json.Unmarshal(data, &findings); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, f := range findings {
			if err := f.check(); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
		all = append(all, findings...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("nothing was found in %s", dir)
	}
	return all, nil
}

func (f Finding) check() error {
	switch {
	case f.Server == "" || f.Version == "":
		return fmt.Errorf("it does not say which server: %+v", f)
	case !slices.Contains(Features, f.Feature) || !slices.Contains(Flows, f.Flow):
		return fmt.Errorf("the table has no place for %+v", f)
	case f.Outcome == Fails && f.Why == "":
		return fmt.Errorf("it does not say why: %+v", f)
	}
	return nil
}
