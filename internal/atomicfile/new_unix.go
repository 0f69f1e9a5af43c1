//go:build unix

package atomicfile

import "os"

// replace gives a file a name that another may have.
func replace(from, to string) error { return os.Rename(from, to) }

// linkNew gives a file a second name, that nothing has, and takes the first.
func linkNew(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	// A file that keeps the first name as well has both, and is whole.
	_ = os.Remove(from)
	return nil
}
