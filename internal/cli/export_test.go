package cli

// KindOf gives tests the name and the exit code of an error.
func KindOf(err error) (string, int) {
	k := kindOf(err)
	return k.name, k.code
}

var (
	Printable  = printable
	ShellQuote = shellQuote
)
