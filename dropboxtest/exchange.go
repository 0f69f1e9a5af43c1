package dropboxtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// exchange is a response writer that enters the status into the log before it
// goes out, so that a client which has its answer finds it in the log.
type exchange struct {
	d     *Dropbox
	w     http.ResponseWriter
	entry *Request
	now   time.Time
}

func (x *exchange) Header() http.Header { return x.w.Header() }

func (x *exchange) WriteHeader(status int) {
	x.note(func(e *Request) {
		if e.Status == 0 {
			e.Status = status
		}
	})
	x.w.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	x.note(func(e *Request) {
		if e.Status == 0 {
			e.Status = http.StatusOK
		}
	})
	return x.w.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

func (x *exchange) note(change func(*Request)) {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	change(x.entry)
}

// held is a response writer that keeps an answer back, for the faults that
// spoil it. It shares the header with the answer that goes out.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header { return h.header }

func (h *held) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *held) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}

// writeJSON answers with exactly application/json, which the Python SDK
// compares as a whole.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic("dropboxtest: could not encode an answer: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has left cannot be told
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
