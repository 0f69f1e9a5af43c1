package proof_test

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// hang opens connections, says so, and holds them until its input ends. Each is
// a blocking one: package net does not wait until there is room in the queue.
func hang(socket string) error {
	limit := syscall.Rlimit{Cur: hangEach + 100, Max: hangEach + 100}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for i := range hangEach {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err == nil {
			err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: socket})
		}
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		if i%3 == 1 {
			_, _ = syscall.Write(fd, []byte("GET /v1/token?config=default HTTP/1.1\r\nX: "))
		}
	}
	fmt.Println("open")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err // and the system closes them
}
