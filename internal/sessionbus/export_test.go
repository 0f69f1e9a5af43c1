package sessionbus

import (
	"testing"
	"time"
)

// Patience has nothing be tried again after a while, so that only what the
// system tells leads on.
func Patience(tb testing.TB) {
	blind, last := blindPause, lastPause
	blindPause, lastPause = time.Hour, time.Hour
	tb.Cleanup(func() { blindPause, lastPause = blind, last })
}
