package cli

import (
	"errors"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/child"
	"github.com/authring/authring/internal/fault"
	"github.com/authring/authring/internal/proxy"
)

// The exit codes; see package fault.
const (
	exitOK          = 0
	exitInvalid     = fault.Invalid
	exitConnection  = fault.Connection
	exitNotLinked   = fault.NotLinked
	exitLocked      = fault.Locked
	exitUnavailable = fault.Unavailable
	exitRevoked     = fault.Revoked
	exitEnding      = fault.Ending
	exitUsage       = fault.Usage
	exitNoAgent     = fault.NoAgent
	exitInternal    = fault.Internal
	exitTemporary   = fault.Temporary
	exitRefused     = fault.Refused
	exitInterrupted = fault.Interrupted

	// Those of env(1) and of shells, for a command that was to be run.
	exitNotRunnable = 126
	exitNoCommand   = 127
)

// exitMeaning says what an exit code tells, in help and man pages.
func exitMeaning(code int) string {
	switch code {
	case exitOK:
		return "Success."
	case exitInvalid:
		return "The code, the token or the request was refused, or belongs to another account."
	case exitConnection:
		return "The server could not be asked, or gave no usable answer. Nothing was lost: try again."
	case exitNotLinked:
		return "No account is linked under this config name."
	case exitLocked:
		return "The keyring is locked, or access to it was denied."
	case exitUnavailable:
		return "The keyring cannot be used, or holds no secret for this link."
	case exitRevoked:
		return "The grant was revoked, or can be used no more: link again."
	case exitEnding:
		return "The link works, and will end soon: status --check only."
	case exitUsage:
		return "The command, or something that it names, cannot be used."
	case exitNoAgent:
		return "No agent is running, or none that answers."
	case exitTemporary:
		return "The keyring was not up in time (--wait-keyring), the agent was asked too often, or another process is making the same link: try again later."
	case exitRefused:
		return "The agent's policy refuses this program."
	case exitInterrupted:
		return "Interrupted, or the question was answered with no. Nothing was left half done."
	case exitNotRunnable:
		return "The command is there and cannot be run: exec only."
	case exitNoCommand:
		return "There is no such command: exec only."
	default:
		return "Something else failed, such as reading or writing a file."
	}
}

// kind is a class of errors: its name in JSON output, and its exit code.
type kind struct {
	name string
	code int
}

// errInterrupted stands for Ctrl-C, and for a question answered with no.
var errInterrupted = errors.New("interrupted")

// errInput stands for a file of another program's that cannot be read.
var errInput = errors.New("unreadable input")

// kindOf maps an error to its kind: one of the tool's own, one that the agent
// reported, or one of the library.
func kindOf(err error) kind {
	var quiet silent
	var usage *usageError
	var answer *agentclient.AgentError
	switch {
	case err == nil:
		return kind{"", exitOK}
	case errors.As(err, &quiet):
		return kind{"", int(quiet)}
	case errors.As(err, &usage):
		return kind{"usage", exitUsage}
	case errors.Is(err, errInput):
		return kind{"unreadable-input", exitUsage}
	case errors.Is(err, errBound):
		return kind{"bound-to-key", exitUsage}
	case errors.Is(err, proxy.ErrNoHosts):
		return kind{"no-hosts", exitUsage}
	case errors.Is(err, errInterrupted):
		return kind{"interrupted", exitInterrupted}
	case errors.As(err, &answer):
		return kind{printable(answer.Code), answer.ExitCode}
	case errors.Is(err, child.ErrNotRunnable), errors.Is(err, child.ErrCurrentFolder):
		return kind{"not-runnable", exitNotRunnable}
	case errors.Is(err, child.ErrNotFound):
		return kind{"no-such-command", exitNoCommand}
	case errors.Is(err, agentclient.ErrNoAgent), errors.Is(err, agentclient.ErrFailed):
		return kind{"no-agent", exitNoAgent}
	}
	name, code := fault.Of(err)
	return kind{name, code}
}

// stateCode is the exit code of a verb that reports a state.
func stateCode(state authring.State) int {
	switch state {
	case authring.Linked:
		return exitOK
	case authring.Locked:
		return exitLocked
	case authring.Unavailable, authring.SecretMissing:
		return exitUnavailable
	case authring.Revoked:
		return exitRevoked
	default:
		return exitNotLinked
	}
}

// exitSilently ends the run with a code when everything was said already.
func exitSilently(code int) error {
	if code == exitOK {
		return nil
	}
	return silent(code)
}

type silent int

func (s silent) Error() string { return exitMeaning(int(s)) }
