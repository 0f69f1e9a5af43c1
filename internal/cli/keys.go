package cli

import (
	"context"
	"os"
	"time"
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
	select {
	case read := <-k.read():
		k.reading = nil
		return read.value, read.err
	case <-ctx.Done():
		return 0, errInterrupted
	}
}

// burst is how far apart the keys of a paste are at the most. Nobody types so
// fast.
const burst = 50 * time.Millisecond

// follows reports whether another byte comes at once, as in a paste. It is the
// next one.
func (k *keys) follows(ctx context.Context) bool {
	timer := time.NewTimer(burst)
	defer timer.Stop()
	reading := k.read()
	select {
	case read := <-reading:
		reading <- read // has room for the one
		return read.err == nil
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// read gives what the read that is under way will bring.
func (k *keys) read() chan key {
	if k.reading != nil {
		return k.reading
	}
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
	return reading
}
