// Package agentclient asks the agent of the user for access tokens: HTTP/1.1
// over a Unix socket, written by hand, since package net/http would double the
// time that a program takes to start. What it reads is bounded in size and in
// time. The protocol is described in docs/agent.md.
package agentclient

import (
	"errors"
	"hash/fnv"
	"path/filepath"
	"strconv"

	"github.com/authring/authring/internal/folders"
)

// Variable is the environment variable about the agent: "off" does without
// one, and an absolute path is the socket to use, such as one that was made
// for a container.
const Variable = "AUTHRING_AGENT"

var (
	// ErrOff: the environment asks to do without an agent.
	ErrOff = errors.New("the environment variable " + Variable + " is off")

	// ErrVariable: the environment variable has a value that means nothing.
	ErrVariable = errors.New("the environment variable " + Variable + " must be off, or the absolute path of a socket")
)

// Address is where to ask.
type Address struct {
	// Path is the socket. Nobody may be there.
	Path string
	// Realm marks the environment, so that an agent of another one does not
	// answer; empty where the user has named the socket.
	Realm string
	// Named is set where the user has named the socket. Such an agent is
	// neither started nor stopped.
	Named bool
}

// Locate finds the socket, and makes sure that nobody else can have put one
// there. The errors are [ErrOff], [ErrVariable], and reasons to do without an
// agent.
func Locate(getenv func(string) string) (Address, error) {
	switch named := getenv(Variable); {
	case named == "off":
		return Address{}, ErrOff
	case filepath.IsAbs(named):
		return Address{Path: named, Named: true}, nil
	case named != "":
		return Address{}, ErrVariable
	}
	path, err := SocketPath(getenv)
	if err != nil {
		return Address{}, err
	}
	realm, err := Realm(getenv)
	if err != nil {
		return Address{}, err
	}
	if err := CheckPlace(path); err != nil {
		return Address{}, err
	}
	return Address{Path: path, Realm: realm}, nil
}

// longestPath is what every platform takes for the path of a socket: 104 bytes
// with the zero at its end, on macOS.
const longestPath = 103

// SocketPath is where the agent of the user listens: authring/agent.sock in
// $XDG_RUNTIME_DIR, or in the folder of the user that the platform has.
func SocketPath(getenv func(string) string) (string, error) {
	dir, err := folders.Runtime(getenv)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "authring", "agent.sock")
	if len(path) > longestPath {
		return "", errors.New("the path of the agent's socket is longer than a socket's may be: " + path)
	}
	return path, nil
}

// Realm is a mark of all that makes the agent of one environment give other
// answers than that of another: the folders of records, locks and secrets, and
// the address of an emulator. It is no secret, and proves nothing.
func Realm(getenv func(string) string) (string, error) {
	h := fnv.New64a()
	for _, folder := range []func(folders.Getenv) (string, error){folders.Config, folders.State, folders.Data} {
		dir, err := folder(getenv)
		if err != nil {
			return "", err
		}
		_, _ = h.Write([]byte(dir + "\x00"))
	}
	_, _ = h.Write([]byte(getenv("AUTHRING_DROPBOX_URL")))
	return strconv.FormatUint(h.Sum64(), 16), nil
}
