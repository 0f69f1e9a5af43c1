package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"unicode"

	"golang.org/x/term"

	"github.com/authring/authring/provider"
)

// maxInput bounds what is read as a code, in bytes: a redirect URL with a long
// state fits in many times over.
const maxInput = 64 << 10

// asks reports whether somebody can be asked: questions are shown on standard
// error and answered on standard input.
func (p *program) asks() bool {
	return !p.noInput && p.stderr.terminal && p.stdinTerminal()
}

func (p *program) stdinTerminal() bool { return term.IsTerminal(int(p.stdin.Fd())) }

// confirm asks a question whose answer is no unless the user says yes.
func (p *program) confirm(ctx context.Context, question string) (bool, error) {
	p.ask(question + " [y/N] ")
	line, err := p.readLine(ctx)
	if err != nil {
		p.say("")
		return false, err
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", nil
}

// ask writes a prompt and leaves the cursor behind it.
func (p *program) ask(prompt string) {
	_, _ = io.WriteString(p.stderr, p.stderr.paint(bold, prompt)) // to a terminal
}

// readLine reads a line that is shown while it is typed.
func (p *program) readLine(ctx context.Context) (string, error) {
	var line []byte
	for len(line) < maxInput {
		key, err := p.keys.next(ctx)
		if errors.Is(err, io.EOF) {
			return "", errInterrupted
		}
		if err != nil {
			return "", err
		}
		if key == '\n' {
			break
		}
		line = append(line, key)
	}
	return strings.TrimSuffix(string(line), "\r"), nil // as Windows ends lines
}

// readPiped reads the first line of standard input, which is no terminal. Lines
// that are empty are passed over. An address goes on in the lines that came with
// it, if together they are one.
func (p *program) readPiped(ctx context.Context) (string, error) {
	return p.wait(ctx, func() (string, error) {
		lines := bufio.NewReaderSize(io.LimitReader(p.stdin, maxInput), maxInput)
		for {
			line, err := lines.ReadString('\n')
			if first := strings.TrimSpace(line); first != "" {
				rest, _ := lines.Peek(lines.Buffered())
				if whole := provider.CleanPaste(line + string(rest)); isAddress(first) && !strings.ContainsFunc(whole, unicode.IsSpace) {
					return whole, nil
				}
				return first, nil
			}
			if err == io.EOF {
				return "", nil
			} else if err != nil {
				return "", err
			}
		}
	})
}

func isAddress(text string) bool { return strings.Contains(text, "://") || strings.Contains(text, "?") }

// wait runs read, which cannot be stopped, until ctx ends.
func (p *program) wait(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	results := make(chan result, 1)
	go func() {
		text, err := read()
		results <- result{text, err}
	}()
	select {
	case r := <-results:
		return r.text, r.err
	case <-ctx.Done():
		return "", errInterrupted
	}
}
