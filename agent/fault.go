package agent

import (
	"errors"
	"net/http"

	"github.com/authring/authring/internal/fault"
)

// errorReply is an error. Its members are those that the command line tool
// prints, and promises.
type errorReply struct {
	Error    string `json:"error"`
	Message  string `json:"message"`
	ExitCode int    `json:"exit_code"`
	Hint     string `json:"hint"`
}

// requestError is a request that is not of the protocol.
type requestError struct {
	status  int
	code    string
	message string
}

func (e *requestError) Error() string { return e.message }

func badRequest(message string) error {
	return &requestError{http.StatusBadRequest, "usage", message}
}

// faultOf names an error, and gives its exit code.
func faultOf(err error) (name string, code int) {
	var request *requestError
	var refused *RefusedError
	switch {
	case errors.As(err, &request):
		return request.code, fault.Usage
	case errors.As(err, &refused):
		return "refused", fault.Refused
	case errors.Is(err, errTooOften):
		return "too-often", fault.Temporary
	case errors.Is(err, errChanged):
		return "changed", fault.Temporary
	}
	return fault.Of(err)
}

// statusOf is the HTTP status of an error. 503 is not among them: it stands
// for an agent that has no room.
func statusOf(err error) int {
	var request *requestError
	if errors.As(err, &request) {
		return request.status
	}
	_, code := faultOf(err)
	switch code {
	case fault.Usage:
		return http.StatusBadRequest
	case fault.NotLinked:
		return http.StatusNotFound
	case fault.Refused, fault.Invalid:
		return http.StatusForbidden
	case fault.Revoked:
		return http.StatusGone
	case fault.Locked:
		return http.StatusLocked
	case fault.Unavailable:
		return http.StatusFailedDependency
	case fault.Connection:
		return http.StatusBadGateway
	case fault.Temporary:
		return http.StatusTooManyRequests
	default:
		return http.StatusInternalServerError
	}
}

func (a *Agent) explain(err error, link Link) errorReply {
	reply := errorReply{Message: err.Error()}
	reply.Error, reply.ExitCode = faultOf(err)
	var request *requestError
	var refused *RefusedError
	switch {
	case errors.As(err, &request):
		reply.Hint = "The protocol is described in docs/agent.md."
	case errors.As(err, &refused):
		reply.Hint = refused.Hint
	case a.config.Explain != nil && link.Config != "":
		reply.Message, reply.Hint = a.config.Explain(err, link)
	}
	return reply
}
