//go:build !windows

package matrix

// wineVersion returns nothing: this is no Windows.
func wineVersion() string { return "" }
