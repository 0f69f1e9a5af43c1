package keyring

import "context"

// Unlocker is implemented by keyrings that can ask ahead of a Set what it would
// ask, so that nobody is asked in the middle of something else.
type Unlocker interface {
	// Unlock asks for as long as prompt allows. The errors are those of Set.
	Unlock(ctx context.Context, prompt Prompt) error
}
