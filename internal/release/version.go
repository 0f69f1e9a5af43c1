package main

import (
	"fmt"
	"regexp"
	"strings"
)

// version is the version of a release, in the spellings that its places want.
type version struct {
	given string // as `authring version` prints it
	plain string // in the names of files: without a leading v
}

// semantic is a version as in semver.org, version 2.0.0, with Go's leading v or
// without it.
var semantic = regexp.MustCompile(`^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)` +
	`(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

func parseVersion(text string) (version, error) {
	if !semantic.MatchString(text) {
		return version{}, fmt.Errorf("%q is no version; it looks like 1.2.3, or v1.2.3-rc.1", text)
	}
	return version{given: text, plain: strings.TrimPrefix(text, "v")}, nil
}

// debian is the version of the Debian package. In it a tilde sorts before
// everything, as the hyphen of a pre-release does in a semantic version; what
// follows the last hyphen is the revision of the packaging.
func (v version) debian() string {
	core, build, _ := strings.Cut(v.plain, "+")
	if build != "" {
		build = "+" + build
	}
	return strings.Replace(core, "-", "~", 1) + build + "-1"
}
