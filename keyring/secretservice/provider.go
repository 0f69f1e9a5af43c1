package secretservice

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// name is what the keyring is called where its provider is not known.
const name = "Secret Service"

// providerBound is how long an error may wait for a name.
const providerBound = time.Second

// providers are the programs known by their name in /proc, which the kernel
// cuts to 15 bytes.
var providers = [...]struct{ program, name string }{
	{"gnome-keyring-d", "GNOME Keyring"},
	{"keepassxc", "KeePassXC"},
	{"kwalletd", "KWallet (Secret Service)"},
	{"ksecretd", "KDE Wallet"},
}

// providerName returns what people call the program behind the service: they
// know it by its windows, not by the name of a specification.
func (l *link) providerName(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerBound)
	defer cancel()
	body, err := l.ask(ctx, l.bus("GetConnectionUnixProcessID", l.owner))
	if err != nil {
		return name
	}
	pid, err := decodeAt[uint32](body, 0)
	if err != nil {
		return name
	}
	// Not the link exe: that of gnome-keyring, which has a capability to lock
	// memory, may not be read.
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return name
	}
	return providerOf(strings.TrimSpace(string(comm)))
}

func providerOf(program string) string {
	for _, p := range providers {
		if strings.HasPrefix(program, p.program) {
			return p.name
		}
	}
	if program == "" {
		return name
	}
	return name + " (" + program + ")"
}
