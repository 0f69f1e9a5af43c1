package kwallet

import (
	"slices"
	"strings"
	"testing"
)

func parse(text string) settings {
	s := settings{enabled: true, leaveOpen: true, allowed: map[string][]string{}}
	s.parse(strings.NewReader(text))
	return s
}

func TestSettings(t *testing.T) {
	s := parse("# comment\n[Wallet][$i]\nEnabled[$i]=false\nLeave Open = off\nPrompt on Open=true\n" +
		"[Auto Allow]\nkdewallet=one, two,authring\n[Other]\nEnabled=true\n")
	if s.enabled || s.leaveOpen || !s.promptOnOpen || !slices.Contains(s.allowed["kdewallet"], "authring") {
		t.Errorf("settings: %+v", s)
	}
	for _, text := range []string{"", "Enabled=false\n", "[Wallet]\n#Enabled=false\n", "[Wallet\n]Enabled=false"} {
		if s := parse(text); !s.enabled || !s.leaveOpen || s.promptOnOpen {
			t.Errorf("%q: %+v, want the defaults", text, s)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add("[Wallet]\nEnabled=false\n")
	f.Add("[Auto Allow]\nkdewallet[$i]=a,b\n")
	f.Add("[\n=\n[]\n[$\n]=[$")
	f.Fuzz(func(t *testing.T, text string) {
		if s := parse(text); s.enabled && strings.TrimSpace(text) == "[Wallet]\nEnabled=false" {
			t.Errorf("%+v", s)
		}
	})
}
