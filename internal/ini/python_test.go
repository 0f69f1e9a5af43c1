package ini_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/ini"
	"github.com/authring/authring/internal/needs"
)

// judge answers each text of a JSON list with what ConfigParser reads in it,
// as [[section, key, value]], or null where it refuses it.
const judge = `
import configparser, io, json, sys
def read(text):
    p = configparser.ConfigParser(interpolation=None)
    try:
        p.read_file(io.StringIO(text, newline=None))
    except configparser.Error:
        return None
    all = [("DEFAULT", p._defaults)] + list(p._sections.items())
    return [[s, k, v] for s, options in all for k, v in options.items()]
json.dump([read(t) for t in json.load(sys.stdin)], sys.stdout)
`

// TestAgreesWithConfigParser compares the two on files made of the dialect's
// own pieces, put together at random.
func TestAgreesWithConfigParser(t *testing.T) {
	const python = "/usr/bin/python3"
	needs.Programs(t, python)
	pieces := []string{
		"[a]", "[b]", "[DEFAULT]", "[a]]", "[]", "[", "]", "key", "k", "K", "l", "=", ":", " = ", "v", "w x", "#", ";", " # c", "%(k)s",
		"\n", "\n", "\n", "\n", "\r\n", "\r", " ", "  ", "\t", "\u00a0", "\u2003", "\x1c", "\x1f", "\x0b", "\x0c", "\u0085", "\u2028", "é",
	}
	random := rand.New(rand.NewPCG(1, 2))
	var texts []string
	for range 20000 {
		var text strings.Builder
		for range random.IntN(25) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		texts = append(texts, text.String())
		// Half of them begin well, so that not nearly all are refused.
		texts = append(texts, "[a]\nk = v\n"+strings.ReplaceAll(text.String(), "\n", "\nx"+fmt.Sprint(len(texts))+"="))
	}
	question, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", judge)
	cmd.Env = []string{"LANG=C.UTF-8"}
	cmd.Stdin = strings.NewReader(string(question))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers [][][3]string
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	read, refused := 0, 0
	for i, text := range texts {
		f, err := ini.Parse([]byte(text))
		if (err == nil) != (answers[i] != nil) {
			t.Errorf("%q: ConfigParser reads %q, we %v", text, answers[i], err)
			continue
		}
		if err != nil {
			refused++
			continue
		}
		read++
		want := map[[2]string]string{}
		for _, option := range answers[i] {
			want[[2]string{option[0], option[1]}] = option[2]
		}
		if got := values(f); !maps.Equal(got, want) {
			t.Errorf("%q: ConfigParser reads %q, we %q", text, want, got)
		}
	}
	if read < 1000 || refused < 1000 {
		t.Errorf("%d files were read and %d refused: too few of one kind to tell", read, refused)
	}
}
