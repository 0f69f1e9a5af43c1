package secretservice

import (
	"context"

	"github.com/authring/authring/internal/sessionbus"
)

// Watch calls changed when a provider takes the bus name, and when one tells
// that a collection came, or was locked or unlocked. It waits for a session
// bus that is not there yet.
func (k *Keyring) Watch(ctx context.Context, changed func()) {
	sessionbus.Follow(ctx, k.address, []string{
		"type='signal',sender='" + busIface + "',interface='" + busIface + "',member='NameOwnerChanged',arg0='" + busName + "'",
		// "CollectionCreated", "CollectionChanged": also when its property
		// Locked changes, which some providers tell in one way and some in
		// the other. A program that pretends to be the provider brings about
		// no more than a try.
		"type='signal',sender='" + busName + "',interface='" + serviceIface + "'",
		"type='signal',sender='" + busName + "',interface='" + propertiesIface + "',member='PropertiesChanged'",
	}, changed)
}
