package cli

import "github.com/authring/authring"

// result is what came of one import.
type result struct {
	saved authring.Saved
	err   error
}

// importObject is an import in JSON output. Its members are promises. State is
// would-import, imported, linked-already or failed; a failed one has the members
// of an error as well.
type importObject struct {
	Source          string         `json:"source"`
	Name            string         `json:"name"`
	Config          string         `json:"config"`
	State           string         `json:"state"`
	AccountID       string         `json:"account_id,omitempty"`
	Email           string         `json:"email,omitempty"`
	TokenAccessType string         `json:"token_access_type,omitempty"`
	From            string         `json:"from,omitempty"`
	Keyring         string         `json:"keyring,omitempty"` // that has the secret, or would get it
	Replaces        bool           `json:"replaces,omitempty"`
	Failure         map[string]any `json:"failure,omitempty"`
}

// finish tells what was done, and ends with the code of the first failure.
func (i *importing) finish(found []candidate, results map[string]result) error {
	objects := make([]importObject, len(found))
	code := exitOK
	for n, c := range found {
		o := importObject{
			Source: i.source, Name: printable(c.name), Config: printable(c.config), State: "would-import", From: printable(c.where),
			AccountID: c.rec.AccountID, Email: c.rec.Email, TokenAccessType: c.rec.TokenAccessType,
		}
		err := c.err
		if err == nil && !c.exists {
			o.Keyring, o.Replaces = string(c.target), c.replaces
		}
		if done, tried := results[c.config]; tried && c.err == nil && !c.exists {
			err = done.err
			if err == nil {
				o.State, o.AccountID, o.Email, o.Keyring = "imported", done.saved.AccountID, done.saved.Email, string(done.saved.Keyring)
			} else if !i.json {
				i.sayError(i.stderr.paint(red, "✗"), err)
			}
		}
		switch {
		case err != nil:
			o.State, o.Failure = "failed", i.errorObject(err)
			if code == exitOK {
				code = kindOf(err).code
			}
		case c.exists:
			o.State = "linked-already"
		}
		objects[n] = o
	}
	if i.json {
		if err := i.printJSON(objects); err != nil {
			return err
		}
	}
	return exitSilently(code)
}
