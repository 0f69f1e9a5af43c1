package cure

import "strings"

// What follows is for PowerShell, which a terminal on Windows opens with.

// And joins two commands. Not every PowerShell knows how to leave the second
// out when the first failed.
const And = "; "

// Python is the command that runs Python.
const Python = "py"

// Proxies shows the variables that name proxies.
const Proxies = "Get-ChildItem Env:*_PROXY"

// Home finds the folders of the user.
const Home = `$env:APPDATA = "$HOME\AppData\Roaming"; $env:LOCALAPPDATA = "$HOME\AppData\Local"`

// Commands about what this system has.
const (
	ShowClock   = "w32tm /query /status"
	SetClock    = "w32tm /resync"
	NameServers = "Get-DnsClientServerAddress"
	Routes      = "route print"
)

// Unset forgets environment variables.
func Unset(names ...string) string { return "Remove-Item Env:" + strings.Join(names, ", Env:") }

// Take gives an environment variable the value of another.
func Take(name, from string) string { return "$env:" + name + " = $env:" + from }

// Move gives a file or folder another name.
func Move(from, to string) string { return Command("Move-Item", from, to) }

// Remove removes files.
func Remove(paths ...string) string {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = Quote(path)
	}
	return "Remove-Item " + strings.Join(quoted, ", ")
}

// Look shows whose a file or folder is, and who may do what with it.
func Look(path string) string { return Command("icacls", path) }

// LookBelow is [Look] for all that is in a folder.
func LookBelow(path string) string { return Command("icacls", path, "/T") }

// Head asks a server for no more than its headers. Without its ending the name
// is that of another command.
func Head(url string) string { return Command("curl.exe", "-sSI", "-m", "10", url) }

// Certify shows who vouches for the server at url.
func Certify(url string) string { return Command("curl.exe", "-sSvI", "-m", "10", url) }

// Resolve looks a name up.
func Resolve(host string) string { return Command("nslookup", host) }
