package agent

import "net"

// bind: Windows does not let a socket be renamed, and knows no mode that others
// could see for a moment.
func bind(path string) (*net.UnixListener, error) { return bindClosed(path) }
