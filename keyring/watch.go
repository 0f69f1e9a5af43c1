package keyring

import "context"

// Watcher is implemented by keyrings that come and go with a desktop session
// and can tell when: programs that start before the keyring is up wait so.
type Watcher interface {
	// Watch calls changed each time that the keyring may have become usable:
	// it came up, or it was unlocked. It does so once when it begins to
	// listen, too, so that a caller who tries, waits for a call, and tries
	// again misses nothing. A call is no promise that a try will succeed.
	//
	// Watch starts, unlocks and asks nothing, and returns soon after ctx has
	// ended. The function must not block.
	Watch(ctx context.Context, changed func())
}
