package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/term"
)

// output is standard output or standard error. It remembers the first failed
// write, so that a full disk does not pass for success, and may be used by
// several goroutines.
type output struct {
	file     *os.File
	terminal bool
	colour   bool
	ascii    bool // a terminal that cannot be expected to show other letters

	mu  sync.Mutex
	err error
}

func newOutput(file *os.File) *output {
	terminal := term.IsTerminal(int(file.Fd()))
	// https://no-color.org: "when present and not an empty string".
	colour := terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" &&
		runtime.GOOS != "windows" // older consoles print the sequences
	return &output{file: file, terminal: terminal, colour: colour, ascii: terminal && !isUTF8(os.Getenv)}
}

// isUTF8 reports whether the locale has all letters. POSIX has LC_ALL before
// LC_CTYPE before LANG.
func isUTF8(getenv func(string) string) bool {
	if runtime.GOOS == "windows" {
		return true // Go writes to a console in its own letters
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}

// plainLetters are what our own signs become in a locale without them. Names of
// people stay as they are.
var plainLetters = strings.NewReplacer("✓", "+", "✗", "x", "…", "...", "→", "->")

// Write writes to the file.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := b
	if o.ascii {
		text = []byte(plainLetters.Replace(string(b)))
	}
	_, err := o.file.Write(text)
	if err == nil {
		return len(b), nil
	}
	if o.err == nil {
		o.err = err
	}
	return 0, err
}

// colours of marks and names.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint colours text where there is colour.
func (o *output) paint(colour, text string) string {
	if !o.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// printJSON writes v to standard output, as one indented object or list.
func (p *program) printJSON(v any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false) // URLs stay readable
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("could not write to standard output: %w", err)
	}
	return nil
}

// printable makes text of others (a server's names, a daemon's words) fit for
// a terminal: what could move the cursor, colour, reorder or break lines is
// taken out.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
}

// printableLines is printable for a text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// person puts a display name and an address together, as mail programs do.
func person(displayName, email string) string {
	displayName, email = printable(displayName), printable(email)
	switch {
	case displayName == "":
		return email
	case email == "":
		return displayName
	default:
		return displayName + " <" + email + ">"
	}
}
