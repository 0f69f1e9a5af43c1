package agent

import (
	"container/list"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/authring/authring/internal/peer"
)

// conn is a connection that was let in.
type conn struct {
	net.Conn
	all  *conns
	peer peer.Peer
	once sync.Once

	signs signs

	// Of the requests, which come one after the other.
	executable string
	looked     time.Time

	// Guarded by conns.mu.
	closed bool
	place  *list.Element // among those that are silent; nil: it is worked on
	silent time.Time     // since then
}

type connKey struct{}

// unread reports whether the other end has sent what was not read yet.
func (c *conn) unread() bool {
	socket, ok := c.Conn.(syscall.Conn)
	return ok && unread(socket)
}

// Close ends the connection and makes its room free.
func (c *conn) Close() error {
	c.once.Do(func() { c.all.remove(c) })
	return c.Conn.Close()
}

// programLife is how long the answer to which program is at the other end is
// good for: a process can go on as another program.
const programLife = time.Second

// program is the path of the program at the other end; empty if it is not known.
func (c *conn) program() string {
	if now := time.Now(); c.looked.IsZero() || now.Sub(c.looked) >= programLife {
		c.executable, _ = c.peer.Executable()
		c.looked = now
	}
	return c.executable
}

// conns are the connections of a socket, and keep their number within bounds.
type conns struct {
	limits Limits
	users  []int

	mu     sync.Mutex
	total  int
	silent *list.List // of *conn, that which has been silent longest first
}

func newConns(config Config) *conns {
	return &conns{limits: config.Limits, users: append([]int{os.Geteuid()}, config.Users...), silent: list.New()}
}

func (s *conns) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// grace is how long a connection may be silent before it has to make room: a
// process on a machine that is busy needs a moment to write what it wants.
const grace = 250 * time.Millisecond

// admit makes a connection one of ours. It returns nil, and how long to wait
// before the next try, if there is no room for it.
func (s *conns) admit(raw net.Conn, p peer.Peer) (*conn, time.Duration) {
	s.mu.Lock()
	now := time.Now()
	var out []*conn
	defer func() {
		s.mu.Unlock()
		for _, c := range out {
			_ = c.Close()
		}
	}()
	if c := s.crowder(p.PID); c != nil && now.Sub(c.silent) >= grace && !c.unread() {
		out = append(out, s.leave(c))
	}
	if s.silent.Len() >= s.limits.Silent || s.total >= s.limits.Connections {
		if s.silent.Len() == 0 {
			return nil, 0 // all are worked on
		}
		oldest, wait := s.oldest(now)
		if oldest == nil {
			return nil, wait
		}
		out = append(out, s.leave(oldest))
	}
	c := &conn{Conn: raw, all: s, peer: p, silent: now}
	c.place = s.silent.PushBack(c)
	s.total++
	return c, 0
}

// unreadPause is how long those are waited for that have said something which
// the agent has not come to read.
const unreadPause = 10 * time.Millisecond

// oldest is the silent connection that is to make room, or, for want of one that
// has been silent for long enough, how long to wait. On a machine that is busy
// it may be the agent that did not get to read what was said. The caller holds
// mu.
func (s *conns) oldest(now time.Time) (c *conn, wait time.Duration) {
	for e := s.silent.Front(); e != nil; e = e.Next() {
		c := e.Value.(*conn)
		if age := now.Sub(c.silent); age < grace {
			return nil, grace - age
		}
		if !c.unread() {
			return c, 0
		}
	}
	return nil, unreadPause
}

// crowder is the silent connection that one process has to give up for
// another, if it has too many. The caller holds mu.
func (s *conns) crowder(pid int) *conn {
	if pid <= 0 || s.silent.Len() < s.limits.SilentEach {
		return nil
	}
	n := 0
	var oldest *conn
	for e := s.silent.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*conn); c.peer.PID == pid {
			if n++; oldest == nil {
				oldest = c
			}
		}
	}
	if n < s.limits.SilentEach {
		return nil
	}
	return oldest
}

// leave takes a connection out of the list; the caller, who holds mu, is to
// close it.
func (s *conns) leave(c *conn) *conn {
	if c.place != nil {
		s.silent.Remove(c.place)
		c.place = nil
	}
	return c
}

func (s *conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(c)
	c.closed = true
	s.total--
}

// work and rest stand around the work on a request.
func (s *conns) work(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(c)
}

func (s *conns) rest(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.closed {
		return
	}
	c.silent = time.Now()
	c.place = s.silent.PushBack(c)
}

// closeSilent ends the connections that ask for nothing.
func (s *conns) closeSilent() {
	s.mu.Lock()
	var out []*conn
	for e := s.silent.Front(); e != nil; e = s.silent.Front() {
		out = append(out, s.leave(e.Value.(*conn)))
	}
	s.mu.Unlock()
	for _, c := range out {
		_ = c.Close()
	}
}

// mayConnect tells who is at the other end, and whether that is one of those who
// may be.
func (s *conns) mayConnect(raw net.Conn) (peer.Peer, bool) {
	socket, ok := raw.(*net.UnixConn)
	if !ok {
		return peer.Peer{}, false // there is no such thing as a token by TCP
	}
	p, err := peer.Of(syscall.Conn(socket))
	if err != nil {
		return p, false
	}
	if p.UID == -1 {
		return p, true // Windows: by the folder
	}
	for _, uid := range s.users {
		if uid == p.UID {
			return p, true
		}
	}
	return p, false
}
