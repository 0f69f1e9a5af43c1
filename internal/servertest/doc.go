// Package servertest holds the library and the command line tool against
// authorization servers that were written elsewhere, for everybody: node's
// oidc-provider, and the example server of zitadel/oidc. They run on this
// machine, and a real browser works on their own pages.
//
// Each run tells what it found of a server, a way to link, and a feature.
// genservers makes the table in docs/providers.md of that, or fails if the
// document has another one.
package servertest
