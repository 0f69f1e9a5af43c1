package rawconfig_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring/plaintext/internal/rawconfig"
)

// samples are files as programs and people leave them.
var samples = []string{
	"",
	"\n\n",
	"[Maestral]\nconfig_3amaestral = \n\tcmVmcmVzaA==\n\t\n\n",
	"[a]\nk = v\n[b]\n\n[c]\nk: w\n",
	"# comment\n[a]\n; another\nk = one\n  two\n  # inside\n\n  three\nl = x\n",
	"[DEFAULT]\nd = 1\n[a]\n[DEFAULT]\ne = 2\n",
	"[DEFAULT]\n[a]\nk=\n",
	"  [a]\n  k = 1\n  l = 2\n    more\n\tm\n",
	"[a]\r\nK = V\r\n\tw\r\n",
	"[a]\rk = v\r",
	"[a]b]c\nk = v\n",
	"[a]\n[x = 1\ny\x1c = \x1cz\x1c\n",
	"[a]\nk = v\u00a0\n\u2003w\n",
	"[a]\nk = v\n\n\n\n[b]\nk = \n",
	"[a]\nkey with spaces = a = b : c\n",
	// Refused:
	"k = v\n",
	"[a]\nk\n",
	"[a]\n= v\n",
	"[a]\nk = 1\nK = 2\n",
	"[a]\n[b]\n[a]\n",
	"[]\nk = 1\n",
	"[a\nk = 1\n",
	"\ufeff[a]\nk = 1\n",
	"[a]\nk = \xff\n",
	"[DEFAULT]\nk = 1\n[DEFAULT]\nk = 2\n",
}

// python rewrites a file as keyrings.alt does: read all, write all.
const python = `
import configparser, io, sys
config = configparser.RawConfigParser()
try:
    config.read_file(io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8'))
except (configparser.Error, UnicodeDecodeError) as e:
    sys.exit(3)
config.write(sys.stdout)
`

func TestAgainstPython(t *testing.T) {
	needs.Programs(t, "/usr/bin/python3")
	for _, sample := range samples {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		cmd := exec.CommandContext(ctx, "/usr/bin/python3", "-X", "utf8", "-c", python)
		cmd.Stdin = bytes.NewReader([]byte(sample))
		want, pyErr := cmd.Output()
		cancel()
		file, err := rawconfig.Parse([]byte(sample))
		var exit *exec.ExitError
		switch {
		case errors.As(pyErr, &exit) && exit.ExitCode() == 3:
			if err == nil {
				t.Errorf("%q: taken, Python refuses it", sample)
			}
		case pyErr != nil:
			t.Fatal(pyErr)
		case err != nil:
			t.Errorf("%q: refused (%v), Python takes it", sample, err)
		case !bytes.Equal(file.Bytes(), want):
			t.Errorf("%q:\nwritten %q\nPython  %q", sample, file.Bytes(), want)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for sample, want := range map[string]int{
		"[a]\nk = 1\n\nnonsense\n": 4,
		"k = v":                    1,
		"[a]\r\n[b]\r\n[a]\r\n":    3,
	} {
		var parseErr *rawconfig.Error
		if _, err := rawconfig.Parse([]byte(sample)); !errors.As(err, &parseErr) || parseErr.Line != want {
			t.Errorf("%q: %v, want line %d", sample, err, want)
		}
	}
}

func TestEdit(t *testing.T) {
	file, err := rawconfig.Parse([]byte("[a]\nk = 1\nl = 2\n\n[b]\nk = 3\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	file.Set("a", "K", "new\nlines")
	file.Set("c", "k", "4")
	if !file.Remove("b", "K") || file.Remove("b", "k") || file.Remove("never", "k") {
		t.Error("Remove does not tell what it did")
	}
	file.RemoveIfEmpty("a")
	if got, want := string(file.Bytes()), "[a]\nk = new\n\tlines\nl = 2\n\n[b]\n\n[c]\nk = 4\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	file.RemoveIfEmpty("b")
	if got, want := string(file.Bytes()), "[a]\nk = new\n\tlines\nl = 2\n\n[c]\nk = 4\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if value, ok := file.Get("a", "L"); !ok || value != "2" {
		t.Errorf("Get = %q, %v", value, ok)
	}
	if _, ok := file.Get("b", "k"); ok {
		t.Error("Get finds what was removed")
	}
}

func FuzzParse(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := rawconfig.Parse(data)
		if err != nil {
			return
		}
		written := file.Bytes()
		again, err := rawconfig.Parse(written)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%q", err, written)
		}
		if !bytes.Equal(again.Bytes(), written) {
			t.Errorf("written %q, then %q", written, again.Bytes())
		}
	})
}
