package record

import "path/filepath"

// PolicyPath is the file with the rules of who may have tokens of a link. It
// is configuration, and stays when the link goes.
func (l Layout) PolicyPath(config string) string {
	folder := l.config
	if l.Maestral() {
		// Not into that program's own folder.
		folder = filepath.Join(filepath.Dir(l.config), DefaultApp, "maestral")
	}
	return l.path(filepath.Join(folder, "policy"), config, ".json")
}

// PolicyLockPath is the file whose lock guards changes of the policy.
func (l Layout) PolicyLockPath(config string) string {
	return l.path(filepath.Join(l.state, "policy"), config, ".lock")
}

// ProviderLockPath is the file whose lock guards changes of what is known of a
// provider.
func (l Layout) ProviderLockPath(provider string) string {
	return l.path(filepath.Join(l.state, "providers"), provider, ".lock")
}

// AuditPath is the log of who asked for tokens of a link.
func (l Layout) AuditPath(config string) string {
	return l.path(filepath.Join(l.state, "audit"), config, ".jsonl")
}
