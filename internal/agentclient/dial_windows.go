package agentclient

import (
	"errors"
	"net"
)

func dial(path string) (net.Conn, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, errors.Join(ErrNoAgent, err)
	}
	return conn, nil
}
