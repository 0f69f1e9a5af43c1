//go:build unix

package cure

import "strings"

// And joins two commands, the second of which is for when the first succeeded.
const And = " && "

// Python is the command that runs Python.
const Python = "python3"

// Proxies shows the variables that name proxies.
const Proxies = "env | grep -i _proxy"

// Unset forgets environment variables.
func Unset(names ...string) string { return "unset " + strings.Join(names, " ") }

// Take gives an environment variable the value of another.
func Take(name, from string) string { return "export " + name + `="$` + from + `"` }

// Move gives a file or folder another name.
func Move(from, to string) string { return Command("mv", from, to) }

// Remove removes files.
func Remove(paths ...string) string { return Command(append([]string{"rm"}, paths...)...) }

// Look shows whose a file or folder is, and who may do what with it.
func Look(path string) string { return Command("ls", "-ld", path) }

// LookBelow is [Look] for all that is in a folder.
func LookBelow(path string) string { return Command("ls", "-lR", path) }

// Head asks a server for no more than its headers.
func Head(url string) string { return Command("curl", "-sSI", "-m", "10", url) }
