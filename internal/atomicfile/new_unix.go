//go:build unix

package atomicfile

import "os"

// linkNew gives a file a second name, that nothing has, and takes the first.
func linkNew(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	// A file that keeps the first name as well has both, and is whole.
	_ = os.Remove(from)
	return nil
}
