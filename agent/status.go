package agent

import (
	"net/http"
	"os"
	"time"
)

// Status is what an agent tells of itself: the answer to GET /v1/status, and
// what the command line tool prints. Its members are promises.
type Status struct {
	Agent       string  `json:"agent"` // authring
	Protocol    int     `json:"protocol"`
	Version     string  `json:"version"`
	PID         int     `json:"pid"`
	Uptime      int64   `json:"uptime_seconds"`
	Requests    int64   `json:"requests"`    // since it began, this one included
	Busy        int     `json:"busy"`        // requests that it works on, this one included
	Links       int     `json:"links"`       // that it holds in memory
	Connections int     `json:"connections"` // this one included
	IdleEnd     *string `json:"idle_ends_at"`
}

func (h *handler) status(w http.ResponseWriter) {
	h.mu.Lock()
	links, busy := len(h.links), h.busy
	h.mu.Unlock()
	s := Status{
		Agent: "authring", Protocol: Protocol, Version: h.config.Version, PID: os.Getpid(),
		Uptime: int64((h.clock.Now() - h.started) / time.Second), Requests: h.requests.Load(),
		Busy: busy, Links: links, Connections: h.conns.count(),
	}
	if end := h.idleEnd(); !end.IsZero() {
		at := end.UTC().Format(time.RFC3339)
		s.IdleEnd = &at
	}
	reply(w, http.StatusOK, s)
}
