// Package qr draws QR codes (ISO/IEC 18004) with the characters of a terminal.
package qr

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the margin around a code, in modules: "The quiet zone is a region
// 4X wide" (ISO/IEC 18004 section 6.3.8). Without it cameras find nothing; half
// of it is enough for those of phones.
const (
	quiet  = 4
	narrow = 2
)

// Code is a QR code that can be drawn.
type Code struct {
	code   *qr.Code
	margin int // in modules
	side   int // in modules, with the margin
}

// Encode makes the smallest code of a text. It fails for a text that is too
// long for any.
func Encode(text string) (Code, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return Code{}, fmt.Errorf("could not make a QR code: %w", err)
	}
	return Code{code: code, margin: quiet, side: code.Size + 2*quiet}, nil
}

// Narrow is the same code with half of the margin, where there is no room for
// all of it.
func (c Code) Narrow() Code {
	return Code{code: c.code, margin: narrow, side: c.code.Size + 2*narrow}
}

// Columns and Lines say how large the code is in a terminal.
func (c Code) Columns() int { return c.side }

// Lines is the number of lines: two rows of modules go in each.
func (c Code) Lines() int { return (c.side + 1) / 2 }

// Colours, of the fixed part of the palette: themes change the others. What is
// light all over has a light ground too, since many terminals leave hairlines
// between letters.
const (
	mixed = "\x1b[38;5;231;48;5;16m"
	light = "\x1b[38;5;231;48;5;231m"
	reset = "\x1b[0m"
)

// Draw writes the code, line by line, two rows of modules in each, the last of
// which may be one more of the margin. In colour it
// is black on white whatever the colours of the terminal are; without, a light
// module is where the terminal writes, as is right for light letters on a dark
// ground, and what most cameras read on the other kind too.
func (c Code) Draw(colour bool) string {
	var text strings.Builder
	for y := 0; y < c.side; y += 2 {
		last := ""
		for x := range c.side {
			upper, lower := c.light(x, y), c.light(x, y+1)
			letter, style := " ", mixed
			switch {
			case upper && lower:
				letter, style = "█", light
			case upper:
				letter = "▀"
			case lower:
				letter = "▄"
			}
			if colour && style != last {
				text.WriteString(style)
				last = style
			}
			text.WriteString(letter)
		}
		if colour {
			text.WriteString(reset)
		}
		text.WriteString("\n")
	}
	return text.String()
}

func (c Code) light(x, y int) bool { return !c.code.Black(x-c.margin, y-c.margin) }
