//go:build !linux

package callback

import "net/netip"

// ownClient lets everybody in: the system does not tell whose a connection is.
func ownClient(_, _ netip.AddrPort) bool { return true }
