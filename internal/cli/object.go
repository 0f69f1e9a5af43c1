package cli

import (
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/record"
)

// linkObject is a link in JSON output. Its members are promises.
type linkObject struct {
	Config          string `json:"config"`
	State           string `json:"state"`
	AccountID       string `json:"account_id"`
	Email           string `json:"email"`
	DisplayName     string `json:"display_name"`
	Keyring         string `json:"keyring"`
	KeyringName     string `json:"keyring_name"`
	TokenAccessType string `json:"token_access_type"`
	Provider        string `json:"provider"`
	AppKey          string `json:"app_key"`
	Scope           string `json:"scope"`
	ScopeMissing    string `json:"scope_missing,omitempty"`
	LinkedAt        string `json:"linked_at,omitempty"`

	RefreshExpiresAt     string `json:"refresh_token_expires_at,omitempty"`
	RefreshIdleExpiresAt string `json:"refresh_token_idle_expires_at,omitempty"`
	RefreshEndsAt        string `json:"refresh_token_absolute_expires_at,omitempty"`
	RefreshUsedAt        string `json:"refresh_token_used_at,omitempty"`

	Reason             string `json:"reason,omitempty"`
	PendingRevocations int    `json:"pending_revocations"`

	History []historyObject `json:"history,omitempty"`
}

func (p *program) linkObject(config string, status authring.Status) linkObject {
	object := recordObject(config, status.Record)
	object.State, object.KeyringName = status.State.String(), status.KeyringName
	object.PendingRevocations = p.pendingRevocations()
	object.RefreshExpiresAt = timeText(status.Lifetime.Expires())
	object.RefreshIdleExpiresAt = timeText(status.Lifetime.IdleEnds)
	object.RefreshEndsAt = timeText(status.Lifetime.Ends)
	if object.RefreshExpiresAt != "" {
		object.RefreshUsedAt = timeText(status.Lifetime.Used)
	}
	if status.Record.Empty() {
		object.KeyringName = ""
	}
	if status.Reason != nil {
		object.Reason = reason(status)
	}
	return object
}

func recordObject(config string, rec record.Record) linkObject {
	object := linkObject{
		Config: config, AccountID: rec.AccountID, Email: rec.Email, DisplayName: rec.DisplayName,
		Keyring: string(rec.Keyring), TokenAccessType: rec.TokenAccessType, Provider: rec.Provider,
		AppKey: rec.AppKey, Scope: rec.Scope, ScopeMissing: rec.ScopeMissing, LinkedAt: timeText(rec.Linked),
	}
	return object
}

// timeText is a time in JSON output; "" for none.
func timeText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
