//go:build unix && !darwin

package cure

// Home has a shell find the folder of its own user.
const Home = `export HOME="$(getent passwd "$(id -u)" | cut -d: -f6)"`

// Commands about what this system has.
const (
	ShowClock   = "timedatectl"
	SetClock    = "sudo timedatectl set-ntp true"
	NameServers = "cat /etc/resolv.conf"
	Routes      = "ip route"
)

// Certify has the certificates of this system made whole, by which the server
// at url is judged.
func Certify(string) string { return "sudo apt install --reinstall ca-certificates" }

// Resolve looks a name up.
func Resolve(host string) string { return Command("getent", "hosts", host) }
