package sealed

import (
	"io/fs"
	"os"
)

func openKeyFile(path string) (*os.File, error) { return os.Open(path) }

// checkKeyFile finds nothing wrong here: the rights of the folder protect the
// file.
func checkKeyFile(string, fs.FileInfo) error { return nil }

// awaitWriter has nothing to wait for: there are no pipes among files here.
func awaitWriter(*os.File) error { return nil }
