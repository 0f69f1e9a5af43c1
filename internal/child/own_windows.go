package child

import "io/fs"

// isOwn takes the rights of the user's folder for an answer.
func isOwn(fs.FileInfo) bool { return true }
