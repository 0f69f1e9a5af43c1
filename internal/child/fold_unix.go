//go:build unix

package child

// fold is a variable's name as the system compares it.
func fold(name string) string { return name }
