package servertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/authring/authring/internal/chromium"
)

// page is what a person does on a page of a server.
type page struct {
	at    string            // how the page is known
	fill  map[string]string // what goes into which field
	click string

	device bool // it is on the way of a device code only
	last   bool // what comes after it is nothing to work on
}

// userCode stands for the code of a device in what a person fills in.
const userCode = "{user code}"

// person is somebody at a browser.
type person struct {
	*chromium.Page
}

func newPerson(t *testing.T) *person { return &person{chromium.Start(t)} }

// visit opens an address and works through the server's pages, as far as the
// person knows what to do. It returns the addresses that the browser asked for.
func (p *person) visit(address string, pages []page, code string) []string {
	p.T.Helper()
	from := len(p.Asked)
	p.Open(address)
	for range 8 {
		next := p.known(pages)
		if next == nil {
			break
		}
		for field, text := range next.fill {
			p.set(field, strings.ReplaceAll(text, userCode, code))
		}
		p.Loaded(func() { p.Click(next.click) })
		if next.last {
			break
		}
	}
	return p.Asked[from:]
}

func (p *person) known(pages []page) *page {
	p.T.Helper()
	for _, next := range pages {
		var here bool
		p.Eval(fmt.Sprintf("document.querySelector(%q) !== null", next.at), &here)
		if here {
			return &next
		}
	}
	return nil
}

func (p *person) set(field, text string) {
	p.T.Helper()
	var value string
	p.Eval(fmt.Sprintf("document.querySelector(%q).value = %q", field, text), &value)
}

// answer is the address of the last redirect to one that begins so.
func answer(t *testing.T, asked []string, redirect string) string {
	t.Helper()
	for i := len(asked) - 1; i >= 0; i-- {
		if strings.HasPrefix(asked[i], redirect+"?") {
			return asked[i]
		}
	}
	t.Fatalf("the browser was never sent to %s, but to %q", redirect, asked)
	return ""
}
