package atomicfile

// SyncFolder does nothing: Windows has no way to sync a folder, and its file
// systems journal names.
func SyncFolder(string) error { return nil }
