package cli

import (
	"fmt"
	"runtime"

	"golang.org/x/term"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/qr"
)

// showQR draws the address of a page for the camera of a phone, where there is
// room for it beside a number of lines of other text.
func (p *program) showQR(address string, others int) {
	if code, ok := p.codeFor(address); ok && p.hasRoom(code, others) {
		p.drawQR(code)
	}
}

func (p *program) drawQR(code qr.Code) { fmt.Fprintf(p.stderr, "%s\n", code.Draw(p.stderr.colour)) }

// codeFor makes the code of an address, on a terminal that can show it.
func (p *program) codeFor(address string) (qr.Code, bool) {
	if !p.stderr.terminal || p.json || !p.drawsBlocks() {
		return qr.Code{}, false
	}
	code, err := qr.Encode(address)
	return code, err == nil // too long for any, and the address is there as text
}

// hasRoom reports whether a code can be seen together with other text.
func (p *program) hasRoom(code qr.Code, others int) bool {
	columns, lines, err := term.GetSize(int(p.stderr.file.Fd()))
	return err == nil && code.Columns() <= columns && code.Lines()+others <= lines
}

// showDevice shows what to do on another device. On a terminal of few lines the
// text moves together, to leave room for the QR code.
func (l *linking) showDevice(device authring.DeviceCode) {
	page := device.VerificationURIComplete
	if page == "" {
		page = device.VerificationURI
	}
	address, text := printable(device.VerificationURI), l.stderr.paint(bold, printable(device.UserCode))
	code, ok := l.codeFor(page)
	if ok && !l.hasRoom(code, 11) && l.hasRoom(code.Narrow(), 5) {
		l.say("On any device, open %s", address)
		l.say("and type this code there, or compare it: %s", text)
		l.drawQR(code.Narrow())
	} else {
		l.say("On any device, open this page:\n\n  %s\n", address)
		l.say("and type this code there, or compare it:\n\n  %s\n", text)
		if ok && l.hasRoom(code, 11) {
			l.drawQR(code)
		}
	}
	l.say("Waiting until %s for access to be approved.", device.Expires.Local().Format("15:04"))
}

// drawsBlocks reports whether block characters can be expected to come out.
func (p *program) drawsBlocks() bool {
	if runtime.GOOS == "windows" {
		return p.getenv("WT_SESSION") != "" // Windows Terminal
	}
	return p.getenv("TERM") != "dumb" && isUTF8(p.getenv)
}
