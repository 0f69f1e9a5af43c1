package cli

import (
	"slices"
	"strings"

	"github.com/authring/authring/internal/cure"
)

const (
	defaultConfig = "default"
	defaultApp    = "authring"
)

// command spells a command that the user can type, for the link in use.
func (p *program) command(verb string, flags ...string) string {
	return p.named(p.config, verb, flags...)
}

// named is command for the link of another config name.
func (p *program) named(config, verb string, flags ...string) string {
	words := append([]string{"authring", verb}, flags...)
	if verb == "link" && !slices.Contains(flags, "--finish") { // which knows what was begun
		words = append(words, p.linkFlags...)
	}
	if config != defaultConfig {
		words = append(words, "-c", config)
	}
	if p.app != defaultApp {
		words = append(words, "--app", p.app)
	}
	return cure.Command(words...)
}

// shellQuote quotes a word that a shell would read otherwise.
func shellQuote(word string) string { return cure.Quote(word) }

// indent puts prefix before every line.
func indent(text, prefix string) string {
	return prefix + strings.ReplaceAll(text, "\n", "\n"+prefix)
}
