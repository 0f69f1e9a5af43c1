//go:build unix

package atomicfile

// The ways to give a file a name that nothing has.
var (
	RenameNew = renameNew
	LinkNew   = linkNew
)
