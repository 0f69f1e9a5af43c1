package bootclock

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Now implements [Clock].
func (system) Now() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		// Every kernel since 2.6.39 has it.
		panic("bootclock: " + err.Error())
	}
	return time.Duration(now.Nano())
}

// AfterFunc implements [Clock]. A timer of package time would stand still in
// suspend; the kernel's on CLOCK_BOOTTIME fires at the resume.
func (c system) AfterFunc(at time.Duration, f func()) (stop func()) {
	timer, err := kernelTimer(at)
	if err != nil {
		// Out of file descriptors: nearly as good, but for a suspend.
		t := time.AfterFunc(at-c.Now(), f)
		return func() { t.Stop() }
	}
	var stopped atomic.Bool
	go func() {
		var expirations [8]byte
		_, err := timer.Read(expirations[:])
		_ = timer.Close()
		if err == nil && !stopped.Load() {
			f()
		}
	}()
	return func() {
		stopped.Store(true)
		_ = timer.Close()
	}
}

func kernelTimer(at time.Duration) (*os.File, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	// A time of zero would disarm it.
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, int64(at)))}
	if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME, &spec, nil); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "timer"), nil
}
