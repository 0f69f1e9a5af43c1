//go:build unix

package audit

import "syscall"

// A link at the log's place is not followed, and a pipe not waited for.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
