package policy

// ParseCgroup reads the text of /proc/PID/cgroup.
func ParseCgroup(text string) string { return parseCgroup(text) }
