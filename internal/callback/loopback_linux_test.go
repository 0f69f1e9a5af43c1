package callback_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/internal/needs"
)

// loopbackOnly is in the environment of a test that runs in a network of its
// own: which of the two loopback addresses that has.
const loopbackOnly = "AUTHRING_TEST_LOOPBACK"

// RFC 8252 section 7.3: "use whichever is available".
func TestOneLoopbackAddress(t *testing.T) {
	only := os.Getenv(loopbackOnly)
	if only == "" {
		if !needs.Root(t) {
			return
		}
		for _, only := range []string{"127.0.0.1", "::1"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestOneLoopbackAddress$", "-test.v")
			cmd.Env = append(os.Environ(), loopbackOnly+"="+only)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("with %s only: %v\n%s", only, err, out)
			}
		}
		return
	}
	loopback(t, only)
	for _, uri := range []string{"http://localhost/callback", "http://" + strings.TrimSuffix(net.JoinHostPort(only, ""), ":") + "/callback"} {
		r := listen(t, uri)
		answers := r.Expect(callback.Expected{State: state})
		address := "http://" + net.JoinHostPort(only, port(t, r)) + "/callback?code=" + code + "&state=" + state
		if a := ask(t, "GET", address, nil); a.status != 303 {
			t.Errorf("%s: answered %d", uri, a.status)
		}
		if !strings.Contains(<-answers, code) {
			t.Errorf("%s: another answer came", uri)
		}
	}
	other := map[string]string{"127.0.0.1": "http://[::1]/", "::1": "http://127.0.0.1/"}[only]
	if _, err := callback.Listen(callback.Options{URIs: []string{other}}); err == nil {
		t.Errorf("%s, which is not there, is listened at", other)
	}
	// Whichever is there of two that will do, as for a provider that names none.
	if r := listen(t, "http://127.0.0.1/", "http://[::1]/"); !strings.Contains(r.RedirectURI(), only) {
		t.Errorf("it listens at %s", r.RedirectURI())
	}
}

// loopback sets the network up, with one of its two addresses.
func loopback(t *testing.T, only string) {
	t.Helper()
	fd4, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd4) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd4, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
	if only == "::1" {
		if err := lo.SetInet4Addr([]byte{0, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		if err := unix.IoctlIfreq(fd4, unix.SIOCSIFADDR, lo); err != nil {
			t.Fatal(err)
		}
		return
	}
	fd6, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	if err == unix.EAFNOSUPPORT {
		return // there is no other
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd6) }()
	// struct in6_ifreq of linux/ipv6.h.
	gone := struct {
		address [16]byte
		prefix  uint32
		index   int32
	}{address: [16]byte{15: 1}, prefix: 128, index: 1}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd6), unix.SIOCDIFADDR, uintptr(unsafe.Pointer(&gone))); errno != 0 {
		t.Fatal(errno)
	}
}
