package child

import "strings"

// fold is a variable's name as the system compares it.
func fold(name string) string { return strings.ToUpper(name) }
