package helper_test

import (
	"strings"
	"testing"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/helper"
)

// FuzzAnswer: whatever a helper answers, it is a secret of the item asked for
// or an error that shows nothing of it.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"ServerURL":"https://x","Username":"u","Secret":"value"}`))
	f.Add([]byte(`{"Username":"u","Secret":"base64:dmFsdWU="}`))
	f.Add([]byte(`{"Username":"u","Secret":"base64:!"}`))
	f.Add([]byte(`{"Username":"v","Secret":"value"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, out []byte) {
		value, err := helper.Decode(keyring.Key{Service: "s", User: "u"}, out)
		if (err == nil) == (value == "") {
			t.Fatalf("Decode(%q) = %q, %v", out, value, err)
		}
	})
}

// FuzzSecret: any secret comes back as it was.
func FuzzSecret(f *testing.F) {
	for _, text := range []string{"token", "two\nlines\n", "base64:", "\xff\x00", " "} {
		f.Add("u", text)
	}
	f.Fuzz(func(t *testing.T, user, text string) {
		key := keyring.Key{Service: "s", User: user}
		input, err := helper.Encode(key, text)
		if user == "" || text == "" || len(text) > 1000 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := helper.Decode(key, input)
		if err != nil || got != text || strings.ContainsAny(string(input), "\n\r\x00") {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
	})
}
