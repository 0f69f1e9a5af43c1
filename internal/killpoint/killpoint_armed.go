//go:build killpoint

// Package killpoint marks the durable steps of what the library does. In this
// build, which is for tests, the process is killed at the step that the
// environment names.
package killpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// Variable names the step, and after a # how many times it is passed before.
const Variable = "AUTHRING_TEST_KILL_AT"

var passed atomic.Int64

// Here is a durable step.
func Here(step string) {
	if file := os.Getenv(Variable + "_LIST"); file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, _ = f.WriteString(step + "\n")
			_ = f.Close()
		}
	}
	want, after, _ := strings.Cut(os.Getenv(Variable), "#")
	if want != step {
		return
	}
	if skip, _ := strconv.ParseInt(after, 10, 64); passed.Add(1) <= skip {
		return
	}
	// As a kill -9 from outside: no deferred call runs.
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		_ = self.Kill()
	}
	select {}
}
