package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// startEmulator runs the verb until the test ends.
func startEmulator(t *testing.T, args ...string) (cmd *exec.Cmd, address string) {
	t.Helper()
	cmd = exec.Command("authring", append([]string{"emulator"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		_ = cmd.Process.Kill() // most have ended
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, found := strings.CutPrefix(strings.TrimSpace(line), "AUTHRING_DROPBOX_URL=")
	if !found || !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Fatalf("the first line is %q", line)
	}
	return cmd, address
}

func TestEmulatorServesUntilItIsInterrupted(t *testing.T) {
	cmd, address := startEmulator(t, "--auto-approve", "--access-token-ttl", "10m", "--fault", "refresh:v1_retired*1")
	code, err := approve(address + "/oauth2/authorize?client_id=2jmbq42w7vof78h&response_type=code&token_access_type=offline")
	if err != nil || code == "" {
		t.Errorf("the page gives no code: %v", err)
	}
	resp, err := http.Get(address + "/_emulator/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var asked any
	if err := json.NewDecoder(resp.Body).Decode(&asked); err != nil {
		t.Errorf("what was asked is no JSON: %v", err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("an interrupted emulator is no success: %v", err)
	}
}
