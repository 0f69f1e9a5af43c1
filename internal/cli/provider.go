package cli

import (
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
)

type providerFlags struct {
	issuer, authURL, tokenURL, deviceURL, revokeURL, userinfoURL string
	title, clientID, secretFile, clientAuth, redirectURI, replay string
	secretFD                                                     int
	scope, hosts                                                 []string
	redirectPorts                                                []int
	keyring                                                      string
	allowPlaintext, yes, localOnly                               bool
}

const providerLong = `Describe the servers that links can be made with. Every OAuth 2.0 server will
do; Dropbox, and a few others, are known already. What is known of a server is
in a file of its own, which can be read and edited, and which holds no secret.

list shows the providers, and show what is known of one: its file.

add NAME adds one. With --issuer the server is asked what it says of itself (RFC
8414, or OpenID Connect Discovery), over https, or http on this machine. Where
that sends codes and tokens to other hosts than the issuer's, they are shown,
and you are asked, or say --yes. What was accepted is kept, and is not asked for
again. Without --issuer, --auth-url and --token-url give the addresses. A name
that is known already, such as google, needs neither.

Most servers must know the program: register one with the provider, as an
installed or desktop application, with the redirect URI http://127.0.0.1/, and
give its client id with --client-id, here or to authring link. A client secret,
if there is one, is read from --client-secret-file or --client-secret-fd and
stored in the keyring.

update NAME asks the issuer again, shows what differs from what was accepted,
and asks whether to take it over. What is given with options is changed whether
or not that can be done, or is wanted.

remove NAME removes what was added, with its client secret. It is refused while
links are with it, and where the keyring of the client secret cannot be used;
with --local-only the client secret is then left where it is.`

const providerExample = `  authring provider add work --issuer https://login.example.org --client-id ID
  authring link -c work --provider work
  authring provider add google --client-id ID --client-secret-file secret.txt
  authring provider update work
  authring provider list --json`

var providerWords = []string{"list", "show", "add", "update", "remove"}

func (p *program) providerCommand() *cobra.Command {
	o := providerFlags{secretFD: noDescriptor}
	cmd := p.newCommand(&cobra.Command{
		Use:   "provider list|show|add|update|remove [NAME] [options]",
		Short: "Describe the servers that links can be made with",
		Args:  cobra.ArbitraryArgs,
		RunE:  func(cmd *cobra.Command, args []string) error { return p.runProvider(cmd, args, o) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			switch {
			case len(args) == 0:
				return providerWords, cobra.ShellCompDirectiveNoFileComp
			case len(args) == 1 && args[0] != "list":
				return p.providerNames(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}, page{
		long: providerLong, example: providerExample,
		exits: []int{exitOK, exitInvalid, exitConnection, exitLocked, exitUnavailable, exitUsage, exitInternal, exitInterrupted},
	})
	flags := cmd.Flags()
	flags.StringVar(&o.issuer, "issuer", "", "the server's issuer `URL`, which says the rest")
	flags.StringVar(&o.authURL, "auth-url", "", "authorization endpoint: the `URL` that is opened in the browser")
	flags.StringVar(&o.tokenURL, "token-url", "", "token endpoint `URL`")
	flags.StringVar(&o.deviceURL, "device-url", "", "device authorization endpoint `URL`")
	flags.StringVar(&o.revokeURL, "revoke-url", "", "revocation endpoint `URL`")
	flags.StringVar(&o.userinfoURL, "userinfo-url", "", "the `URL` that says whose a token is")
	flags.StringVar(&o.clientID, "client-id", "", "client `ID` of the program, as the provider gave it")
	flags.StringVar(&o.secretFile, "client-secret-file", "", "`FILE` whose first line is the client secret")
	flags.IntVar(&o.secretFD, "client-secret-fd", o.secretFD, "file descriptor `N` to read the client secret from")
	flags.Lookup("client-secret-fd").DefValue = ""
	flags.StringVar(&o.clientAuth, "client-auth", "", "how the client secret is shown: `none`, basic or post")
	flags.StringSliceVar(&o.scope, "scope", nil, "ask for this `SCOPE` when nothing else is asked for; may be repeated")
	flags.StringSliceVar(&o.hosts, "host", nil, "a `HOST` that access tokens may be sent to; may be repeated")
	flags.StringVar(&o.redirectURI, "redirect-uri", "", "redirect `URI` on this machine that is registered, without a port")
	flags.IntSliceVar(&o.redirectPorts, "redirect-port", nil, "a `PORT` of it that is registered, where any other is refused; may be repeated")
	flags.StringVar(&o.replay, "replay", "", "whether refresh tokens can be used again: `single-use`, grace or reusable")
	flags.StringVar(&o.title, "title", "", "`NAME` of the provider for people")
	flags.StringVar(&o.keyring, "keyring", "", "store the client secret in the keyring `ID`, and in no other")
	flags.BoolVar(&o.allowPlaintext, "allow-plaintext", false, "accept plain text for the client secret if no keyring can be used")
	flags.BoolVar(&o.localOnly, "local-only", false, "remove it though its client secret cannot be deleted")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

// providerRun is one run of the verb.
type providerRun struct {
	*program
	providerFlags
	folder registry.Folder
	name   string
	given  func(flag string) bool
	seen   fs.FileInfo // of its file, when it was read; nil: there was none
}

func (p *program) runProvider(cmd *cobra.Command, args []string, o providerFlags) error {
	word, name, err := providerArgs(args)
	if err != nil {
		return err
	}
	r := &providerRun{program: p, providerFlags: o, name: name, given: cmd.Flags().Changed}
	if err := r.check(word); err != nil {
		return err
	}
	if r.folder, err = p.providerFolder(); err != nil {
		return err
	}
	ctx := cmd.Context()
	switch word {
	case "list":
		return r.list()
	case "show":
		return r.show()
	}
	outlivePipes()
	if r.folder == "" {
		return usage("provider", "Maestral's links are all with Dropbox; leave out --app Maestral")
	}
	r.see()
	switch word {
	case "add":
		return r.add(ctx)
	case "update":
		return r.update(ctx)
	default:
		return r.remove(ctx)
	}
}

func providerArgs(args []string) (word, name string, err error) {
	if len(args) == 0 {
		return "", "", usage("provider", "say what to do: %s", strings.Join(providerWords, ", "))
	}
	word = args[0]
	switch rest := args[1:]; {
	case !slices.Contains(providerWords, word):
		return "", "", usage("provider", "provider does %s", strings.Join(providerWords, ", "))
	case word == "list" && len(rest) > 0:
		return "", "", usage("provider", "provider list takes no name; provider show does")
	case word != "list" && len(rest) != 1:
		return "", "", usage("provider", "name one provider: authring provider %s NAME", word)
	case word != "list":
		name = rest[0]
	}
	if name != "" {
		if err := registry.CheckName(name); err != nil {
			return "", "", usage("provider", "%v", err)
		}
	}
	return word, name, nil
}

// check finds what does not fit together before anything is touched.
func (r *providerRun) check(word string) error {
	changes := word == "add" || word == "update"
	for _, flag := range []string{
		"issuer", "auth-url", "token-url", "device-url", "revoke-url", "userinfo-url", "client-id", "client-secret-file",
		"client-secret-fd", "client-auth", "scope", "host", "redirect-uri", "redirect-port", "replay", "title", "keyring", "allow-plaintext",
	} {
		if !changes && r.given(flag) {
			return usage("provider", "--%s is for provider add and provider update", flag)
		}
	}
	switch {
	case word != "remove" && r.given("local-only"):
		return usage("provider", "--local-only is for provider remove")
	case r.given("client-secret-file") && r.given("client-secret-fd"):
		return usage("provider", "--client-secret-file and --client-secret-fd both give a client secret; leave one out")
	case r.given("client-secret-fd") && !canRead(r.secretFD):
		return usage("provider", "--client-secret-fd needs a descriptor that can be read, %s", canReadHelp)
	case word == "update" && r.given("issuer"):
		return usage("provider", "another issuer is another provider: remove this one, and add it anew")
	case r.given("issuer") && (r.given("auth-url") || r.given("token-url")):
		return usage("provider", "--issuer says where the endpoints are; leave it out, or the addresses")
	case word == "add" && r.given("auth-url") != r.given("token-url"):
		return usage("provider", "--auth-url and --token-url belong together")
	}
	if r.clientAuth != "" {
		var auth provider.ClientAuth
		if err := auth.UnmarshalText([]byte(r.clientAuth)); err != nil {
			return usage("provider", "%v", err)
		}
	}
	if _, ok := replayRules[r.replay]; r.replay != "" && !ok {
		return usage("provider", "--replay is one of single-use, grace and reusable")
	}
	return checkKeyringID("provider", r.keyring)
}

var replayRules = map[string]provider.Replay{
	"single-use": provider.ReplaySingleUse, "grace": provider.ReplayGrace, "reusable": provider.ReplayReusable,
}

// apply puts the options that were given into a provider.
func (r *providerRun) apply(p *provider.Provider) {
	for flag, to := range map[string]struct {
		field *string
		value string
	}{
		"auth-url": {&p.AuthURL, r.authURL}, "token-url": {&p.TokenURL, r.tokenURL}, "device-url": {&p.DeviceURL, r.deviceURL},
		"revoke-url": {&p.RevokeURL, r.revokeURL}, "userinfo-url": {&p.UserinfoURL, r.userinfoURL},
		"client-id": {&p.ClientID, r.clientID}, "redirect-uri": {&p.RedirectURI, r.redirectURI}, "title": {&p.Title, r.title},
	} {
		if r.given(flag) {
			*to.field = to.value
		}
	}
	if r.given("scope") {
		p.DefaultScope = r.scope
	}
	if r.given("redirect-port") {
		p.RedirectPorts, p.ExactRedirect = r.redirectPorts, len(r.redirectPorts) > 0
	}
	if r.given("host") {
		p.Hosts = r.hosts
	}
	if r.replay != "" {
		p.Replay = replayRules[r.replay]
	}
	if r.clientAuth != "" {
		_ = p.ClientAuth.UnmarshalText([]byte(r.clientAuth)) // was checked
	}
	if len(p.Hosts) == 0 && p.UserinfoURL != "" {
		if u, err := url.Parse(p.UserinfoURL); err == nil {
			p.Hosts = []string{u.Host}
		}
	}
}
