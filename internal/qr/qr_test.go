package qr_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/authring/authring/internal/qr"
)

func TestDraw(t *testing.T) {
	code, err := qr.Encode("https://as.example/activate?user_code=WDJB-MJHT")
	if err != nil {
		t.Fatal(err)
	}
	plain := code.Draw(false)
	lines := strings.Split(strings.TrimSuffix(plain, "\n"), "\n")
	if len(lines) != code.Lines() || len(lines) > 22 {
		t.Errorf("%d lines, and Lines is %d", len(lines), code.Lines())
	}
	for i, line := range lines {
		if n := utf8.RuneCountInString(line); n != code.Columns() {
			t.Errorf("line %d has %d characters, want %d", i, n, code.Columns())
		}
		// The margin is light.
		if !strings.HasPrefix(line, strings.Repeat("█", 4)) {
			t.Errorf("line %d begins with %q", i, line[:8])
		}
	}
	for _, line := range lines[:2] {
		if strings.Trim(line, "█") != "" {
			t.Errorf("the margin above is %q", line)
		}
	}
	// The finder pattern: a black ring of 7 modules.
	if got := string([]rune(lines[2])[4:11]); got != " ▄▄▄▄▄ " {
		t.Errorf("the first finder pattern begins with %q", got)
	}
	coloured := code.Draw(true)
	stripped := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(coloured, "")
	if stripped != plain || strings.Count(coloured, "\x1b[0m\n") != len(lines) {
		t.Error("in colour it is another code, or the colour runs on")
	}
	// White letters on white and black alone, and no black line below.
	for _, style := range regexp.MustCompile(`\x1b\[(38[0-9;]*)m`).FindAllStringSubmatch(coloured, -1) {
		if style[1] != "38;5;231;48;5;16" && style[1] != "38;5;231;48;5;231" {
			t.Errorf("the colours %s are in it", style[1])
		}
	}
	if end := coloured[strings.LastIndex(strings.TrimSuffix(coloured, "\n"), "\n"):]; strings.Contains(end, "48;5;16m") {
		t.Errorf("the last line is %q", end)
	}
}

func TestNarrow(t *testing.T) {
	code, err := qr.Encode("https://as.example/activate?user_code=WDJB-MJHT")
	if err != nil {
		t.Fatal(err)
	}
	narrow := code.Narrow()
	lines := strings.Split(narrow.Draw(false), "\n")
	if narrow.Columns() != code.Columns()-4 || narrow.Lines() != code.Lines()-2 || len(lines) != narrow.Lines()+1 {
		t.Errorf("%d columns, %d lines", narrow.Columns(), narrow.Lines())
	}
	if strings.Trim(lines[0], "█") != "" || string([]rune(lines[1])[2:9]) != " ▄▄▄▄▄ " {
		t.Errorf("it begins with %q", lines[:2])
	}
}

func TestTooLong(t *testing.T) {
	if _, err := qr.Encode(strings.Repeat("x", 4000)); err == nil {
		t.Error("a code of 4000 characters")
	}
}
