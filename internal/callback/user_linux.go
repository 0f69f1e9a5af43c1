package callback

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// ownClient reports whether a connection within this machine was made by this
// user, or by root, as by what forwards ports into containers. A client that is
// gone already is nobody's: a browser waits for its page. Where the system has
// no list of connections, as in the first WSL, everybody is let in.
func ownClient(client, server netip.AddrPort) bool {
	usable := false
	for name, encode := range map[string]func(netip.AddrPort) string{"/proc/net/tcp": encodeV4, "/proc/net/tcp6": encodeV6} {
		from, to := encode(client), encode(server)
		file, err := os.Open(name)
		if err != nil || from == "" || to == "" {
			continue
		}
		uid, found, listed := findClient(bufio.NewScanner(file), from, to)
		_ = file.Close()
		if found {
			return uid == 0 || uid == os.Geteuid()
		}
		usable = usable || listed
	}
	return !usable
}

// findClient looks for the client's end of a connection in a list of sockets
// (proc(5)): number, local address, remote address, state, queues, timer,
// retransmissions, user, timeout and inode. Listed reports whether the list has
// the socket that listens, as one that can be relied on must.
func findClient(lines *bufio.Scanner, client, server string) (uid int, found, listed bool) {
	const listening = "0A" // TCP_LISTEN
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 {
			continue
		}
		switch {
		case fields[1] == server && fields[3] == listening:
			listed = true
		case fields[1] == client && fields[2] == server && fields[9] != "0":
			// A socket that no process has any more has no inode, and root for
			// its user.
			if uid, err := strconv.Atoi(fields[7]); err == nil {
				return uid, true, listed
			}
		}
	}
	return 0, false, listed
}

// encodeV4 is an address as the list has it: four bytes as a number of this
// machine, and the port.
func encodeV4(a netip.AddrPort) string {
	if !a.Addr().Unmap().Is4() {
		return ""
	}
	bytes := a.Addr().Unmap().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(bytes[:]), a.Port())
}

// encodeV6 is the same for a socket of IPv6, which IPv4 may go over.
func encodeV6(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	bytes := a.Addr().As16()
	var out strings.Builder
	for i := 0; i < len(bytes); i += 4 {
		_, _ = fmt.Fprintf(&out, "%08X", binary.NativeEndian.Uint32(bytes[i:]))
	}
	return fmt.Sprintf("%s:%04X", out.String(), a.Port())
}
