//go:build !killpoint

// Package killpoint marks the durable steps of what the library does, so that
// tests can have the process killed at each of them. In an ordinary build a
// mark is nothing, and leaves nothing in the binary.
package killpoint

// Here is a durable step.
func Here(string) {}
