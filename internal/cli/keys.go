package cli

import (
	"context"
	"os"
)

// keys reads standard input a byte at a time, for one reader after the other. A
// read cannot be stopped; what one that was given up still brings is the next
// reader's, so that no key is lost.
type keys struct {
	file    *os.File
	reading chan key // nil while no read is under way
}

type key struct {
	value byte
	err   error
}

// next returns the next byte, or errInterrupted when ctx ends.
func (k *keys) next(ctx context.Context) (byte, error) {
	if ctx.Err() != nil {
		return 0, errInterrupted
	}
	if k.reading == nil {
		reading := make(chan key, 1)
		k.reading = reading
		go func() {
			value := make([]byte, 1)
			for {
				n, err := k.file.Read(value)
				if n > 0 || err != nil {
					if n > 0 {
						err = nil
					}
					reading <- key{value[0], err}
					return
				}
			}
		}()
	}
	select {
	case read := <-k.reading:
		k.reading = nil
		return read.value, read.err
	case <-ctx.Done():
		return 0, errInterrupted
	}
}
