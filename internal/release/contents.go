package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// file is a file of an archive or a package.
type file struct {
	path    string // with slashes, relative
	content []byte
	mode    fs.FileMode
}

// files are what an archive or a package holds.
type files []file

// documents are the files and folders of the project that go along, with the
// folder that each gets in the archives and in the Debian package. To release
// another folder, add a line. Where debian is empty, the Debian package has the
// contents in a form of its own; what is onlyDebian is in the archives elsewhere.
var documents = []struct{ from, archive, debian string }{
	{"LICENSE", "", ""},
	{"README.md", "", "usr/share/doc/authring"},
	{"docs", "docs", "usr/share/doc/authring/docs"}, // and in it examples of units
	{"man", "man", "usr/share/man/man1"},
	{"docs/systemd/user", onlyDebian, "usr/lib/systemd/user"}, // not enabled
}

const onlyDebian = "-"

// archiveFiles are the contents of an archive.
func archiveFiles(binaries []binary, completions []completion, notices []byte) (files, error) {
	var all files
	for _, b := range binaries {
		all = append(all, file{b.name, b.content, 0o755})
	}
	for _, d := range documents {
		if d.archive == onlyDebian {
			continue
		}
		found, err := read(d.from)
		if err != nil {
			return nil, err
		}
		all = append(all, found.under(d.archive)...)
	}
	for _, c := range completions {
		name := map[string]string{"bash": "authring.bash", "zsh": "_authring", "fish": "authring.fish"}[c.shell]
		all = append(all, file{"completions/" + name, c.script, 0o644})
	}
	return append(all, file{noticesName, notices, 0o644}), nil
}

// debianFiles are the contents of the Debian package, but for those that it has
// because it is one.
func debianFiles(binaries []binary, completions []completion) (files, error) {
	var all files
	for _, b := range binaries {
		all = append(all, file{"usr/bin/" + b.name, b.content, 0o755})
	}
	for _, d := range documents {
		if d.debian == "" {
			continue
		}
		found, err := read(d.from)
		if err != nil {
			return nil, err
		}
		for _, f := range found.under(d.debian) {
			if strings.HasPrefix(f.path, "usr/share/man/") {
				if f, err = f.gzipped(); err != nil {
					return nil, err
				}
			}
			all = append(all, f)
		}
	}
	for _, c := range completions {
		place := map[string]string{
			"bash": "usr/share/bash-completion/completions/authring",
			"zsh":  "usr/share/zsh/vendor-completions/_authring",
			"fish": "usr/share/fish/vendor_completions.d/authring.fish",
		}[c.shell]
		all = append(all, file{place, c.script, 0o644})
	}
	return all, nil
}

// read returns a file, or all files below a folder, by paths relative to it.
// Who may read them here does not count.
func read(from string) (files, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, fmt.Errorf("could not read what goes into the release: %w", err)
	}
	root, start := os.DirFS(from), "."
	if !info.IsDir() {
		root, start = os.DirFS(path.Dir(from)), path.Base(from)
	}
	var found files
	err = fs.WalkDir(root, start, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		found = append(found, file{name, content, 0o644})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("could not read what goes into the release: %w", err)
	}
	return found, nil
}

// under returns the files moved into a folder, in the order of their paths.
func (list files) under(folder string) files {
	moved := slices.Clone(list)
	for i := range moved {
		moved[i].path = path.Join(folder, moved[i].path)
	}
	slices.SortFunc(moved, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return moved
}

// folders are all folders above the files, in their order, without the root.
func (list files) folders() []string {
	var folders []string
	for _, f := range list {
		for folder := path.Dir(f.path); folder != "."; folder = path.Dir(folder) {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

func (f file) gzipped() (file, error) {
	content, err := gzipped(f.content)
	return file{f.path + ".gz", content, f.mode}, err
}

// gzipped compresses as gzip -9n does: no name, no time.
func gzipped(content []byte) ([]byte, error) {
	var buffer bytes.Buffer
	w, err := gzip.NewWriterLevel(&buffer, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("could not compress: %w", err)
	}
	if _, err := w.Write(content); err != nil {
		return nil, fmt.Errorf("could not compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("could not compress: %w", err)
	}
	return buffer.Bytes(), nil
}
