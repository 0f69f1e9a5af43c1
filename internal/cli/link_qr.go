package cli

import (
	"fmt"
	"runtime"

	"golang.org/x/term"

	"github.com/authring/authring/internal/qr"
)

// showQR draws the address of a page for the camera of a phone, where there is
// room for it: on a terminal that is large enough with the given number of
// lines of other text, and that shows such characters.
func (p *program) showQR(address string, others int) {
	if !p.stderr.terminal || p.json || !p.drawsBlocks() {
		return
	}
	code, err := qr.Encode(address)
	if err != nil {
		return // too long for any code, and the address is there as text
	}
	columns, lines, err := term.GetSize(int(p.stderr.file.Fd()))
	if err != nil || code.Columns() > columns || code.Lines()+others > lines {
		return
	}
	fmt.Fprintf(p.stderr, "%s\n", code.Draw(p.stderr.colour))
}

// drawsBlocks reports whether block characters can be expected to come out.
func (p *program) drawsBlocks() bool {
	if runtime.GOOS == "windows" {
		return p.getenv("WT_SESSION") != "" // Windows Terminal
	}
	return p.getenv("TERM") != "dumb" && isUTF8(p.getenv)
}
