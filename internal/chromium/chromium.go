// Package chromium drives a real browser in tests, by the DevTools protocol.
package chromium

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

// Page is a page of Chromium, driven over a pipe: messages of JSON that end in a
// zero byte, on the descriptors 3 and 4 of the browser (chromium
// --remote-debugging-pipe).
type Page struct {
	// T is the test that fails; a subtest may take its place for a while.
	T *testing.T

	// Asked are the addresses that the page asked for, and Complaints what
	// it wrote to the console, such as what a policy forbade.
	Asked, Complaints []string

	in      *os.File
	out     *bufio.Reader
	session string
	id      int
	events  []event
}

type event struct {
	ID     int
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *struct{ Message string }
}

// patience bounds everything that the browser does.
const patience = 90 * time.Second

// Start starts a browser, which ends with the test, and opens an empty page.
func Start(t *testing.T) *Page {
	t.Helper()
	needs.Programs(t, "chromium")
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	var noise bytes.Buffer
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-dev-shm-usage", "--hide-scrollbars",
		// Pages of other people name fonts and the like on other machines.
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1], EXCLUDE localhost",
		"--user-data-dir="+filepath.Join(home, "profile"), "--remote-debugging-pipe", "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "LANG=C.UTF-8")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	cmd.Stderr = &noise
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	if err := out.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := &Page{T: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	t.Cleanup(func() {
		b.session = ""
		b.send("Browser.close", nil)
		stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		_ = cmd.Wait() // how it ends does not matter
		_, _ = in.Close(), out.Close()
		if t.Failed() {
			t.Logf("chromium said: %.2000s", noise.String())
		}
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

func (b *Page) send(method string, params map[string]any) {
	b.id++
	message := map[string]any{"id": b.id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.T.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.T.Errorf("chromium has left: %v", err)
	}
}

// receive reads one message and notes what it tells of the page.
func (b *Page) receive() event {
	b.T.Helper()
	text, err := b.out.ReadBytes(0)
	if err != nil {
		b.T.Fatalf("no word from chromium: %v; the console says %q", err, b.Complaints)
	}
	var e event
	if err := json.Unmarshal(text[:len(text)-1], &e); err != nil {
		b.T.Fatal(err)
	}
	var params struct {
		Request struct{ URL string }
		Entry   struct{ Text string }
	}
	switch e.Method {
	case "Network.requestWillBeSent":
		_ = json.Unmarshal(e.Params, &params)
		b.Asked = append(b.Asked, params.Request.URL)
	case "Log.entryAdded":
		_ = json.Unmarshal(e.Params, &params)
		b.Complaints = append(b.Complaints, params.Entry.Text)
	}
	return e
}

// call sends a command and reads its result.
func (b *Page) call(method string, params map[string]any, result any) {
	b.T.Helper()
	b.send(method, params)
	for {
		e := b.receive()
		if e.ID != b.id {
			b.events = append(b.events, e)
			continue
		}
		if e.Error != nil {
			b.T.Fatalf("%s: %s", method, e.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(e.Result, result); err != nil {
				b.T.Fatal(err)
			}
		}
		return
	}
}

// Loaded does something and waits for the page that comes of it.
func (b *Page) Loaded(do func()) {
	b.T.Helper()
	b.events = nil
	do()
	for {
		var e event
		if len(b.events) > 0 {
			e, b.events = b.events[0], b.events[1:]
		} else {
			e = b.receive()
		}
		if e.Method == "Page.loadEventFired" {
			return
		}
	}
}

// Open goes to an address and waits for its page.
func (b *Page) Open(url string) {
	b.T.Helper()
	b.Loaded(func() { b.call("Page.navigate", map[string]any{"url": url}, nil) })
}

// Dress sets the size of the window and the colours that the person prefers.
func (b *Page) Dress(width, height int, scheme string) {
	b.T.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 500}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// Eval returns the value of an expression in the page.
func (b *Page) Eval(expression string, value any) {
	b.T.Helper()
	var result struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &result)
	if result.ExceptionDetails != nil {
		b.T.Fatalf("%s: %s", expression, result.ExceptionDetails.Text)
	}
	if err := json.Unmarshal(result.Result.Value, value); err != nil {
		b.T.Fatalf("%s: %v", expression, err)
	}
}

// History are the addresses that the button Back would lead to, and the one that
// is shown.
func (b *Page) History() []string {
	b.T.Helper()
	var history struct{ Entries []struct{ URL string } }
	b.call("Page.getNavigationHistory", nil, &history)
	var urls []string
	for _, entry := range history.Entries {
		urls = append(urls, entry.URL)
	}
	return urls
}

// Text is the visible text of an element.
func (b *Page) Text(selector string) string {
	b.T.Helper()
	var text string
	b.Eval(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector), &text)
	return text
}

// Click presses the mouse in the middle of an element, where a person would.
func (b *Page) Click(selector string) {
	b.T.Helper()
	var at struct{ X, Y float64 }
	b.Eval(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getBoundingClientRect();
		return {x: r.x + r.width/2, y: r.y + r.height/2};
	})()`, selector), &at)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{
			"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// Screenshot saves the whole page for a person to look at, if
// AUTHRING_TEST_SCREENSHOTS names a folder.
func (b *Page) Screenshot(name string) {
	b.T.Helper()
	folder := os.Getenv("AUTHRING_TEST_SCREENSHOTS")
	if folder == "" {
		return
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	picture, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.T.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600); err != nil {
		b.T.Fatal(err)
	}
}
