// Package authring links a program to a cloud account once, keeps the
// long-lived secret in the system keyring, and hands out valid access tokens
// for ever after. It is the Go successor of the class OAuth2Session of
// Maestral, an open-source Dropbox client.
//
// # Link
//
// A [Session] belongs to a config name: what the user calls the link. Send the
// user to [Session.AuthURL], give the code that they bring to
// [Session.VerifyAuthToken], and keep the result with [Session.SaveCreds]:
//
//	s, err := authring.Open("work")
//	...
//	fmt.Println("Approve access here:", s.AuthURL())
//	...
//	err = s.VerifyAuthToken(ctx, code)
//	...
//	saved, err := s.SaveCreds(ctx)
//
// # Use
//
// [Session.Token] returns an access token that is valid for some minutes, from
// memory or with a refresh. [Session.Client] is an HTTP client that adds it to
// requests, and [Session.TokenSource] fits golang.org/x/oauth2.
//
// # States
//
// [Session.State] tells which of six states a link is in. That a secret cannot
// be read, or is missing, never makes a link unlinked: [Open], [Session.Status]
// and [Session.Unlink] work with a keyring that is absent, locked or broken.
//
// # Where secrets are
//
// The refresh token is in the keyring that the record names, and nowhere else.
// Access tokens are in memory only. Values of type [Secret] print as ***.
//
// # Bounds
//
// Each call that may wait takes a context, and ends soon after it. Each wait
// has a bound of its own as well; a prompt of the keyring is withdrawn when it
// has passed ([WithPrompt]).
//
// # Compatibility
//
// The formats of records, the names of keyring items and the identifiers of
// keyrings are promises from the first release on.
package authring
