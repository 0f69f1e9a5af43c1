package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/authring/authring"
)

// hold asks for a token again and again and has the server judge each, until
// its input ends.
func (w *worker) hold(ctx context.Context) error {
	stop := inputEnds()
	for {
		if err := w.once(ctx); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-time.After(100*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

// once gets a token and asks the server whether it is good. The answer no is
// an error unless the token's time had run out by then: a busy machine can
// take a second for the question, and tokens that live two are handed out with
// one left.
func (w *worker) once(ctx context.Context) error {
	for range 20 {
		token, err := w.session.Token(ctx)
		if err != nil {
			return err
		}
		good, err := w.check(ctx, token.AccessToken.Reveal())
		if err != nil {
			return err
		}
		if good {
			fmt.Println("valid")
			return nil
		}
		if time.Now().Before(token.Expires) {
			return errors.New("a token that is not valid was handed out")
		}
		fmt.Println("late")
	}
	return errors.New("no token lived as long as the question took")
}

func (w *worker) check(ctx context.Context, token string) (good bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server+"/2/check/user", strings.NewReader(`{"query":"a"}`))
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	switch resp.StatusCode {
	case http.StatusOK, http.StatusUnauthorized:
		return resp.StatusCode == http.StatusOK, nil
	}
	return false, fmt.Errorf("the server answered %s", resp.Status)
}

// watch tells the state, again and again, whenever it has changed, until its
// input ends.
func (w *worker) watch(ctx context.Context) error {
	stop := inputEnds()
	last := ""
	for {
		status, err := w.session.Status(ctx)
		if err != nil {
			return err
		}
		now := "state " + status.State.String()
		if status.Reason != nil {
			now += ": " + status.Reason.Error()
		}
		if now != last {
			fmt.Println(now)
			last = now
		}
		select {
		case <-stop:
			return nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func inputEnds() <-chan struct{} {
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return stop
}

var codeOnPage = regexp.MustCompile(`<code id="auth-code"[^>]*>([^<]*)</code>`)

// link links, or relinks, as the user who is signed in at the emulator.
func (w *worker) link(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.session.AuthURL(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	code := codeOnPage.FindSubmatch(page)
	if code == nil {
		return errors.New("the page has no code: the emulator must approve by itself")
	}
	if err := w.session.VerifyAuthToken(ctx, html.UnescapeString(string(code[1]))); err != nil {
		return err
	}
	_, err = w.session.SaveCreds(ctx)
	return err
}

// sight is a link as the next command finds it.
type sight struct {
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Keyring string `json:"keyring,omitempty"`
	Account string `json:"account,omitempty"`
	// Usable: a new token could be had, and the server takes it.
	Usable bool `json:"usable"`
	// Kind is the error of asking for a token: connection, revoked, doubt,
	// unlinked, missing or other.
	Kind  string `json:"kind,omitempty"`
	Error string `json:"error,omitempty"`
}

// look tells the state and then tries the link.
func (w *worker) look(ctx context.Context) sight {
	status, err := w.session.Status(ctx)
	if err != nil {
		return sight{Kind: "other", Error: err.Error()}
	}
	s := sight{State: status.State.String(), Keyring: string(status.Keyring), Account: status.Record.AccountID}
	if status.Reason != nil {
		s.Reason = status.Reason.Error()
	}
	token, err := w.session.Token(ctx, authring.Fresh())
	if err == nil {
		s.Usable, err = w.check(ctx, token.AccessToken.Reveal())
	}
	if err == nil {
		return s
	}
	s.Error, s.Kind = err.Error(), "other"
	for kind, sentinel := range map[string]error{
		"connection": authring.ErrConnectionFailed, "revoked": authring.ErrRevoked, "doubt": authring.ErrInDoubt,
		"unlinked": authring.ErrNotLinked, "missing": authring.ErrSecretMissing,
	} {
		if errors.Is(err, sentinel) {
			s.Kind = kind
		}
	}
	return s
}
