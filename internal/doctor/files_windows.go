package doctor

import "io/fs"

// The rights of the user's folder protect what is in it.

// namesFold: small letters and capitals are the same in the name of a variable.
const namesFold = true

// soundFiles is what was found out if nothing is wrong.
const soundFiles = "Files and folders can be read; the rights to your profile's folders keep others out, and are not looked at"

func writable(string) error { return nil }

func passable(string, bool, bool) error { return nil }

func readOnly(error) bool { return false }

func foreigner(fs.FileInfo) (owner uint32, foreign bool) { return 0, false }

func openTo(fs.FileInfo, fs.FileMode) bool { return false }
