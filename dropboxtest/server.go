package dropboxtest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is an emulator that listens on the loopback interface.
type Server struct {
	*Dropbox
	// URL is http://127.0.0.1:PORT, without a slash at the end.
	URL string

	server  *http.Server
	pending sync.WaitGroup // the accept loop and the requests in work

	mu     sync.Mutex
	closed bool
}

// NewServer starts an emulator on a free port of 127.0.0.1. It panics when it
// cannot listen, as httptest.NewServer does. The caller closes it.
func NewServer(opts ...Option) *Server {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("dropboxtest: could not listen on the loopback interface: %v", err))
	}
	s := &Server{Dropbox: New(opts...), URL: "http://" + listener.Addr().String()}
	s.server = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 30 * time.Second}
	s.pending.Go(func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("dropboxtest: could not serve: %v", err))
		}
	})
	return s
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.pending.Add(1)
	s.mu.Unlock()
	defer s.pending.Done()
	s.ServeHTTP(w, r)
}

// Close ends all connections and returns when no request is in work any more.
// It may be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.server.Close() // closes the listener: there is nothing to lose
	s.pending.Wait()
}
