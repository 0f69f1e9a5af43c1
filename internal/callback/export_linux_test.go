package callback

import (
	"bufio"
	"net/netip"
	"strings"
)

// FindClient looks into a list of sockets of IPv4.
func FindClient(list, client, server string) (uid int, found, listed bool) {
	return findClient(bufio.NewScanner(strings.NewReader(list)), encodeV4(netip.MustParseAddrPort(client)), encodeV4(netip.MustParseAddrPort(server)))
}
