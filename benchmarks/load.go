package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clients of an agent, and the requests of all of them.
const (
	loadClients  = 64
	loadRequests = 100_000
)

// load is a way in which clients ask.
type load struct {
	name string
	keep bool          // each client keeps its connection
	each time.Duration // from one request of a client to its next; 0: at once
}

var loads = []load{
	{"64 clients that ask 100 times a second each", true, 10 * time.Millisecond},
	{"64 clients that ask again at once", true, 0},
	{"the same, with a connection for each request", false, 0},
}

// loadResult is what became of a load. Times are from before the request is
// sent, or the connection made, until the answer is read.
type loadResult struct {
	load
	requests     int
	rate         float64 // answers in a second
	p50, p99     time.Duration
	agent, asker time.Duration // processor time for a request
}

// run lets the clients ask. Any answer but a token ends it.
func (l load) run(ctx context.Context, agent runningAgent) (loadResult, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	times := make([][]time.Duration, loadClients)
	before, err := processTime(agent.pid)
	if err != nil {
		return loadResult{}, err
	}
	own, err := processTime(os.Getpid())
	if err != nil {
		return loadResult{}, err
	}
	var all sync.WaitGroup
	began := time.Now()
	for i := range loadClients {
		all.Go(func() {
			// Not all at the same moment.
			first := began.Add(l.each * time.Duration(i) / loadClients)
			var err error
			if times[i], err = l.client(ctx, agent.socket, first, (loadRequests+loadClients-1)/loadClients); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	if err := context.Cause(ctx); err != nil {
		return loadResult{}, fmt.Errorf("%s: %w", l.name, err)
	}
	after, err := processTime(agent.pid)
	if err != nil {
		return loadResult{}, err
	}
	ownAfter, err := processTime(os.Getpid())
	if err != nil {
		return loadResult{}, err
	}
	sorted := slices.Sorted(slices.Values(slices.Concat(times...)))
	n := len(sorted)
	return loadResult{
		load: l, requests: n, rate: float64(n) / took.Seconds(), p50: sorted[n/2], p99: sorted[n*99/100],
		agent: (after - before) / time.Duration(n), asker: (ownAfter - own) / time.Duration(n),
	}, nil
}

// client asks n times, one after the other.
func (l load) client(ctx context.Context, socket string, next time.Time, n int) ([]time.Duration, error) {
	request := "GET /v1/token?config=" + linkName(0) + " HTTP/1.1\r\nHost: authring\r\n"
	if !l.keep {
		request += "Connection: close\r\n"
	}
	request += "\r\n"
	var conn net.Conn
	var answers *bufio.Reader
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	times := make([]time.Duration, 0, n)
	for range n {
		if l.each > 0 {
			time.Sleep(time.Until(next))
			next = next.Add(l.each)
		}
		began := time.Now()
		if conn == nil {
			var err error
			if conn, err = net.Dial("unix", socket); err != nil {
				return nil, err
			}
			_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
			answers = bufio.NewReader(conn)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			return nil, err
		}
		if err := readToken(answers); err != nil {
			return nil, err
		}
		if !l.keep {
			_ = conn.Close()
			conn = nil
		}
		times = append(times, time.Since(began))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return times, nil
}

// readToken reads an answer, which has to hold a token. It knows no more of
// HTTP than the agent says, so as to take little of the machine that both share.
func readToken(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the agent says: %q", line)
	}
	length := 0
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(strings.TrimSpace(string(value))); err != nil {
				return err
			}
		}
	}
	body, err := r.Peek(length)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(body, []byte(`{"access_token":"`)) {
		return errors.New("the answer of the agent holds no token")
	}
	_, err = r.Discard(length)
	return err
}
