package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tarGzip packs files that are sorted. All belong to root and have one date.
func tarGzip(list files, date time.Time) ([]byte, error) {
	tarred, err := tarred(list, "", date)
	if err != nil {
		return nil, err
	}
	return gzipped(tarred)
}

// tarred is the tar archive of the files and of the folders above them, each
// path after the prefix. The prefix gets an entry too, if there is one.
func tarred(list files, prefix string, date time.Time) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	header := tar.Header{Format: tar.FormatGNU, ModTime: date, Uname: "root", Gname: "root"}
	folders := list.folders()
	if prefix != "" {
		folders = slices.Insert(folders, 0, "")
	}
	for _, folder := range folders {
		header := header
		header.Typeflag, header.Mode = tar.TypeDir, 0o755
		header.Name = strings.TrimSuffix(prefix+folder, "/") + "/"
		if err := w.WriteHeader(&header); err != nil {
			return nil, fmt.Errorf("could not add a folder: %w", err)
		}
	}
	for _, f := range list {
		header := header
		header.Typeflag, header.Mode = tar.TypeReg, int64(f.mode)
		header.Name, header.Size = prefix+f.path, int64(len(f.content))
		if err := w.WriteHeader(&header); err != nil {
			return nil, fmt.Errorf("could not add a file: %w", err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("could not add a file: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("could not end the archive: %w", err)
	}
	return buffer.Bytes(), nil
}

// zipped packs files that are sorted.
func zipped(list files, date time.Time) ([]byte, error) {
	// The dates of zip begin in 1980.
	if first := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC); date.Before(first) {
		date = first
	}
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	for _, f := range list {
		header := &zip.FileHeader{Name: f.path, Method: zip.Deflate, Modified: date}
		header.SetMode(f.mode)
		entry, err := w.CreateHeader(header)
		if err != nil {
			return nil, fmt.Errorf("could not add a file: %w", err)
		}
		if _, err := entry.Write(f.content); err != nil {
			return nil, fmt.Errorf("could not add a file: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("could not end the archive: %w", err)
	}
	return buffer.Bytes(), nil
}

// checksums is the file that `sha256sum --check` reads.
func checksums(artifacts []artifact) artifact {
	var lines []string
	for _, a := range artifacts {
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(a.content), a.name))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return artifact{"SHA256SUMS", []byte(strings.Join(lines, ""))}
}
