package model_test

// process is one session in one process.
type process struct {
	at   step
	left uint8 // how many more calls of Token need a refresh

	// What the session has in memory.
	known    token
	unsaved  bool
	keeping  bool // the lock that says so to the others
	replaces token

	// The transaction.
	grant   token
	doubt   bool
	noted   bool
	tries   uint8 // as found in the note
	young   bool  // likewise
	sent    bool  // a try may have reached the server
	confirm bool  // this is the second question after a refusal
	answer  answer
	heir    token // the new refresh token of the answer
}

// answer is what comes, or came, of a request.
type answer uint8

const (
	nothing answer = iota
	granted
	refused // invalid_grant
	limited // 429
	unsent  // it never left
	silent  // it left, and no answer came
)

// step is where a process stands: what it will do next.
type step uint8

const (
	idle step = iota
	recovering
	recoverSave
	recoverDrop
	reloading
	grantNow
	settlePut
	settleBack
	beginning
	saveAttempt
	refreshing
	awaiting
	answered
	refusing
	saveMark
	failing
	savePut
	saveBack
	keepLock
	dropAttempt
	clearMark
	publishing
	unlocking
)

// rest ends the transaction, and keeps what the session has.
func (p *process) rest() {
	*p = process{left: p.left - 1, known: p.known, unsaved: p.unsaved, keeping: p.keeping, replaces: p.replaces}
}

// bytes are the process in a world's key.
func (p *process) bytes(locks bool) [9]byte {
	return [9]byte{
		byte(p.at), p.left, byte(p.known), byte(p.replaces), byte(p.grant), p.tries, byte(p.answer), byte(p.heir) | byte(bits8(locks)<<7),
		bits8(p.unsaved, p.keeping, p.doubt, p.noted, p.young, p.sent, p.confirm),
	}
}
