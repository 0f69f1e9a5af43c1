package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// tell goes through the life of a link.
func (d *demo) tell(ctx context.Context) error {
	d.line("This is authring with a pretend person at a pretend Dropbox, which runs inside")
	d.line("this command. What happens to the secrets is real.")
	steps := []func(context.Context) error{d.link, d.keep, d.handOut, d.refresh, d.call, d.unlink}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return fmt.Errorf("the demo failed in step %d: %w", d.step, err)
		}
		if d.stdout.err != nil {
			return nil // nobody listens; the caller tells
		}
	}
	d.line("")
	d.line("Nothing is left of all this. With an account of your own it is:")
	d.line("")
	d.line("  authring link      authring token      authring unlink")
	return nil
}

// title begins a step.
func (d *demo) title(text string) {
	d.step++
	d.line("")
	d.line("%s", d.stdout.paint(bold, fmt.Sprintf("%d. %s", d.step, text)))
}

func (d *demo) line(format string, args ...any) { fmt.Fprintf(d.stdout, format+"\n", args...) }

// fact writes a line of a step: what, and its value.
func (d *demo) fact(name, format string, args ...any) {
	d.line("   %-9s %s", name, printable(fmt.Sprintf(format, args...)))
}

func (d *demo) link(ctx context.Context) error {
	pending, err := d.session.BeginLink(ctx)
	if err != nil {
		return err
	}
	user := d.dropbox.User()
	d.title("Link an account")
	d.line("   %s opens this page in a browser, and presses Allow:", user.DisplayName())
	d.line("   %s", d.stdout.paint(dim, pending.AuthURL))
	code, err := d.dropbox.Approve(pending.AuthURL)
	if err != nil {
		return err
	}
	d.line("   The page shows a code, good once; it is pasted here: %s", mask(secret.New(code)))
	if err := d.session.VerifyAuthToken(ctx, code); err != nil {
		return err
	}
	saved, err := d.session.SaveCreds(ctx)
	if err != nil {
		return err
	}
	d.line("   %s Linked to %s", d.stdout.paint(green, "✓"), person(saved.DisplayName, saved.Email))
	return nil
}

// keep shows where the secret went, and that it is nowhere else.
func (d *demo) keep(ctx context.Context) error {
	refresh, err := d.session.RefreshToken(ctx)
	if err != nil {
		return err
	}
	item := d.item()
	kept, err := d.keyring.Get(ctx, item, keyring.NoPrompt)
	if err != nil {
		return err
	}
	if !kept.Equal(refresh) {
		return errors.New("the keyring holds something else than the refresh token")
	}
	d.title("The secret is in a keyring, and only there")
	path := d.session.Layout().ConfigPath(demoConfig)
	switch {
	case d.real:
		d.line("   The refresh token went to your own keyring, which is open:")
		d.fact("secret", "%s", mask(refresh))
		d.fact("keyring", "%s", d.name)
		d.fact("service", "%s", item.Service)
		d.fact("user", "%s", item.User)
		d.line("   Other programs of yours find such an item too, for a link called default with:")
		d.line("   %s", d.stdout.paint(dim, d.lookup()))
	default:
		d.line("   No keyring is open here, so that the refresh token went to a throw-away file.")
		d.line("   A real link would ask before it stores anything as plain text.")
		d.fact("secret", "%s", mask(refresh))
		for _, one := range d.session.Keyrings() {
			d.fact("file", "%s", keyring.Probe(ctx, one).Name)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.Contains(string(text), refresh.Reveal()) {
		return errors.New("the record holds the secret")
	}
	d.line("   The record of the link is a file, and holds no secret:")
	d.fact("record", "%s", path)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			d.line("             %s", d.stdout.paint(dim, shorten(printable(line), 64)))
		}
	}
	return nil
}

// lookup is the command by which a user finds the secret of a real link.
func (d *demo) lookup() string {
	user := record.UserName(defaultConfig, "ACCOUNT")
	switch d.keyring.ID() {
	case keyring.SecretService:
		return "secret-tool lookup service authring username " + user
	case keyring.Keychain:
		return "security find-generic-password -s authring -a " + user + " -w"
	default:
		return "keyring get authring " + user
	}
}

func (d *demo) handOut(ctx context.Context) error {
	token, err := d.session.Token(ctx)
	if err != nil {
		return err
	}
	d.title("Hand out an access token")
	d.fact("token", "%s", mask(token.AccessToken))
	d.fact("expires", "%s, in %.0f hours; it is kept in memory only", token.Expires.Local().Format("15:04"), time.Until(token.Expires).Hours())
	d.fact("account", "%s", d.session.AccountID())
	return nil
}

func (d *demo) refresh(ctx context.Context) error {
	before, err := d.session.Token(ctx)
	if err != nil {
		return err
	}
	after, err := d.session.Token(ctx, authring.Fresh())
	if err != nil {
		return err
	}
	if after.AccessToken.Equal(before.AccessToken) {
		return errors.New("the access token is still the same")
	}
	d.title("Refresh it, as is done by itself when it gets old")
	d.fact("token", "%s", mask(after.AccessToken))
	d.line("   It is another one, and nobody was asked for it.")
	return nil
}

func (d *demo) call(ctx context.Context) error {
	resp, err := d.post(ctx, d.session.Client(ctx), secret.Secret{})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var account struct {
		Name struct {
			DisplayName string `json:"display_name"`
		} `json:"name"`
		Email string `json:"email"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&account); err != nil {
		return err
	}
	d.title("Call the API with it")
	d.fact("request", "POST %s", accountPath)
	d.fact("answer", "%s: %s", resp.Status, person(account.Name.DisplayName, account.Email))
	return nil
}

// unlink ends the link, and proves that nothing of it is good any more.
func (d *demo) unlink(ctx context.Context) error {
	token, err := d.session.Token(ctx)
	if err != nil {
		return err
	}
	result, err := d.session.Unlink(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(result.RevokeErr, result.Leftover); err != nil {
		return err
	}
	if _, err := d.keyring.Get(ctx, d.item(), keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		return errors.Join(errors.New("the keyring still holds the secret"), err)
	}
	resp, err := d.post(ctx, &http.Client{Transport: &http.Transport{}}, token.AccessToken)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("the token of the former link still works: %s", resp.Status)
	}
	d.title("Unlink")
	d.line("   %s Revoked at Dropbox, deleted from %s, record cleared", d.stdout.paint(green, "✓"), d.name)
	d.line("   The same request with the same token as before:")
	d.fact("answer", "%s", resp.Status)
	return nil
}

// mask shows enough of a secret to tell it from another.
func mask(s secret.Secret) string {
	value := s.Reveal()
	return fmt.Sprintf("%s…, %d characters", value[:min(8, len(value)/4)], len(value))
}

// shorten cuts text to at most width characters.
func shorten(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}
