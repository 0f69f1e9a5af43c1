// Package proof holds tests that prove, with real processes that share links
// and are killed, that a grant is not lost, and that the agent bears what many
// processes do to it. There is nothing in it to use.
package proof
