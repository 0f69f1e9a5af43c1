// Command release builds what a release consists of: for each target an archive
// with the binaries and a bill of materials, Debian packages, and the checksums
// of all of it. Whoever builds the same sources with the same Go gets the same
// bytes. See docs/releasing.md.
//
// It is run by ./release, in the root of the project.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const usage = `usage: ./release VERSION [FOLDER [TARGET...]]

Builds the release of that version (1.2.3 or v1.2.3) into a folder that is new
or empty; into dist when none is named. Targets are such as linux/amd64; all of
them are built when none is named.

Files are dated by SOURCE_DATE_EPOCH; without it by the last commit, and then
nothing may be uncommitted.`

// release is one release, as far as its files have to know.
type release struct {
	version version
	date    time.Time
}

// artifact is one file of a release.
type artifact struct {
	name    string
	content []byte
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if slices.Contains(os.Args[1:], "-h") || slices.Contains(os.Args[1:], "--help") {
		fmt.Println(usage)
		return
	}
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	version, err := parseVersion(args[0])
	if err != nil {
		return err
	}
	folder := "dist"
	if len(args) > 1 {
		folder = args[1]
		if strings.HasPrefix(folder, "-") {
			return fmt.Errorf("there is no flag %s\n%s", folder, usage)
		}
		if _, err := parseTargets([]string{folder}); err == nil {
			return fmt.Errorf("%s stands where the folder is named; write: ./release %s dist %s", folder, args[0], strings.Join(args[1:], " "))
		}
	}
	targets := allTargets
	if len(args) > 2 {
		if targets, err = parseTargets(args[2:]); err != nil {
			return err
		}
	}
	if err := checkEmpty(folder); err != nil {
		return err
	}
	date, err := sourceDate(ctx)
	if err != nil {
		return err
	}
	if err := checkWritable(folder); err != nil {
		return err
	}
	r := release{version: version, date: date}
	artifacts, err := r.make(ctx, targets)
	if err != nil {
		return err
	}
	return write(folder, append(artifacts, checksums(artifacts)))
}

// make builds all files but that of the checksums.
func (r release) make(ctx context.Context, targets []target) ([]artifact, error) {
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, fmt.Errorf("could not make a folder to build in: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	completions, err := makeCompletions(ctx, work, r.version)
	if err != nil {
		return nil, err
	}
	var artifacts []artifact
	for _, t := range targets {
		fmt.Fprintf(os.Stderr, "release: building %s for %s\n", r.version.given, t)
		made, err := r.makeTarget(ctx, filepath.Join(work, t.os+"-"+t.arch), t, completions)
		if err != nil {
			return nil, fmt.Errorf("could not make the release for %s: %w", t, err)
		}
		artifacts = append(artifacts, made...)
	}
	return artifacts, nil
}

func (r release) makeTarget(ctx context.Context, work string, t target, completions []completion) ([]artifact, error) {
	binaries, err := buildAll(ctx, work, t, r.version)
	if err != nil {
		return nil, err
	}
	modules, err := modulesIn(ctx, binaries)
	if err != nil {
		return nil, err
	}
	notices := noticesOf(modules)
	name := fmt.Sprintf("authring_%s_%s_%s", r.version.plain, t.os, t.arch)

	files, err := archiveFiles(binaries, completions, notices)
	if err != nil {
		return nil, err
	}
	pack, ending := tarGzip, ".tar.gz"
	if t.os == "windows" {
		pack, ending = zipped, ".zip"
	}
	archive, err := pack(files.under(name), r.date)
	if err != nil {
		return nil, fmt.Errorf("could not pack the archive: %w", err)
	}
	bill, err := r.billOfMaterials(name, binaries, modules)
	if err != nil {
		return nil, err
	}
	artifacts := []artifact{{name + ending, archive}, {name + ".spdx.json", bill}}
	if t.os == "linux" {
		deb, err := r.debianPackage(t, binaries, completions, notices)
		if err != nil {
			return nil, fmt.Errorf("could not make the Debian package: %w", err)
		}
		artifacts = append(artifacts, deb)
	}
	return artifacts, nil
}

// checkEmpty keeps a release from being mixed with what an earlier one left.
func checkEmpty(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("could not look into the folder for the release: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty; remove it, or name another folder", folder)
	}
	return nil
}

// checkWritable makes the folder, and finds out now, and not after minutes,
// whether files can be written there.
func checkWritable(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("could not make the folder for the release: %w", err)
	}
	try, err := os.CreateTemp(folder, "release-")
	if err != nil {
		return fmt.Errorf("could not write to the folder for the release: %w", err)
	}
	_ = try.Close()
	if err := os.Remove(try.Name()); err != nil {
		return fmt.Errorf("could not delete in the folder for the release: %w", err)
	}
	return nil
}

// write writes the files, that of the checksums last.
func write(folder string, artifacts []artifact) error {
	for _, a := range artifacts {
		if err := os.WriteFile(filepath.Join(folder, a.name), a.content, 0o644); err != nil {
			return fmt.Errorf("could not write the release: %w", err)
		}
		fmt.Println(filepath.Join(folder, a.name))
	}
	return nil
}
