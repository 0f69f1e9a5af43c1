package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/system"
	"github.com/authring/authring/record"
)

type linkOptions struct {
	provider       string
	clientID       string
	appKey         string
	scope          []string
	keyring        string
	allowPlaintext bool
	relink         bool
	switchAccount  bool
	noBrowser      bool
	way            string
	redirects      []string
	begin, finish  bool
}

const linkLong = `Link an account: the provider's page is opened in your browser, you approve
access there, and the browser brings the answer, or you paste the code that the
page shows, or the whole address that it ends at. What is pasted is read without
being shown; where standard input is not a terminal, it is read from there. It
is never taken as an argument, where others on this machine could see it.

The browser can bring the answer where the provider redirects to this machine.
Dropbox does for an app key of your own only, and compares the port as well:
name what you registered with --redirect-uri. Over SSH, in a container and
without a display no browser is opened: the code is pasted, or, where the
provider can, a short code is typed on another device, which a QR code brings
you to. --way chooses: browser, paste, or device. The page's address is always
printed too. With --no-browser, and with --json or --no-input unless --way
browser is given, the browser is left alone.

One process at a time links a config name. A second one waits, and takes over
if the first died; with --no-input it ends at once, and after a try in vain
there is a pause before the next one without a person.

The keyring is looked for before anything else is asked, in this order:
macOS Keychain, Secret Service (GNOME Keyring, KeePassXC and others), KWallet,
Windows Credential Manager, and a sealed file for which a key is set up. If
none of them can be used the secret could only be stored as plain text, which
any program of yours and any backup can read: you are asked for that, or say
so with --allow-plaintext (--keyring plaintext says it as well). authring
keyrings shows what is there.

--keyring sealed stores it in an encrypted file, where there is no keyring.
Its key is the systemd credential authring.sealed-key, an age identity
(--identity), a key file (--key-file, which is made if it is missing), or a
passphrase: from --passphrase-file or --passphrase-fd, or asked for. Where the
file of the key is, is remembered. --keyring helper:NAME stores it with the
program docker-credential-NAME, such as pass.

With --wait-keyring the keyring is waited for, and asked for no password; plain
text then does not take its place, unless --keyring plaintext is given.

With --begin and --finish the two halves run apart, within ten minutes: the
first prints the address, the second reads the code. Give both the same
options. After a failed connection, authring link --finish takes up a link
that was begun here.

A config name that is linked stays as it is without --relink. A relink
replaces the grant and revokes the old one; another account than the linked
one is refused unless --switch-account is given. With --keyring, a relink
moves the secret to that keyring.

With --provider the link is with another provider than Dropbox; what it is
called is told by authring provider list, and how one is added by authring
provider --help. Afterwards the record says which provider a link is with.`

const linkExample = `  authring link
  authring link -c work --app-key KEY --redirect-uri http://127.0.0.1:53682/
  authring link -c mail --provider microsoft --client-id ID --way device
  authring link --keyring sealed --key-file /media/stick/authring.key
  authring link --begin --json
  authring link --finish --json < code`

func (p *program) linkCommand() *cobra.Command {
	var opts linkOptions
	cmd := p.newCommand(&cobra.Command{
		Use:   "link [options]",
		Short: "Link an account",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("link", "link takes no arguments: the code is read from the terminal or from standard input, where others cannot see it")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return p.runLink(cmd, opts) },
	}, page{
		long: linkLong, example: linkExample,
		exits: []int{exitOK, exitInvalid, exitConnection, exitLocked, exitUnavailable, exitUsage, exitInternal, exitTemporary, exitInterrupted},
	})
	flags := cmd.Flags()
	flags.StringVar(&opts.provider, "provider", "", "link with the provider `NAME`, instead of Dropbox; see authring provider")
	flags.StringVar(&opts.appKey, "app-key", "", "app `KEY` to link with, instead of the provider's or Maestral's")
	flags.StringVar(&opts.clientID, "client-id", "", "client `ID`: what other providers call an app key")
	flags.StringSliceVar(&opts.scope, "scope", nil, "ask for this `SCOPE`; may be repeated")
	flags.StringVar(&opts.keyring, "keyring", "", "store the secret in the keyring `ID`, and in no other")
	flags.BoolVar(&opts.allowPlaintext, "allow-plaintext", false, "accept plain text if no keyring can be used")
	flags.BoolVar(&opts.relink, "relink", false, "replace the link that exists")
	flags.BoolVar(&opts.switchAccount, "switch-account", false, "let a relink replace the account by another")
	flags.StringVar(&opts.way, "way", wayAuto, "how the page is reached: `WAY` is auto, browser, paste or device")
	flags.StringArrayVar(&opts.redirects, "redirect-uri", nil, "wait for the browser at this `URI`, which the app key is registered with; may be repeated")
	flags.BoolVar(&opts.noBrowser, "no-browser", false, "do not open a browser")
	p.addWaitFlag(cmd)
	flags.BoolVar(&opts.begin, "begin", false, "print the address of the page, and end")
	flags.BoolVar(&opts.finish, "finish", false, "read the code for a link that was begun")
	return cmd
}

// check finds what does not fit together before anything is touched.
func (o *linkOptions) check(p *program) error {
	switch {
	case o.begin && o.finish:
		return usage("link", "--begin and --finish are two steps, each a command of its own")
	case o.finish && p.noInput && p.stdinTerminal():
		return usage("link", "--no-input with --finish needs the code on standard input, which is a terminal here")
	case o.appKey != "" && o.clientID != "":
		return usage("link", "--app-key and --client-id are the same; leave one out")
	case o.appKey != "" && !isClientID(o.appKey), o.clientID != "" && !isClientID(o.clientID):
		return usage("link", "a client id (app key) is letters, digits and signs without spaces")
	case o.provider != "" && o.provider != record.DefaultProvider && p.app == record.MaestralApp:
		return usage("link", "Maestral's links are all with Dropbox; leave out --app Maestral")
	case o.switchAccount && !o.relink && !o.finish:
		return usage("link", "--switch-account belongs to --relink")
	}
	if err := o.checkWay(); err != nil {
		return err
	}
	return checkKeyringID("link", o.keyring)
}

// isClientID: RFC 6749 appendix A.1 has client-id = *VSCHAR; none has spaces.
func isClientID(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// repeated are the flags without which a command that the user is told to type
// would make another link, or in another way.
func (o *linkOptions) repeated() []string {
	var flags []string
	if o.provider != "" {
		flags = append(flags, "--provider", o.provider)
	}
	if o.appKey != "" {
		flags = append(flags, "--client-id", o.appKey)
	}
	for _, scope := range o.scope {
		flags = append(flags, "--scope", scope)
	}
	for _, uri := range o.redirects {
		flags = append(flags, "--redirect-uri", uri)
	}
	return flags
}

// checkKeyringID refuses what is the name of no keyring; empty is none.
func checkKeyringID(verb, id string) error {
	if id == "" || slices.Contains(keyringIDs(), keyring.ID(id)) {
		return nil
	}
	if _, ok := system.Find(keyring.ID(id)); ok {
		return nil
	}
	return usage(verb, "there is no keyring of that name; the names are %s, and helper:NAME", strings.Join(keyringNames(), ", "))
}
