package child

import "strings"

// ours begins the names of this program's own variables.
const ours = "AUTHRING_"

// Environment is what a command gets: env without this program's own variables,
// but for those named in keep, and without those named in drop; with set, whose
// elements are NAME=value.
func Environment(env, keep, drop, set []string) []string {
	taken := map[string]bool{}
	for _, name := range drop {
		taken[fold(name)] = true
	}
	for _, variable := range set {
		name, _, _ := strings.Cut(variable, "=")
		taken[fold(name)] = true
	}
	kept := map[string]bool{}
	for _, name := range keep {
		kept[fold(name)] = true
	}
	var out []string
	for _, variable := range env {
		name, _, _ := strings.Cut(variable, "=")
		name = fold(name)
		if taken[name] || strings.HasPrefix(name, ours) && !kept[name] {
			continue
		}
		out = append(out, variable)
	}
	return append(out, set...)
}

// IsName reports whether a shell can use a name for a variable.
func IsName(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
