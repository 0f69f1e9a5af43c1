package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/authring/authring/secret"
)

type holder struct{ token secret.Secret }

func TestNothingPrintsTheValue(t *testing.T) {
	const value = "refresh-token-value"
	s := secret.New(value)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v", "%20s", "%p"} {
		if strings.Contains(verb, "%T") {
			fmt.Fprintf(&out, verb+"\n", s, s)
			continue
		}
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", holder{s})
		fmt.Fprintf(&out, verb+"\n", &holder{s})
		fmt.Fprintf(&out, verb+"\n", []secret.Secret{s})
		fmt.Fprintf(&out, verb+"\n", map[string]holder{"k": {s}})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "h", holder{s})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s, "h", struct{ S secret.Secret }{s})
	enc, err := json.Marshal(map[string]any{"s": s, "p": &s, "l": []secret.Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(enc)
	fmt.Fprint(&out, fmt.Errorf("failed with %w %v", fmt.Errorf("inner %s", s), s))
	for _, form := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprintf("%v", []byte(value))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the value shows as %q in:\n%s", form, out.String())
		}
	}
	if !strings.Contains(string(enc), `"s":"***"`) {
		t.Errorf("JSON = %s, want the mask", enc)
	}
}

func TestValue(t *testing.T) {
	if got := secret.New("abc").Reveal(); got != "abc" {
		t.Errorf("Reveal() = %q", got)
	}
	if !(secret.Secret{}).IsZero() || !secret.New("").IsZero() || secret.New("a").IsZero() {
		t.Error("IsZero is wrong")
	}
	if !secret.New("a").Equal(secret.New("a")) || secret.New("a").Equal(secret.New("b")) || secret.New("a").Equal(secret.Secret{}) {
		t.Error("Equal is wrong")
	}
}
