package bootclock

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// queryInterruptTime counts the time asleep, unlike its sibling whose name
// begins with QueryUnbiased. It is there since Windows 10.
var queryInterruptTime = windows.NewLazySystemDLL("api-ms-win-core-realtime-l1-1-1.dll").NewProc("QueryInterruptTime")

// Now implements [Clock].
func (system) Now() time.Duration {
	if queryInterruptTime.Find() != nil {
		return windows.DurationSinceBoot()
	}
	var ticks uint64 // of 100 ns
	_, _, _ = queryInterruptTime.Call(uintptr(unsafe.Pointer(&ticks)))
	return time.Duration(ticks) * 100
}

// AfterFunc implements [Clock].
func (c system) AfterFunc(at time.Duration, f func()) (stop func()) { return poll(c, at, f) }
