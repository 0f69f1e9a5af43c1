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
//
// The older paths /1/oauth2/authorize and /1/oauth2/token are the same pages.
//
// # What is in it
//
// Without options there is one app, [DefaultApp], which is Maestral's, and one
// user, [DefaultUser], Ada Lovelace, who is signed in. [WithApp] and [WithUser]
// put others in their place. Codes, access tokens and refresh tokens come from
// crypto/rand and have the shapes of Dropbox's own. Everything is kept in memory
// and ends with the value.
//
// Requests are checked as Dropbox checks them and refused in its words: a code
// is good once and for ten minutes, it is bound to the app, the redirect URI and
// the code challenge; a refresh token that was minted without a client secret
// needs none, one minted with a secret needs it; refresh tokens are not rotated
// unless [WithRotation] says so; error_summary ends in a random number of dots.
// Where nobody outside Dropbox knows the answer there is a switch, and the
// default is what RFC 6749 and RFC 7636 ask for, or what the SDKs' own tests saw.
//
// # Time
//
// [WithClock] replaces the clock: codes and access tokens expire by it, and the
// header Date shows it. [Dropbox.ExpireAccessTokens] is the short way.
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
// code is spent, the grant exists.
//
// # What is recorded
//
// [Dropbox.Requests] tells method, path, grant type, status and time of every
// request, and whether a secret stood in its URL; never a query string, a
// header or a body.
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
