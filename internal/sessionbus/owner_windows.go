package sessionbus

import "io/fs"

// Windows has no session bus at this place.
func ownedByUs(fs.FileInfo) bool { return false }
