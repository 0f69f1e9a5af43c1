package main_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// member is a file of an archive.
type member struct {
	content []byte
	mode    fs.FileMode
	date    time.Time
}

func checkArchive(t *testing.T, name string, members map[string]member) {
	t.Helper()
	folder := strings.TrimSuffix(strings.TrimSuffix(name, ".zip"), ".tar.gz") + "/"
	program := "authring"
	if strings.HasSuffix(name, ".zip") {
		program += ".exe"
	}
	want := []string{program, "LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt", "docs/systemd/authring.service",
		"completions/authring.bash", "completions/_authring", "completions/authring.fish"}
	pages, err := filepath.Glob("../../man/*.1")
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d manual pages: %v", len(pages), err)
	}
	for _, page := range pages {
		want = append(want, "man/"+filepath.Base(page))
	}
	for _, file := range want {
		m, ok := members[folder+file]
		if !ok || len(m.content) == 0 {
			t.Errorf("%s has no %s", name, file)
		}
		if executable := m.mode&0o111 != 0; executable != (file == program) || m.mode&0o644 != 0o644 {
			t.Errorf("%s: %s has mode %v", name, file, m.mode)
		}
		if !m.date.Equal(time.Unix(epoch, 0)) {
			t.Errorf("%s: %s is of %v", name, file, m.date)
		}
	}
	if strings.Contains(name, "_linux_") {
		checkStatic(t, members[folder+program].content)
	}
}

func checkStatic(t *testing.T, program []byte) {
	t.Helper()
	binary, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is not static: it has %v", p.Type)
		}
	}
}

func untar(t *testing.T, name string) map[string]member {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]member{}
	for r := tar.NewReader(unzipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return members
		} else if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		members[header.Name] = member{content, header.FileInfo().Mode(), header.ModTime}
	}
}

func unzip(t *testing.T, name string) map[string]member {
	t.Helper()
	r, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	members := map[string]member{}
	for _, f := range r.File {
		content, err := fs.ReadFile(r, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		members[f.Name] = member{content, f.Mode(), f.Modified}
	}
	return members
}
