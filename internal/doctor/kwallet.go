package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// walletNames are those of KWallet.
var walletNames = []string{"org.kde.kwalletd6", "org.kde.kwalletd5", "org.kde.kwalletd"}

// wallets tells who answers for KWallet.
func (b bus) wallets(ctx context.Context) []Finding {
	for _, name := range walletNames {
		who, owner, err := b.owner(ctx, name)
		switch {
		case isDenied(err):
			return []Finding{b.denied(err)}
		case err != nil:
			return []Finding{silent("kwallet-unknown", "It cannot be told whether KWallet is running", err, askOwner(name))}
		case owner != "":
			found := []Finding{{ID: "kwallet-owner", Title: "KWallet is offered by " + who, Detail: name}}
			return append(found, b.wallet(ctx, name, owner, who)...)
		case b.startable(ctx, name):
			return []Finding{{ID: "kwallet-startable", Title: "KWallet is not running; its first use starts it", Detail: name}}
		}
	}
	return nil
}

// wallet asks KWallet the least that it can be asked.
func (b bus) wallet(ctx context.Context, name, owner, who string) []Finding {
	asking, cancel := context.WithTimeout(ctx, min(providerBound, b.Bound/2))
	defer cancel()
	path := dbus.ObjectPath("/modules/" + name[strings.LastIndexByte(name, '.')+1:])
	err := b.conn.Object(owner, path).CallWithContext(asking, "org.kde.KWallet.isEnabled", 0).Err
	var remote dbus.Error
	if err == nil || errors.As(err, &remote) { // it is another's to judge by
		return nil
	}
	f := b.hung(ctx, owner, who, silent("kwallet-silent", who+" does not answer", err, ""))
	f.mends = keyring.KWallet
	return []Finding{f}
}
