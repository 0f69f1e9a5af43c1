//go:build unix

package main

import (
	"os"
	"syscall"
)

func replace(program string, args []string) (code int, err error) {
	return 0, syscall.Exec(program, args, os.Environ())
}
