package callback_test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/internal/needs"
)

// Another user can see the address that the browser is started with, state and
// all, and must not answer in the place of this one's browser, be it with a code
// or with a refusal. This one's answer still counts.
func TestAnotherUser(t *testing.T) {
	needs.Programs(t, "curl")
	if !needs.Root(t) {
		return
	}
	for _, uri := range []string{"http://127.0.0.1/callback", "http://[::1]/callback"} {
		r := listen(t, uri)
		answers := r.Expect(callback.Expected{State: "the-state"})
		curl := func(query string, args ...string) string {
			args = append(args, "-s", "-g", "-m", "20", r.RedirectURI()+query)
			cmd := exec.Command("curl", args...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return string(out)
		}
		for _, query := range []string{"?state=the-state&code=theirs", "?state=the-state&error=access_denied"} {
			if page := curl(query, "-i"); !strings.Contains(page, "403 Forbidden") || !strings.Contains(page, "another user") {
				t.Errorf("%s: another user was told %.60q", query, page)
			}
		}
		if got := ask(t, "GET", r.RedirectURI()+"?state=the-state&code=ours", nil); got.status != 303 {
			t.Errorf("this user was told %d", got.status)
		}
		if address := <-answers; !strings.Contains(address, "code=ours") {
			t.Errorf("the answer is %s", address)
		}
	}
}

// The answer of a client that does not wait for the page is nobody's: once its
// socket is closed it may have been anybody's.
func TestAClientThatIsGone(t *testing.T) {
	for name, rows := range map[string]string{
		"closed":       "   1: 0100007F:D2F0 0100007F:1F90 05 00000000:00000000 00:00000000 00000000     0        0 0 2 0000000000000000\n",
		"another port": "   1: 0100007F:D2F1 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 77 2 0000000000000000\n",
		"other end":    "   1: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 78 2 0000000000000000\n",
		"malformed":    "   1: 0100007F:D2F0 0100007F:1F90 01\n",
	} {
		const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		const listener = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9098237 2 0\n"
		if _, found, listed := callback.FindClient(head+listener+rows, "127.0.0.1:54000", "127.0.0.1:8080"); found || !listed {
			t.Errorf("%s: found %v, listed %v", name, found, listed)
		}
	}
	const live = "   1: 0100007F:D2F0 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 77 2 0000000000000000\n"
	if uid, found, listed := callback.FindClient(live, "127.0.0.1:54000", "127.0.0.1:8080"); uid != 1000 || !found || listed {
		t.Errorf("a client that waits: %d, %v, %v", uid, found, listed)
	}
}

// FuzzFindClient: only the row of a client that waits names a user.
func FuzzFindClient(f *testing.F) {
	f.Add("0: 0100007F:D2F0 0100007F:1F90 01 0:0 0:0 0 1000 0 77 2")
	f.Add("0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 9\n1: 0100007F:D2F0 0100007F:1F90 01 0:0 0:0 0 x 0 0")
	f.Fuzz(func(t *testing.T, list string) {
		uid, found, _ := callback.FindClient(list, "127.0.0.1:54000", "127.0.0.1:8080")
		if found && !strings.Contains(list, "0100007F:D2F0") || !found && uid != 0 {
			t.Errorf("found %v, user %d", found, uid)
		}
	})
}
