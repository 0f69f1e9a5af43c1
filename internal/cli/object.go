package cli

import (
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/record"
)

// linkObject is a link in JSON output. Its members are promises.
type linkObject struct {
	Config             string `json:"config"`
	State              string `json:"state"`
	AccountID          string `json:"account_id"`
	Email              string `json:"email"`
	DisplayName        string `json:"display_name"`
	Keyring            string `json:"keyring"`
	KeyringName        string `json:"keyring_name"`
	TokenAccessType    string `json:"token_access_type"`
	Provider           string `json:"provider"`
	AppKey             string `json:"app_key"`
	Scope              string `json:"scope"`
	LinkedAt           string `json:"linked_at,omitempty"`
	Reason             string `json:"reason,omitempty"`
	PendingRevocations int    `json:"pending_revocations"`

	History []historyObject `json:"history,omitempty"`
}

func (p *program) linkObject(config string, status authring.Status) linkObject {
	object := recordObject(config, status.Record)
	object.State, object.KeyringName = status.State.String(), status.KeyringName
	object.PendingRevocations = p.pendingRevocations()
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
		AppKey: rec.AppKey, Scope: rec.Scope,
	}
	if !rec.Linked.IsZero() {
		object.LinkedAt = rec.Linked.UTC().Format(time.RFC3339)
	}
	return object
}
