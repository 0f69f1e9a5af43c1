package callback

import (
	"net"
	"net/http"
)

// Connection tells the receiver of a connection, as its server does.
func (r *Receiver) Connection(conn net.Conn, state http.ConnState) { r.connection(conn, state) }
