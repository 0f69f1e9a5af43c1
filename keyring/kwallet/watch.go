package kwallet

import (
	"context"

	"github.com/authring/authring/internal/sessionbus"
)

// Watch calls changed when a daemon takes one of its bus names, and when a
// wallet is opened or made. It waits for a session bus that is not there yet.
func (k *Keyring) Watch(ctx context.Context, changed func()) {
	var rules []string
	for _, f := range flavours {
		rules = append(rules,
			"type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='"+f.name+"'",
			"type='signal',sender='"+f.name+"',interface='org.kde.KWallet',member='walletOpened'",
			"type='signal',sender='"+f.name+"',interface='org.kde.KWallet',member='walletCreated'")
	}
	sessionbus.Follow(ctx, sessionbus.Address, rules, changed)
}
