// Package dropboxtest is a faithful local Dropbox for tests and trials: the
// authorize page, the token endpoint and the few API routes that a client of
// OAuth 2.0 needs, with faults on demand. It is used like net/http/httptest:
//
//	server := dropboxtest.NewServer()
//	defer server.Close()
//	code, err := server.Approve(authURL)	// the user allows the app
//	// exchange the code at server.URL + "/oauth2/token"
//
// [NewServer] listens on a free port of 127.0.0.1 at once and speaks plain
// http; [New] gives the same thing as an [http.Handler], to be served by the
// caller. All hosts of Dropbox are one here:
//
//	GET  /oauth2/authorize                 the consent page, for a browser
//	POST /oauth2/token                     codes and refresh tokens are redeemed
//	POST /2/users/get_current_account      who is linked
//	POST /2/check/user, /2/check/app       echo, the cheapest probes
//	POST /2/auth/token/revoke              ends the grant of the token in use
//	POST /2/auth/token/from_oauth1         always refuses, as for an unknown token
//	GET  /_emulator/requests               what was asked so far, as JSON
//	GET  /_emulator/stats                  the counts of each grant, as JSON
//
// The older paths /1/oauth2/authorize and /1/oauth2/token are the same pages.
//
// # What is in it
//
// Without options there is one app, [DefaultApp], which is Maestral's, and one
// user, [DefaultUser], Ada Lovelace, who is signed in. [WithApp] and [WithUser]
// put others in their place. Codes and access tokens come from crypto/rand,
// refresh tokens from a key that does, and all have the shapes of Dropbox's own.
// Everything is kept in memory and ends with the value.
//
// Requests are checked as Dropbox checks them and refused in its words: a code
// is good once and for ten minutes, it is bound to the app, the redirect URI and
// the code challenge; a refresh token that was minted without a client secret
// needs none, one minted with a secret needs it; refresh tokens are not rotated
// unless an option says so; error_summary ends in a random number of dots.
// Where nobody outside Dropbox knows the answer there is a switch, and the
// default is what RFC 6749 and RFC 7636 ask for, or what the SDKs' own tests saw.
//
// # Time
//
// [WithClock] replaces the clock: codes and access tokens expire by it, and the
// header Date shows it. [Dropbox.ExpireAccessTokens] is the short way.
//
// # Rotation
//
// Dropbox's refresh tokens are good again and again. Other providers hand out a
// new one with each refresh, and differ in what becomes of the used one, so that
// a client can be tried with each kind:
//
//	no option                               good for ever, as at Dropbox
//	WithRotation                            refused, nothing else happens
//	WithReuseDetection                      refused, and the whole grant ends
//	WithGrace(d)                            good for d, then refused
//	WithReuseDetection and WithGrace(d)     good for d, then the grant ends
//
// [WithReuseDetection] is RFC 9700 section 4.14.2, and takes the access tokens
// too. The window of [WithGrace] is for clients whose answer was lost, and for
// those that refresh in two places at once: for d after its first redemption a
// used token yields the same new refresh token each time, and a fresh access
// token. It is so for each token by itself, even if its successor was redeemed
// meanwhile. Servers that mint another successor for each replay, or that take
// back the window once the successor was seen, are not imitated. A token counts
// as used once the server redeemed it, whether or not the answer arrived. Who
// presents a token of another client, or lacks the secret that the grant needs,
// ends nothing.
//
// [Dropbox.Stats] counts for each grant the refresh tokens that were minted, the
// redemptions, the replays within the window and the reuses, and tells what ended
// it: enough to prove that a client redeems each token once at most.
//
// # Faults
//
// A fault takes the place of an ordinary answer. It is written as
//
//	[ENDPOINT:]NAME[=DURATION][*COUNT]
//
// for example v1_retired, refresh:server-error*2 or api:rate-limit=15s. ENDPOINT
// is token (the default), code or refresh (token requests of that kind only),
// authorize, api, all, or one route of the API such as auth/token/revoke. COUNT
// is how many requests are hit, all of them when it is absent. [FaultNames]
// lists the names and [FaultAbout] explains each. "After commit" in these
// explanations means that the server did its work before the answer was lost: the
// code is spent, the grant exists, the refresh token is used.
//
// A storm is a fault with a count: refresh:server-error*50. An answer is lost
// before the server did anything by reset-before-commit and hang, and afterwards
// by reset-after-commit, cut-body, slow-body=1h and server-error-after-commit.
// The fault revoked ends the grant of the request that meets it: the refresh
// token is refused from then on, and access tokens are answered with 401.
//
// # What is recorded
//
// [Dropbox.Requests] tells method, path, grant type, status and time of every
// request, and whether a secret stood in its URL; never a query string, a
// header or a body. It and [Dropbox.Stats] are bounded; so is what is kept of
// access tokens: when there are more than 10,000, the oldest of those that have
// expired are forgotten, and are then answered as unknown. A used refresh token is
// known as long as its grant is listed by [Dropbox.Stats], and takes no memory.
//
// # Safety
//
// A request whose header Host is not a loopback name, or one of Dropbox's own
// for those who redirect these to an emulator, is refused, so that no web page
// reaches the emulator by rebinding its name. A consent sent from another site
// is refused as well.
//
// All methods are safe for concurrent use. The package promises its exported
// names and the names of the faults; the look and wording of its pages may
// change, but for the element <code id="auth-code"> that holds the code.
package dropboxtest
