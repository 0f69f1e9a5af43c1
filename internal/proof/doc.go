// Package proof holds tests that prove, with real processes that share links
// and are killed, that a grant is not lost. There is nothing in it to use.
package proof
