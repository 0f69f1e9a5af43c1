package callback

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"sync"
)

// Outcome is what became of the answer, as the page at the end tells it.
type Outcome int

const (
	// Going: it is not known yet.
	Going Outcome = iota
	// Linked: all is done.
	Linked
	// Denied: the user, or the server, gave no access.
	Denied
	// Failed: there was a code, and it led to no link.
	Failed
	// Over: the program ended, or another way was faster.
	Over
)

//go:embed page/page.html
var pageSource string

//go:embed page/style.css
var pageStyle string

// message is one page.
type message struct {
	Mark          string // wait, good, bad or none
	Heading, Text string
}

// Pages for requests that are no answer. What they say helps nobody to guess.
var (
	notHere   = message{"none", "There is nothing here", "This address is only for the end of a link that is being made. You can close this page."}
	stranger  = message{"bad", "This is not the page that was waited for", "Nothing was changed. If you are making a link, go on in the page that was opened for it, or begin again. You can close this page."}
	malformed = message{"bad", "The answer could not be read", "The server sent your browser here with an answer that makes no sense. Nothing was changed. You can close this page, and try again."}
	spent     = message{"bad", "This page was used already", "An answer counts once, and the first one has come. You can close this page."}
)

// otherUser is the page for a browser that another user runs.
func (r *Receiver) otherUser() message {
	return message{"bad", "This browser belongs to another user", "It is run by another user of this computer than " + r.options.Program + ", and nothing was changed. If that is you, copy the address of this page, and paste it where " + r.options.Program + " asks for the code."}
}

// end is the page at the end.
func (r *Receiver) end(outcome Outcome) message {
	program, provider := r.options.Program, r.options.Provider
	switch outcome {
	case Linked:
		return message{"good", provider + " is linked", "You gave " + program + " access, and it has all it needs. You can close this page."}
	case Denied:
		return message{"bad", "Access was not given", provider + " gave " + program + " no access, and nothing was changed. You can close this page."}
	case Failed:
		return message{"bad", "The link was not made", "Where " + program + " runs, it says why, and what to do. You can close this page."}
	case Over:
		return message{"none", program + " is no longer waiting", "Where it ran, it says how it ended. You can close this page."}
	default:
		return message{"wait", "Access was given", program + " is now finishing the link: see there how it goes on. You can close this page."}
	}
}

var pages = sync.OnceValue(func() *template.Template { return template.Must(template.New("").Parse(pageSource)) })

// policy lets the page have its own style and icon, and nothing else.
var policy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// header sets what every answer has.
func header(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy())
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// show answers with a page.
func (r *Receiver) show(w http.ResponseWriter, status int, m message) {
	var b bytes.Buffer
	data := struct {
		message
		Program string
		Style   template.CSS
	}{m, r.options.Program, template.CSS(pageStyle)}
	if err := pages().Execute(&b, data); err != nil {
		panic("callback: could not write a page: " + err.Error()) // the template is at fault
	}
	header(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a browser that has left cannot be told
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}
