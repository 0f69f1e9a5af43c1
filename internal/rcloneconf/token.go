package rcloneconf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authring/authring/secret"
)

// Token is the value of the key token: that of golang.org/x/oauth2, as JSON.
type Token struct {
	Access  secret.Secret
	Refresh secret.Secret // empty if there is none
	Expiry  time.Time     // of the access token; zero: never
}

// tokenJSON is how rclone writes it. A token that does not expire has the
// first instant of Go's calendar as its expiry.
type tokenJSON struct {
	AccessToken  string    `json:"access_token"`
	TokenType    string    `json:"token_type"`
	RefreshToken string    `json:"refresh_token,omitempty"`
	Expiry       time.Time `json:"expiry"`
}

// Token reads the token of a remote. Its errors hold nothing of it.
func (r Remote) Token() (Token, error) {
	text := r.Get("token")
	if text == "" {
		return Token{}, errors.New("it has no token: rclone has not been given access")
	}
	var t tokenJSON
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return Token{}, errors.New("its token is not the JSON that rclone writes")
	}
	if t.AccessToken == "" && t.RefreshToken == "" {
		return Token{}, errors.New("its token is empty: rclone has not been given access")
	}
	if t.TokenType != "" && !strings.EqualFold(t.TokenType, "bearer") {
		return Token{}, errors.New("its token is not a bearer token")
	}
	return Token{Access: secret.New(t.AccessToken), Refresh: secret.New(t.RefreshToken), Expiry: t.Expiry}, nil
}

// Format writes a remote for Dropbox as a section of rclone's file.
func Format(name, clientID string, token Token) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(clientID, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, errors.New("the app key does not fit a line")
	}
	value, err := json.Marshal(tokenJSON{
		AccessToken: token.Access.Reveal(), TokenType: "bearer", RefreshToken: token.Refresh.Reveal(), Expiry: token.Expiry.UTC(),
	})
	if err != nil {
		return nil, errors.New("the expiry of the token cannot be written")
	}
	var section bytes.Buffer
	fmt.Fprintf(&section, "[%s]\ntype = dropbox\n", name)
	if clientID != "" {
		fmt.Fprintf(&section, "client_id = %s\n", clientID)
	}
	fmt.Fprintf(&section, "token = %s\n", value)
	return section.Bytes(), nil
}

// CheckName refuses what rclone does not take as the name of a remote: letters,
// digits, _ - . + @ and spaces, with no - or space in front and no space at the
// end.
func CheckName(name string) error {
	allowed := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-.+@ ", r)
	}
	switch {
	case name == "":
		return errors.New("the name of a remote cannot be empty")
	case strings.ContainsFunc(name, func(r rune) bool { return !allowed(r) }), strings.ContainsRune("- ", rune(name[0])), strings.HasSuffix(name, " "):
		return fmt.Errorf("rclone takes no remote of the name %q: use letters, digits, _ - . + @", name)
	}
	return nil
}
