package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// Keys as a terminal in raw mode sends them.
const (
	keyInterrupt = 0x03 // Ctrl-C
	keyEnd       = 0x04 // Ctrl-D
	keyBackspace = 0x08
	keyKill      = 0x15 // Ctrl-U
	keyWord      = 0x17 // Ctrl-W
	keySuspend   = 0x1a // Ctrl-Z
	keyEscape    = 0x1b
	keyQuit      = 0x1c // Ctrl-\
	keyDelete    = 0x7f
)

// hiddenLine is a question whose answer is not shown while it is typed.
type hiddenLine struct {
	*program
	prompt string
	// pasted: line breaks in the middle of what is pasted belong to it.
	pasted bool

	jobs   *jobControl
	cooked *term.State // of the terminal, as it was found
	line   []byte
	inside bool // a paste that the terminal marks
}

// readHidden asks for a line that is not shown while it is typed. The terminal
// is as it was when this returns, whatever ended it.
func (p *program) readHidden(ctx context.Context, prompt string) (string, error) {
	return (&hiddenLine{program: p, prompt: prompt}).run(ctx)
}

// readPaste is readHidden for a text that may have been copied with line breaks
// in it, as a long address is from a page or a mail.
func (p *program) readPaste(ctx context.Context, prompt string) (string, error) {
	return (&hiddenLine{program: p, prompt: prompt, pasted: true}).run(ctx)
}

func (h *hiddenLine) run(ctx context.Context) (string, error) {
	h.jobs = watchJobs()
	defer h.jobs.stop()
	// Raw mode is entered before the prompt is seen, so that not even a quick
	// paste is shown, and left here, not in the goroutine that reads, so that
	// nothing can switch the echo off after it was switched on again.
	if err := h.hide(); err != nil {
		return "", err
	}
	text, err := h.read(ctx)
	if restoreErr := h.show(); err == nil {
		err = restoreErr
	}
	if err != nil || text == "" {
		h.say("")
		return "", err
	}
	// Always the same length: the line tells that it was read, no more.
	h.say("****************")
	return text, nil
}

// hide switches the echo off and shows the prompt.
func (h *hiddenLine) hide() error {
	cooked, err := term.MakeRaw(int(h.stdin.Fd()))
	if err != nil {
		return fmt.Errorf("could not hide what is typed: %w", err)
	}
	if h.cooked == nil {
		h.cooked = cooked
	}
	h.ask(h.prompt)
	return nil
}

func (h *hiddenLine) show() error { return term.Restore(int(h.stdin.Fd()), h.cooked) }

// again gives the terminal to whoever started this program for as long as away
// takes, and shows the prompt anew.
func (h *hiddenLine) again(away func()) error {
	if err := h.show(); err != nil {
		return err
	}
	h.say("")
	away()
	if err := h.hide(); err != nil {
		return err
	}
	h.jobs.forget() // it may have been stopped once more, in the background
	return nil
}

// read reads key by key.
func (h *hiddenLine) read(ctx context.Context) (string, error) {
	for {
		select {
		case read := <-h.keys.read():
			h.keys.reading = nil
			if errors.Is(read.err, io.EOF) {
				return "", errInterrupted // the terminal is gone
			} else if read.err != nil {
				return "", read.err
			}
			if done, err := h.take(ctx, read.value); done || err != nil {
				return string(h.line), err
			}
		case <-h.jobs.continued:
			// A shell may have changed the terminal, and has written below
			// the prompt.
			if err := h.again(func() {}); err != nil {
				return "", err
			}
		case <-ctx.Done():
			return "", errInterrupted
		}
	}
}

// take acts on one key, and reports whether the line is done.
func (h *hiddenLine) take(ctx context.Context, key byte) (done bool, err error) {
	switch key {
	case '\r', '\n':
		if !h.pasted || !h.inside && !h.keys.follows(ctx) {
			return true, nil
		}
		h.add(key)
	case keyInterrupt, keyQuit:
		return false, errInterrupted
	case keyEnd:
		if len(h.line) == 0 {
			return false, errInterrupted
		}
		return true, nil
	case keySuspend:
		return false, h.again(func() { h.jobs.suspend(ctx) })
	case keyBackspace, keyDelete:
		_, size := utf8.DecodeLastRune(h.line)
		h.line = h.line[:len(h.line)-size]
	case keyWord:
		h.line = bytes.TrimRight(h.line, " ")
		h.line = h.line[:bytes.LastIndexByte(h.line, ' ')+1]
	case keyKill:
		h.line = h.line[:0]
	case keyEscape:
		return false, h.escape(ctx)
	default:
		if key >= ' ' || key == '\t' { // no other key of control means anything here
			h.add(key)
		}
	}
	return false, nil
}

func (h *hiddenLine) add(key byte) {
	if len(h.line) < maxInput {
		h.line = append(h.line, key)
	}
}

// escape reads the rest of a key that sends several bytes (ECMA-48 section 5.4),
// such as an arrow. None of them does anything, but for the marks that a terminal
// puts around a paste.
func (h *hiddenLine) escape(ctx context.Context) error {
	if !h.keys.follows(ctx) {
		return nil // the key of that name
	}
	key, err := h.keys.next(ctx)
	if err != nil || key != '[' && key != 'O' {
		return err
	}
	var parameters strings.Builder
	for parameters.Len() < 16 && h.keys.follows(ctx) {
		if key, err = h.keys.next(ctx); err != nil {
			return err
		}
		if key >= '@' && key <= '~' { // the final byte
			break
		}
		parameters.WriteByte(key)
	}
	if key == '~' && (parameters.String() == "200" || parameters.String() == "201") {
		h.inside = parameters.String() == "200"
	}
	return nil
}
