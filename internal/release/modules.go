package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// noticesName is the file with the licences of what is compiled in. Each of
// them asks for its text wherever the binary goes.
const noticesName = "THIRD-PARTY-LICENSES.txt"

// module is one that is compiled into a binary, or Go's standard library.
type module struct {
	path, version string
	sum           string // as in go.sum; none for the standard library
	licences      []file
}

const standardLibrary = "stdlib"

// modulesIn returns the modules in any of the binaries, by their paths, after
// the standard library.
func modulesIn(ctx context.Context, binaries []binary) ([]module, error) {
	root, err := output(exec.CommandContext(ctx, "go", "env", "GOROOT"))
	if err != nil {
		return nil, err
	}
	goVersion := binaries[0].info.GoVersion
	licences, err := licencesIn(root)
	if err != nil {
		return nil, err
	}
	modules := []module{{standardLibrary, strings.TrimPrefix(goVersion, "go"), "", licences}}

	used := map[string]*debug.Module{}
	for _, b := range binaries {
		for _, m := range b.info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			used[m.Path] = m
		}
	}
	folders, err := foldersOf(ctx, used)
	if err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(used) {
		m := used[name]
		licences, err := licencesIn(folders[name])
		if err != nil {
			return nil, fmt.Errorf("could not find the licence of %s: %w", name, err)
		}
		modules = append(modules, module{m.Path, m.Version, m.Sum, licences})
	}
	return modules, nil
}

func sortedKeys(used map[string]*debug.Module) []string {
	var keys []string
	for key := range used {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// foldersOf finds the sources of modules in the module cache.
func foldersOf(ctx context.Context, used map[string]*debug.Module) (map[string]string, error) {
	args := []string{"list", "-m", "-mod=readonly", "-json=Path,Dir"}
	cmd, err := goCommand(ctx, append(args, sortedKeys(used)...)...)
	if err != nil {
		return nil, err
	}
	out, err := output(cmd)
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var m struct{ Path, Dir string }
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return folders, nil
		} else if err != nil {
			return nil, fmt.Errorf("could not read the list of modules: %w", err)
		}
		folders[m.Path] = m.Dir
	}
}

// licencesIn returns the files of a folder that tell its terms.
func licencesIn(folder string) ([]file, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("could not look for a licence: %w", err)
	}
	var found []file
	for _, entry := range entries {
		for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*", "PATENTS*"} {
			if ok, _ := path.Match(pattern, entry.Name()); !ok { // the patterns are good
				continue
			}
			content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			if err != nil {
				return nil, fmt.Errorf("could not read a licence: %w", err)
			}
			found = append(found, file{path: entry.Name(), content: content})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no file LICENSE", folder)
	}
	return found, nil
}

// noticesOf is the text with all licences.
func noticesOf(modules []module) []byte {
	var text bytes.Buffer
	text.WriteString("The programs of authring contain these parts by others, under these terms.\n")
	for _, m := range modules {
		name := m.path
		if name == standardLibrary {
			name = "Go's standard library and runtime,"
		}
		for _, licence := range m.licences {
			fmt.Fprintf(&text, "\n%s\n%s %s: %s\n\n", strings.Repeat("-", 78), name, m.version, licence.path)
			text.Write(bytes.TrimRight(licence.content, "\n"))
			text.WriteString("\n")
		}
	}
	return text.Bytes()
}
