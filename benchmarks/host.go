package main

import (
	"fmt"
	"os"
	"testing"
)

// host stands in for a test, so that the daemons of the project's tests can
// be started by a program. A call that would fail the test ends the run; what
// was started is stopped by close, whichever way the run ends.
type host struct {
	testing.TB // nothing but what is below is ever called
	cleanups   []func()
}

// failure is what ended a run.
type failure struct{ error }

func (h *host) Helper() {}

func (h *host) Cleanup(f func()) { h.cleanups = append(h.cleanups, f) }

func (h *host) Fatal(args ...any) { panic(failure{fmt.Errorf("%s", fmt.Sprint(args...))}) }

func (h *host) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// Skipf is how a missing program is reported.
func (h *host) Skipf(format string, args ...any) { h.Fatalf(format, args...) }

// TempDir returns a new folder that is removed by close.
func (h *host) TempDir() string {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// close undoes all, the last thing first.
func (h *host) close() {
	for len(h.cleanups) > 0 {
		last := len(h.cleanups) - 1
		f := h.cleanups[last]
		h.cleanups = h.cleanups[:last]
		f()
	}
}

// run does the work with a host and returns what ended it.
func run(work func(h *host) error) (err error) {
	h := &host{}
	defer h.close()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.error
		default:
			panic(r)
		}
	}()
	return work(h)
}
