package peer

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
)

// sioAFUnixGetPeerPID is of afunix.h: _WSAIOR(IOC_VENDOR, 256).
const sioAFUnixGetPeerPID = 0x58000100

func (p *Peer) ask() error {
	return p.withFD(func(fd uintptr) error {
		var pid, size uint32
		err := windows.WSAIoctl(windows.Handle(fd), sioAFUnixGetPeerPID, nil, 0,
			(*byte)(unsafe.Pointer(&pid)), uint32(unsafe.Sizeof(pid)), &size, nil, 0)
		if err == nil {
			p.PID = int(pid)
		}
		return nil // a Windows without it keeps others out by the folder, too
	})
}

func (p Peer) alive() error {
	if p.PID <= 0 {
		return ErrUnknown
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(p.PID))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return ErrGone
	}
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(process) }()
	// One that has ended can be opened for as long as anybody has it open.
	if event, err := windows.WaitForSingleObject(process, 0); err == nil && event == windows.WAIT_OBJECT_0 {
		return ErrGone
	}
	return nil
}

func executable(pid int) (string, error) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return "", err
	}
	defer func() { _ = windows.CloseHandle(process) }()
	path := make([]uint16, 32<<10)
	size := uint32(len(path))
	if err := windows.QueryFullProcessImageName(process, 0, &path[0], &size); err != nil {
		return "", err
	}
	return windows.UTF16ToString(path[:size]), nil
}
