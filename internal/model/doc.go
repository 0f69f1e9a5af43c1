// Package model is the refresh transaction of the library as a small state
// machine, with all that can befall it, for a search through every order of
// events up to a bound. Everything in it is a test; nothing imports it.
//
// # The machine
//
// A world is the state of everything at one moment: what the keyring holds, the
// note of the attempt, the mark in the record, the intent of a link that was cut
// short, who has the lock; what the server knows of each refresh token; and where
// each process stands, and what it has in memory. Refresh tokens are numbers,
// in the order in which the server made them. A process takes the steps of the
// library's code, one function call or one effect on the outside at a time, and
// they bear its names. Between any two of them another process may go on, or a
// fault may happen while its budget lasts:
//
//   - a process dies, and a new one takes its place, with nothing in memory;
//   - a request never leaves, is lost on its way, is answered 429, or its answer
//     is lost;
//   - the keyring cannot be read; it refuses a write, loses one, or makes one
//     and reports an error;
//   - a file cannot be written;
//   - the user revokes the grant; the server refuses a good token, wrongly;
//   - time passes: the window of a provider with grace ends, first by the
//     client's reckoning, which began before the request left, then by the
//     server's.
//
// The rules say which world it is: how many processes, how many refreshes
// each, what the provider says of replay, what the server does, which faults.
//
// # What is asserted
//
// In every world that can be reached, and at every step:
//
//   - A refresh token for a single use is redeemed once. A used one is
//     presented again only after its answer was lost, once, and never while
//     somebody holds a good one: no replay ends a grant that could be used.
//     (Where notes cannot be written, and within the tries of one request to a
//     provider with grace, the count is not kept; the rest holds.)
//   - Somebody can go on: the keyring, or a process that is alive, holds a
//     refresh token that the server accepts. The exceptions are the user's
//     revocation, and this one: the server had made a new token, and what
//     carried it was lost before the keyring had it (the answer, or the
//     process), with a provider that does not let the request be repeated, or
//     not any more. Nobody ever had that token in a place that lasts. It cannot
//     happen with refresh tokens that can be used again, nor while a window is
//     open; nor without a crash or a lost answer, whatever the keyring does.
//   - What is shown is true. A link that is marked as revoked has no token that
//     the server accepts, unless the server refused it wrongly, twice, or once
//     while it was in doubt; an access token is handed out only when the keyring
//     holds the refresh token that goes with it; a token is said to be in doubt
//     only after two faults, and to have been replaced only if it was used.
//
// A disk that fails as the keyring does is left out: then nobody can be told.
// And that somebody can go on does not say that he does: a token for a single
// use whose answer did not come twice is used no more, though after two requests
// that the server never saw it is good.
//
// # Whether it would notice
//
// A flaw is a change of the machine, named after what a careless program would
// do. For each of them a world must be found in which an assertion fails. Some
// were the library's own until the search found them.
//
// A counterexample is printed as the steps that lead to it, each with the process
// that took it and the world after it.
package model
