package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// The bounds of the callers' side. There is none for a body: it may take hours.
const (
	requestHeadBound = 30 * time.Second
	betweenBound     = 2 * time.Minute // connections without a request
	maxRequestHead   = 64 << 10
	maxConnections   = 1024
)

// Serve takes requests from a listener until ctx ends, closes it, and cuts the
// connections that are left. Ending so is no error.
func (p *Proxy) Serve(ctx context.Context, listener net.Listener) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:           p,
		Protocols:         &protocols,
		ReadHeaderTimeout: requestHeadBound,
		IdleTimeout:       betweenBound,
		MaxHeaderBytes:    maxRequestHead,
		// net/http would answer "OPTIONS *" before the secret is asked for.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(p.config.Logger.Handler(), slog.LevelDebug),
		BaseContext:                  func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(&limited{Listener: listener, free: make(chan struct{}, maxConnections), closed: make(chan struct{})})
	_ = server.Close()
	if idle, ok := p.config.Transport.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("could not go on serving: %w", err)
}

// limited is a listener with a bound on open connections: those beyond it wait
// in the system's queue until others end.
type limited struct {
	net.Listener
	free   chan struct{}
	once   sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &counted{Conn: conn, release: sync.OnceFunc(func() { <-l.free })}, nil
}

// Close implements net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// counted is a connection that gives its place back. A caller who reads
// nothing for a long time is cut off.
type counted struct {
	net.Conn
	release func()
}

func (c *counted) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(stillBound)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *counted) Close() error {
	defer c.release()
	return c.Conn.Close()
}
