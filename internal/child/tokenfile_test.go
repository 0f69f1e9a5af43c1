package child_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/child"
	"github.com/authring/authring/secret"
)

var errGone = errors.New("no link any more")

// issuer hands out tokens that live for four hours, as a session does: the same
// one until more validity is asked for than it has left.
type issuer struct {
	mu      sync.Mutex
	n       int
	ends    time.Time
	life    time.Duration
	failing error
	changed bool
}

func (i *issuer) token(_ context.Context, minValid time.Duration, fresh bool) (secret.Secret, time.Time, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failing != nil {
		return secret.Secret{}, time.Time{}, i.failing
	}
	if i.n == 0 || fresh || time.Until(i.ends) < max(minValid, 5*time.Minute) {
		i.n++
		i.ends = time.Now().Add(i.life)
	}
	if i.life == 0 {
		return secret.New("legacy"), time.Time{}, nil
	}
	return secret.New(fmt.Sprint("token-", i.n)), i.ends, nil
}

func (i *issuer) state() (n int, ends time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.n, i.ends
}

func (i *issuer) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failing = err
}

// change is what a relink does to the link; the token before is of no use then.
func (i *issuer) change(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.changed, i.failing = true, err
}

func (i *issuer) changes() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	was := i.changed
	i.changed = false
	return was
}

func keep(t *testing.T, i *issuer, during func(read func() string)) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "token")
		file := child.TokenFile{Path: path, Token: i.token, Changed: i.changes, Ended: func(err error) bool { return errors.Is(err, errGone) }}
		ends, err := file.Write(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { file.Keep(ctx, ends); close(done) }()
		during(func() string {
			synctest.Wait()
			data, err := os.ReadFile(path)
			if err != nil {
				return "none"
			}
			return string(data)
		})
		cancel()
		<-done
	})
}

// The file always holds a token with a quarter of its life left.
func TestTokenFileIsKept(t *testing.T) {
	i := &issuer{life: 4 * time.Hour}
	keep(t, i, func(read func() string) {
		for hour := range 48 {
			now := read()
			n, ends := i.state()
			if left := time.Until(ends); left < time.Hour-20*time.Second {
				t.Errorf("after %d hours the token has %v left", hour, left)
			}
			if got, want := now, fmt.Sprint("token-", n); got != want {
				t.Errorf("after %d hours the file holds %q, want %q", hour, got, want)
			}
			<-time.After(time.Hour)
		}
		if n, _ := i.state(); n < 12 || n > 18 {
			t.Errorf("%d tokens in 48 hours of 3 each", n)
		}
	})
}

// What fails is tried again; once there is no link, there is no file.
func TestTokenFileOutlivesFaults(t *testing.T) {
	i := &issuer{life: 4 * time.Hour}
	keep(t, i, func(read func() string) {
		i.fail(errors.New("no network"))
		<-time.After(5 * time.Hour)
		if got := read(); got != "token-1" {
			t.Errorf("without a network the file holds %q", got)
		}
		i.fail(nil)
		<-time.After(time.Minute)
		if got := read(); got != "token-2" {
			t.Errorf("with the network back the file holds %q", got)
		}
		i.fail(errGone)
		<-time.After(5 * time.Hour)
		if got := read(); got != "none" {
			t.Errorf("without a link the file holds %q", got)
		}
	})
}

// A link that was changed has its new token in the file at once, and none while it
// is unlinked; also where tokens do not end.
func TestTokenFileFollowsTheLink(t *testing.T) {
	for _, life := range []time.Duration{4 * time.Hour, 0} {
		i := &issuer{life: life}
		keep(t, i, func(read func() string) {
			was := read()
			i.change(nil)
			<-time.After(20 * time.Second)
			if n, _ := i.state(); n != 2 || (life > 0 && read() == was) {
				t.Errorf("after a relink the file holds %q, and %d tokens were made", read(), n)
			}
			i.change(errors.New("no network"))
			<-time.After(time.Minute)
			i.fail(nil)
			<-time.After(20 * time.Second)
			if n, _ := i.state(); n != 3 {
				t.Errorf("after a relink without a network %d tokens were made", n)
			}
			i.change(errGone)
			<-time.After(20 * time.Second)
			if got := read(); got != "none" {
				t.Errorf("after an unlink the file holds %q", got)
			}
			<-time.After(time.Hour)
			i.change(nil)
			<-time.After(20 * time.Second)
			if n, _ := i.state(); n != 4 || read() == "none" {
				t.Errorf("linked again, the file holds %q, and %d tokens were made", read(), n)
			}
		})
	}
}

// A token that does not end is not replaced.
func TestTokenFileOfALegacyToken(t *testing.T) {
	i := &issuer{}
	keep(t, i, func(read func() string) {
		<-time.After(1000 * time.Hour)
		n, _ := i.state()
		if got := read(); got != "legacy" || n != 1 {
			t.Errorf("the file holds %q after %d tokens", got, n)
		}
	})
}
