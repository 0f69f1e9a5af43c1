package cli

import (
	"context"
	"net/http"
	"strings"

	"github.com/authring/authring/secret"
)

// accountPath is the API call that tells whose token it is.
const accountPath = "/2/users/get_current_account"

// post asks the API whose token it is. A token that is zero is added by client.
func (d *demo) post(ctx context.Context, client *http.Client, token secret.Secret) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.dropbox.url+accountPath, strings.NewReader("null"))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if !token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return client.Do(req)
}
