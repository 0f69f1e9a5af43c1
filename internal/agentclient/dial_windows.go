package agentclient

import (
	"errors"
	"net"
	"time"
)

// conn is a connection to the agent.
type conn struct{ net.Conn }

func dial(path string) (conn, error) {
	c, err := net.Dial("unix", path)
	if err != nil {
		return conn{}, errors.Join(ErrNoAgent, err)
	}
	_ = c.SetWriteDeadline(time.Now().Add(longestSilence))
	return conn{c}, nil
}

// interrupt has a read that waits, and all that follow, end at once.
func (c conn) interrupt() { _ = c.Close() }
