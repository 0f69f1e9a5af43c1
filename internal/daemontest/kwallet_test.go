package daemontest_test

import (
	"testing"

	"github.com/authring/authring/internal/daemontest"
)

func TestKWallet(t *testing.T) {
	desk := daemontest.NewDesk(t)
	w := daemontest.StartKWallet(t, desk)
	if !w.IsOpen(t) {
		t.Error("the wallet is closed, want open")
	}
	w.Close(t)
	w.Stop(t)
	w.Start(t)
	if w.IsOpen(t) {
		t.Error("the wallet is open after a restart, want closed")
	}
	w.Open(t)
}

func TestKWalletAsSecretService(t *testing.T) {
	desk := daemontest.NewDesk(t)
	daemontest.StartKWallet(t, desk, daemontest.WithSecretService())
	conn := desk.Connect(t)
	daemontest.WaitForName(t, conn, "org.freedesktop.secrets")
	var path string
	err := conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets").
		Call("org.freedesktop.Secret.Service.ReadAlias", 0, "default").Store(&path)
	if err != nil || path == "/" {
		t.Errorf("default collection %q, %v", path, err)
	}
}
