package main

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"os"
	"time"
)

// maintainer has an address because Debian's format asks for one; the project
// has none yet, and the domain says so (RFC 2606).
const maintainer = "the authring authors <authring@authring.invalid>"

const description = `link a program to a cloud account, and get its access tokens
 authring links a program to an account at Dropbox, or at any other OAuth 2.0
 server, once, keeps the refresh token in the system keyring, and hands out
 valid access tokens for ever after. It can share the links of Maestral, and
 import those of rclone.
 .
 Try it without an account: authring demo`

const partsByOthers = `The programs contain parts by others, under terms of their own, which are in
/usr/share/doc/authring/` + noticesName + `.
`

// debianPackage makes the package, as deb(5) describes it. The programs are
// static, so that it depends on nothing; what they look for when it is there
// is recommended.
func (r release) debianPackage(t target, binaries []binary, completions []completion, notices []byte) (artifact, error) {
	contents, err := debianFiles(binaries, completions)
	if err != nil {
		return artifact{}, err
	}
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		return artifact{}, fmt.Errorf("could not read the licence: %w", err)
	}
	changelog, err := file{"usr/share/doc/authring/changelog.Debian", r.debianChangelog(), 0o644}.gzipped()
	if err != nil {
		return artifact{}, err
	}
	contents = append(contents, changelog,
		file{"usr/share/doc/authring/copyright", fmt.Appendf(licence, "\n%s", partsByOthers), 0o644},
		file{"usr/share/doc/authring/" + noticesName, notices, 0o644},
		file{"usr/share/lintian/overrides/authring", debianOverrides(binaries), 0o644}).under("")
	data, err := debianTar(contents, r.date)
	if err != nil {
		return artifact{}, err
	}
	control, err := debianTar(files{
		{"control", r.debianControl(t, contents), 0o644},
		{"md5sums", debianSums(contents), 0o644},
	}, r.date)
	if err != nil {
		return artifact{}, err
	}
	var deb bytes.Buffer
	deb.WriteString("!<arch>\n")
	r.addMember(&deb, "debian-binary", []byte("2.0\n"))
	r.addMember(&deb, "control.tar.gz", control)
	r.addMember(&deb, "data.tar.gz", data)
	return artifact{fmt.Sprintf("authring_%s_%s.deb", r.version.debian(), t.arch), deb.Bytes()}, nil
}

func debianTar(list files, date time.Time) ([]byte, error) {
	content, err := tarred(list, "./", date)
	if err != nil {
		return nil, err
	}
	return gzipped(content)
}

// addMember adds a member of an ar archive; see ar(5).
func (r release) addMember(archive *bytes.Buffer, name string, content []byte) {
	fmt.Fprintf(archive, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, r.date.Unix(), 0, 0, 0o100644, len(content))
	archive.Write(content)
	if len(content)%2 == 1 {
		archive.WriteByte('\n')
	}
}

func (r release) debianControl(t target, contents files) []byte {
	// As dpkg-gencontrol counts: in KiB, and one for each folder.
	size := len(contents.folders()) + 1
	for _, f := range contents {
		size += (len(f.content) + 1023) / 1024
	}
	return fmt.Appendf(nil, `Package: authring
Version: %s
Architecture: %s
Maintainer: %s
Installed-Size: %d
Recommends: ca-certificates
Suggests: gnome-keyring | keepassxc | kwalletmanager
Section: utils
Priority: optional
Description: %s
`, r.version.debian(), t.arch, maintainer, size, description)
}

func debianSums(contents files) []byte {
	var sums []byte
	for _, f := range contents {
		sums = fmt.Appendf(sums, "%x  %s\n", md5.Sum(f.content), f.path)
	}
	return sums
}

func (r release) debianChangelog() []byte {
	return fmt.Appendf(nil, "authring (%s) unstable; urgency=medium\n\n  * Version %s.\n\n -- %s  %s\n",
		r.version.debian(), r.version.given, maintainer, r.date.Format(time.RFC1123Z))
}

// debianOverrides names what lintian finds, and what is meant so.
func debianOverrides(binaries []binary) []byte {
	text := []byte("# Not made for Debian's own archive.\nauthring: initial-upload-closes-no-bugs [usr/share/doc/authring/changelog.Debian.gz:1]\n")
	for _, b := range binaries {
		text = fmt.Appendf(text, "# One binary for every system; Go's runtime needs no C library.\nauthring: statically-linked-binary [usr/bin/%s]\n", b.name)
	}
	return text
}
