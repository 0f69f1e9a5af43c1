package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/proxy"
)

// zeros is a body of n bytes that calls at for each 16 MiB of it.
type zeros struct {
	n  int64
	at func()
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	clear(p[:n])
	if z.n>>24 != (z.n-n)>>24 {
		z.at()
	}
	z.n -= n
	return int(n), nil
}

// Half a gigabyte in each direction leaves no trace in memory.
func TestStreamsInConstantMemory(t *testing.T) {
	const size, most = 512 << 20, 24 << 20
	var mu sync.Mutex
	var peak uint64
	measure := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		mu.Lock()
		defer mu.Unlock()
		peak = max(peak, m.HeapInuse)
	}
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != size {
			t.Errorf("the server got %d bytes, %v", n, err)
		}
		if _, err := io.Copy(w, &zeros{n: size, at: measure}); err != nil {
			t.Errorf("the server could not send: %v", err)
		}
	})
	f := newFront(t, u)
	req, err := http.NewRequest("POST", f.url("/2/files/upload"), &zeros{n: size, at: measure})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != size {
		t.Errorf("the caller got %d bytes, %v", n, err)
	}
	t.Logf("%d MiB each way; the heap never had more than %d KiB", size>>20, peak>>10)
	if peak > most {
		t.Errorf("the heap grew to %d MiB, want at most %d", peak>>20, most>>20)
	}
}

// Connections are kept, on both sides.
func TestConnectionsAreKept(t *testing.T) {
	remote := map[string]bool{}
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) { remote[r.RemoteAddr] = true })
	f := newFront(t, u)
	reused := 0
	for range 3 {
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
			GotConn: func(info httptrace.GotConnInfo) {
				if info.Reused {
					reused++
				}
			},
		})
		req, err := http.NewRequestWithContext(ctx, "GET", f.url("/2/x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := f.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if reused != 2 || len(remote) != 1 {
		t.Errorf("the caller used its connection again %d times, want 2; the server saw %d connections, want 1", reused, len(remote))
	}
}

// pipes is a listener whose connections are pairs of pipes in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	near, far := net.Pipe()
	p.conns <- far
	return near
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// A long poll is answered after ten silent minutes, a body may pause as long,
// and what never comes is given up.
func TestLongPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstreamSide, callerSide := newPipes(), newPipes()
		from := newUpstreamWithout()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/2/files/list_folder/longpoll":
				<-time.After(10 * time.Minute)
				_, _ = io.WriteString(w, "changes")
			case "/slow":
				for range 5 {
					_, _ = io.WriteString(w, "piece ")
					_ = http.NewResponseController(w).Flush()
					<-time.After(10 * time.Minute)
				}
			default:
				<-r.Context().Done()
			}
		})}
		go func() { _ = server.Serve(upstreamSide) }()
		transport := proxy.TransportOver(upstreamSide.dial)
		p, err := proxy.New(proxy.Config{Provider: from, Token: (&tokens{}).get, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- p.Serve(ctx, callerSide) }()
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return callerSide.dial(), nil },
		}}
		get := func(path string) (int, string, time.Duration, error) {
			began := time.Now()
			resp, err := client.Get("http://localhost" + path)
			if err != nil {
				return 0, "", time.Since(began), err
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			return resp.StatusCode, string(body), time.Since(began), err
		}
		if status, body, took, err := get("/2/files/list_folder/longpoll"); err != nil || status != 200 || body != "changes" {
			t.Errorf("the long poll: %d %q after %v, %v", status, body, took, err)
		}
		if status, body, took, err := get("/slow"); err != nil || status != 200 || len(body) != 30 {
			t.Errorf("the slow answer: %d %q after %v, %v", status, body, took, err)
		}
		if status, body, took, err := get("/never"); err != nil || status != 504 || took > 16*time.Minute {
			t.Errorf("an answer that never comes: %d %q after %v, %v", status, body, took, err)
		}
		client.CloseIdleConnections()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		_ = server.Close()
		transport.CloseIdleConnections()
	})
}

// A caller who says nothing is cut off; those beyond the bound wait.
func TestSilentCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		callerSide := newPipes()
		p, err := proxy.New(proxy.Config{Provider: newUpstreamWithout(), Token: (&tokens{}).get})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- p.Serve(ctx, callerSide) }()
		var ends sync.WaitGroup
		for range 2000 {
			ends.Go(func() {
				conn := callerSide.dial()
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
					t.Errorf("a silent caller gets %v", err)
				}
				_ = conn.Close()
			})
		}
		began := time.Now()
		ends.Wait()
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("2000 silent callers were cut off after %v", took)
		}
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}
