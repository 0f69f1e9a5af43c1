package sessionbus

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"time"
)

const (
	// maxMessage bounds what the bus may make us hold. The bus itself lets
	// messages of 128 MiB pass; no answer of a keyring comes near this.
	maxMessage = 16 << 20
	// writeBound is how long the bus may leave us waiting to take a message
	// from us. It has room for many.
	writeBound = 5 * time.Second
	// fixedHeader is the part of a message's header that has a constant
	// size and tells the rest (D-Bus specification, "Message Format").
	fixedHeader = 16
)

var errTooLong = errors.New("a message on the session bus is too long")

// stream carries the connection. Reads are buffered: godbus reads a message
// in many small pieces.
type stream struct {
	net.Conn
	in     *bufio.Reader
	framed bool // authentication is over, messages follow
	rest   int  // bytes left of the message being read
}

func newStream(conn net.Conn) *stream {
	return &stream{Conn: conn, in: bufio.NewReaderSize(conn, 8<<10)}
}

func (s *stream) Read(p []byte) (int, error) {
	if !s.framed {
		return s.in.Read(p)
	}
	if s.rest == 0 {
		header, err := s.in.Peek(fixedHeader)
		if err != nil {
			return 0, err
		}
		size, err := messageSize(header)
		if err != nil {
			return 0, err
		}
		s.rest = size
	}
	n, err := s.in.Read(p[:min(len(p), s.rest)])
	s.rest -= n
	return n, err
}

// Write is called by one goroutine at a time. BEGIN ends the authentication
// (D-Bus specification, "Authentication Protocol"), before anything reads the
// first message.
func (s *stream) Write(p []byte) (int, error) {
	if !s.framed && string(p) == "BEGIN\r\n" {
		s.framed = true
	}
	if err := s.SetWriteDeadline(time.Now().Add(writeBound)); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	if err != nil {
		// Half a message may have gone out: nothing can follow it.
		_ = s.Close()
	}
	return n, err
}

// messageSize returns the length of the message that starts with header.
func messageSize(header []byte) (int, error) {
	var order binary.ByteOrder
	switch header[0] {
	case 'l':
		order = binary.LittleEndian
	case 'B':
		order = binary.BigEndian
	default:
		return 0, errors.New("the session bus does not speak D-Bus")
	}
	body, fields := uint64(order.Uint32(header[4:])), uint64(order.Uint32(header[12:]))
	size := fixedHeader + (fields+7)&^7 + body
	if size > maxMessage {
		return 0, errTooLong
	}
	return int(size), nil
}
