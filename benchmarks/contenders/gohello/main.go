// Command gohello is the least that a Go program can do: the floor below the
// others that are written in Go.
package main

import "os"

func main() { _, _ = os.Stdout.WriteString("hello\n") }
