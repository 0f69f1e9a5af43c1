package matrix

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// wineVersion returns the version of Wine, or nothing on Windows itself.
func wineVersion() string {
	get := windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version")
	if get.Find() != nil {
		return ""
	}
	text, _, _ := get.Call()
	return windows.BytePtrToString(*(**byte)(unsafe.Pointer(&text)))
}
