package authring_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/secret"
)

// world is what a session meets: a Dropbox in this process, a keyring, and
// folders. Nothing of it uses a socket, so that it works in a synctest bubble.
type world struct {
	dropbox *dropboxtest.Dropbox
	memory  *keyringtest.Memory
	plain   *keyringtest.Memory
	home    string
	clock   *testClock // nil: the machine's own
	offline atomic.Bool
	delay   atomic.Int64 // nanoseconds before each answer

	dropAnswers atomic.Int64 // how many token answers get lost
	afterDeath  func()

	mu     sync.Mutex
	events []authring.Event
}

func newWorld(t testing.TB, opts ...dropboxtest.Option) *world {
	t.Helper()
	w := &world{
		dropbox: dropboxtest.New(opts...),
		memory:  keyringtest.NewMemory(keyring.SecretService),
		plain:   keyringtest.NewMemory(keyring.Plaintext),
		home:    t.TempDir(),
	}
	t.Setenv("HOME", w.home)
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"} {
		t.Setenv(name, filepath.Join(w.home, name))
	}
	// Windows' names for the first two.
	t.Setenv("AppData", filepath.Join(w.home, "XDG_CONFIG_HOME"))
	t.Setenv("LocalAppData", filepath.Join(w.home, "XDG_STATE_HOME"))
	return w
}

// RoundTrip hands a request to the Dropbox of this process.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.offline.Load() {
		return nil, errors.New("the network is unplugged")
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	select {
	case <-time.After(time.Duration(w.delay.Load())):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	w.dropbox.ServeHTTP(recorder, in)
	if in.URL.Path == "/oauth2/token" && w.dropAnswers.Add(-1) >= 0 {
		// Whoever asked waits in vain.
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	resp := recorder.Result()
	resp.Request = req
	return resp, nil
}

// slow delays each answer from now on.
func (w *world) slow(d time.Duration) { w.delay.Store(int64(d)) }

func (w *world) open(t testing.TB, name string, opts ...authring.Option) *authring.Session {
	t.Helper()
	if w.clock != nil {
		opts = append(opts, withClock(w.clock))
	}
	s, err := authring.Open(name, append([]authring.Option{
		authring.WithTransport(w),
		authring.WithKeyrings(w.memory, w.plain),
		authring.WithEvents(w.note),
	}, opts...)...)
	if err != nil {
		t.Fatalf("Open(%q): %v", name, err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// verify takes a session as far as having credentials.
func (w *world) verify(t testing.TB, s *authring.Session) {
	t.Helper()
	code, err := w.dropbox.Approve(s.AuthURL())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyAuthToken(t.Context(), code); err != nil {
		t.Fatalf("VerifyAuthToken: %v", err)
	}
}

// link links a config name and returns its session.
func (w *world) link(t testing.TB, name string, opts ...authring.Option) *authring.Session {
	t.Helper()
	s := w.open(t, name, opts...)
	w.verify(t, s)
	if _, err := s.SaveCreds(t.Context()); err != nil {
		t.Fatalf("SaveCreds: %v", err)
	}
	return s
}

// item returns the secret that the keyring holds for a link.
func (w *world) item(t *testing.T, name string) string {
	t.Helper()
	value, ok := w.memory.Items()[w.key(name)]
	if !ok {
		t.Fatalf("the keyring holds nothing for %q: %v", name, w.memory.Items())
	}
	return value.Reveal()
}

func (w *world) key(name string) keyring.Key {
	return keyring.Key{Service: "authring", User: "config:" + name + ":" + w.dropbox.User().AccountID}
}

// put replaces what the keyring holds for a link.
func (w *world) put(t *testing.T, name, value string) {
	t.Helper()
	if err := w.memory.Set(t.Context(), w.key(name), secret.New(value), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
}

// asked counts the requests for a path; for the token endpoint, of a grant
// type.
func (w *world) asked(path, grantType string) int {
	n := 0
	for _, r := range w.dropbox.Requests() {
		if r.Path == path && r.GrantType == grantType {
			n++
		}
	}
	return n
}

func (w *world) refreshes() int { return w.asked("/oauth2/token", "refresh_token") }

// live counts the grants that Dropbox still honours.
func (w *world) live() int { return len(w.dropbox.Grants()) }

func (w *world) note(e authring.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *world) saw(kind authring.EventKind) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.events, func(e authring.Event) bool { return e.Kind == kind })
}

func (w *world) recordFile(name string) string {
	return filepath.Join(w.home, "XDG_CONFIG_HOME", "authring", name+".ini")
}

func (w *world) record(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(w.recordFile(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func wantState(t *testing.T, s *authring.Session, want authring.State) {
	t.Helper()
	got, err := s.State(t.Context())
	if err != nil || got != want {
		t.Errorf("State() = %v, %v; want %v", got, err, want)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error = %v; want one that is %q", err, want)
	}
}

func benchSession(b *testing.B) *authring.Session {
	b.Helper()
	w := newWorld(b)
	s := w.link(b, "default")
	if _, err := s.Token(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s
}
