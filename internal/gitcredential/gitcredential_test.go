package gitcredential_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/gitcredential"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		text string
		want gitcredential.Request
		bad  bool
	}{
		{"", gitcredential.Request{}, false},
		{"protocol=https\nhost=example.com\n\n", gitcredential.Request{Protocol: "https", Host: "example.com"}, false},
		{"protocol=https\nhost=example.com", gitcredential.Request{Protocol: "https", Host: "example.com"}, false},
		{"capability[]=authtype\nprotocol=https\nhost=h:1\nusername=a=b\npath=x/y.git\nwwwauth[]=Basic realm=\"x\"\n", gitcredential.Request{Protocol: "https", Host: "h:1", Username: "a=b"}, false},
		{"host=one\nhost=two\n", gitcredential.Request{Host: "two"}, false},
		{"host=one\n\nhost=two\n", gitcredential.Request{Host: "one"}, false},
		{"no line of ours\n", gitcredential.Request{}, true},
		{"=value\n", gitcredential.Request{}, true},
		{"host=a\x00b\n", gitcredential.Request{}, true},
		{"host=" + strings.Repeat("x", 1<<20), gitcredential.Request{}, true},
		{strings.Repeat("wwwauth[]=x\n", 1<<20), gitcredential.Request{}, true},
	} {
		got, err := gitcredential.Read(strings.NewReader(c.text))
		if got != c.want || errors.Is(err, gitcredential.ErrMalformed) != c.bad {
			t.Errorf("%.60q is read as %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
}

// Whatever is read, an address has a host and nothing but a host, and an answer
// has the lines that it should.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"protocol=https\nhost=example.com\n\n", "protocol=https\nhost=a@b\n", "host==\n", "protocol=http\nhost=[::1]:80\nusername=\x7f\n", "\n", "a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		request, err := gitcredential.Read(strings.NewReader(text))
		if err != nil {
			if request != (gitcredential.Request{}) {
				t.Errorf("%q: %+v with an error", text, request)
			}
			return
		}
		if u := request.Address(); u != nil && (u.Path != "" || u.User != nil || u.Host != request.Host) {
			t.Errorf("%q is the address %v", text, u)
		}
		var b strings.Builder
		if err := gitcredential.Write(&b, request, "token", time.Unix(1, 0)); err != nil {
			t.Errorf("%q cannot be answered: %v", text, err)
		}
		if lines := strings.Split(b.String(), "\n"); len(lines) != 4 || lines[1] != "password=token" {
			t.Errorf("%q is answered %q", text, b.String())
		}
	})
}
