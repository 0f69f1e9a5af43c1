package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/daemontest"
)

// item is what the keyring holds of the link.
type item struct {
	service, user, secret string
}

// link links a pretend account with our own tool, as a person does, and
// returns where the secret is.
func link(ctx context.Context, d *daemontest.Desk, authring string, server *dropboxtest.Server) (item, error) {
	ask := func(stdin string, args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, authring, args...)
		cmd.Env = d.Environ("AUTHRING_DROPBOX_URL=" + server.URL)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("authring %s: %w", strings.Join(args, " "), explain(err))
		}
		return out, nil
	}
	out, err := ask("", "link", "--begin", "--json")
	if err != nil {
		return item{}, err
	}
	var begun struct {
		AuthURL string `json:"auth_url"`
	}
	if err := json.Unmarshal(out, &begun); err != nil {
		return item{}, fmt.Errorf("authring link --begin: %w", err)
	}
	code, err := server.Approve(begun.AuthURL)
	if err != nil {
		return item{}, fmt.Errorf("could not approve the link: %w", err)
	}
	if _, err := ask(code+"\n", "link", "--finish"); err != nil {
		return item{}, err
	}
	out, err = ask("", "status", "--json")
	if err != nil {
		return item{}, err
	}
	var status struct {
		Config    string `json:"config"`
		AccountID string `json:"account_id"`
		Keyring   string `json:"keyring"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return item{}, fmt.Errorf("authring status: %w", err)
	}
	if status.Keyring != "secret-service" || status.AccountID == "" {
		return item{}, errors.New("the link is not in the Secret Service")
	}
	return item{service: "authring", user: "config:" + status.Config + ":" + status.AccountID}, nil
}
