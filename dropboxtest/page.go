package dropboxtest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"unicode"
)

//go:embed page/page.html
var pageSource string

//go:embed page/style.css
var pageStyle string

// pages writes the pages for people. They need no script and load nothing.
type pages struct {
	templates *template.Template
	policy    string // Content-Security-Policy without form-action
}

func newPages() pages {
	sum := sha256.Sum256([]byte(pageStyle))
	return pages{
		templates: template.Must(template.New("").Parse(pageSource)),
		policy: "default-src 'none'; img-src data:; base-uri 'none'; frame-ancestors 'none'; " +
			"style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
}

// page is what every page has.
type page struct {
	Title string
	Style template.CSS
}

func newPage(title string) page { return page{Title: title, Style: template.CSS(pageStyle)} }

type person struct {
	AccountID, Name, Email, Initials string
	SignedIn                         bool
}

func newPerson(u User, signedIn bool) person {
	return person{u.AccountID, u.DisplayName(), u.Email, u.initials(), signedIn}
}

func (p pages) write(w http.ResponseWriter, status int, name, formAction string, data any) {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, data); err != nil {
		panic("dropboxtest: could not write a page: " + err.Error())
	}
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy+formAction)
	h.Set("X-Frame-Options", "DENY")
	// The address of the page may hold a state, and that of the code page is
	// the same one.
	h.Set("Referrer-Policy", "same-origin")
	writeHTML(w, status, b.String())
}

// asText escapes what must be escaped in the text of an element and leaves
// quotes alone, so that a program finds Dropbox's wording as it is.
func asText(s string) template.HTML {
	return template.HTML(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\x00", "").Replace(s))
}

// letter returns the first letter or digit of a name, for its tile.
func letter(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "?"
}

func writeHTML(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that has left cannot be told
}
