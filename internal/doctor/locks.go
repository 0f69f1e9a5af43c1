package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// locks tells who holds the lock of a link. A lock ends with its process, so
// that none is ever left over; but a process that is stopped, or hangs, keeps
// its lock, and everybody else waiting.
func (e *examination) locks(context.Context) []Finding {
	if e.layoutErr != nil {
		return nil
	}
	folder := filepath.Join(e.layout.StateFolder(), "locks")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // told among the files
	}
	var found []Finding
	files := 0
	for _, entry := range entries {
		config, isLock := strings.CutSuffix(entry.Name(), ".lock")
		info, err := entry.Info()
		if !isLock || err != nil {
			continue
		}
		files++
		pid, held := lockHolder(info)
		if !held || pid == os.Getpid() {
			continue // nobody, or our own trial of the token
		}
		found = append(found, e.lockHeld(config, pid))
	}
	if files > 0 && len(found) == 0 && canSeeLocks {
		found = append(found, Finding{ID: "locks-free", Title: "No link is locked by another process"})
	}
	return found
}

func (e *examination) lockHeld(config string, pid int) Finding {
	f := Finding{ID: "lock-held", Severity: Note, Config: config, Title: fmt.Sprintf("A process works on %q", config)}
	if pid <= 0 {
		f.Detail, f.Cure = "it is in another container, or on another machine", "cat /proc/locks"
		return f
	}
	f.Detail = fmt.Sprintf("%s (pid %d)", programName(pid), pid)
	f.Cure = fmt.Sprintf("ps -o pid,stat,etime,args -p %d", pid)
	if isStopped(pid) {
		f.ID, f.Severity, f.Title = "lock-stale", Fail, fmt.Sprintf("A process that is stopped holds the lock of %q", config)
		f.Cure = fmt.Sprintf("kill -CONT %d", pid)
	}
	return f
}
