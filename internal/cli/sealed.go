package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"filippo.io/age/plugin"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/keyring/system"
	"github.com/authring/authring/secret"
)

// sealing is what one run of the tool knows of the sealed file: the flags that
// name its key, and the keyrings, which are made once so that a passphrase is
// asked for once.
type sealing struct {
	identity       string
	keyFile        string
	passphraseFile string
	passphraseFD   int
	// named is set when the user named this keyring. Only then, or if there
	// is a sealed file, is a person asked for a passphrase.
	named bool

	once     sync.Once
	keyrings []keyring.Keyring
}

const noDescriptor = -1

// addSealedFlags adds the global flags.
func (p *program) addSealedFlags(flags *pflag.FlagSet) {
	s := p.sealed
	flags.StringVar(&s.identity, "identity", "", "age identity `FILE`, plugins' too, that opens the sealed file")
	flags.StringVar(&s.keyFile, "key-file", "", "`FILE` of random bytes that opens the sealed file; made with it if missing")
	flags.StringVar(&s.passphraseFile, "passphrase-file", "", "`FILE` whose first line is the passphrase of the sealed file")
	flags.IntVar(&s.passphraseFD, "passphrase-fd", noDescriptor, "file descriptor `N` to read that passphrase from")
	flags.Lookup("passphrase-fd").DefValue = ""
}

// checkSealedFlags finds what does not fit together before anything is read.
func (p *program) checkSealedFlags(cmd *cobra.Command) error {
	s, given := p.sealed, cmd.Flags().Changed("passphrase-fd")
	for _, flag := range []string{"identity", "key-file", "passphrase-file"} {
		// A variable that was not set, say: no other key may take its place.
		if cmd.Flags().Changed(flag) && cmd.Flags().Lookup(flag).Value.String() == "" {
			return usage(cmd.Name(), "--%s needs the name of a file", flag)
		}
	}
	switch {
	case given && s.passphraseFile != "":
		return usage(cmd.Name(), "--passphrase-file and --passphrase-fd both give a passphrase; leave one out")
	case given && !canRead(s.passphraseFD):
		return usage(cmd.Name(), "--passphrase-fd needs a descriptor that can be read, %s", canReadHelp)
	case given && s.passphraseFD == 0 && cmd.Name() == "link":
		return usage(cmd.Name(), "link reads the code from standard input; give the passphrase another way, such as --passphrase-file")
	}
	return nil
}

// keyrings returns those of the system, with what the flags say of the sealed
// file.
func (p *program) keyrings() []keyring.Keyring {
	s := p.sealed
	s.once.Do(func() {
		options := []sealed.Option{
			sealed.WithIdentityFile(s.identity), sealed.WithKeyFile(s.keyFile), sealed.WithPassphraseFile(s.passphraseFile),
		}
		if s.passphraseFD != noDescriptor {
			read := sync.OnceValues(func() (secret.Secret, error) { return readPassphrase(s.passphraseFD) })
			options = append(options, sealed.WithPassphrase(func(context.Context) (secret.Secret, error) { return read() }))
		}
		if p.asks() {
			options = append(options, sealed.WithPluginUI(p.pluginUI()))
			if s.named || sealedFileExists() {
				options = append(options, sealed.WithPassphrasePrompt(p.askPassphrase))
			}
		}
		s.keyrings = system.Keyrings(options...)
	})
	return s.keyrings
}

// keyringOptions make a session use them, and those that are only named.
func (p *program) keyringOptions() []authring.Option {
	return []authring.Option{authring.WithKeyrings(p.keyrings()...), authring.WithNamedKeyrings(system.Find)}
}

// nameKeyring notes which keyring the user named, before any session is open.
func (p *program) nameKeyring(id string) {
	p.sealed.named = p.sealed.named || id == string(keyring.Sealed)
}

func sealedFileExists() bool {
	path, err := sealed.New().Path()
	if err != nil {
		return false
	}
	_, err = os.Lstat(path)
	return err == nil
}

// maxPassphrase is more than the sealed file takes, which says so.
const maxPassphrase = 8 << 10

// readPassphrase reads a line from a descriptor, and not one byte more. It ends
// as that of a passphrase file does.
func readPassphrase(fd int) (secret.Secret, error) {
	f := descriptor(fd)
	if f == nil {
		return secret.Secret{}, errors.New("there is no such descriptor")
	}
	var line []byte
	key := make([]byte, 1)
	for len(line) < maxPassphrase {
		n, err := f.Read(key)
		if n == 1 && key[0] != '\n' {
			line = append(line, key[0])
			continue
		}
		if n == 0 && err != nil && len(line) == 0 {
			return secret.Secret{}, fmt.Errorf("could not read descriptor %d", fd)
		}
		break
	}
	return secret.New(strings.TrimSuffix(string(line), "\r")), nil
}

// askPassphrase asks for the passphrase of the sealed file at the terminal.
func (p *program) askPassphrase(ctx context.Context, q sealed.Question) (secret.Secret, error) {
	if !q.New {
		if q.Again {
			p.warn("That is not the passphrase.")
		}
		text, err := p.readHidden(ctx, "Passphrase of the sealed file: ")
		return secret.New(text), err
	}
	p.say("The secret will be sealed in %s.\nWithout its passphrase nobody can open it, and there is no way around that.", printable(q.Path))
	for range tries {
		first, err := p.readHidden(ctx, "New passphrase: ")
		if err != nil || first == "" {
			return secret.Secret{}, err
		}
		second, err := p.readHidden(ctx, "Once more: ")
		if err != nil {
			return secret.Secret{}, err
		}
		if first == second {
			return secret.New(first), nil
		}
		p.warn("The two differ.")
	}
	return secret.Secret{}, errors.New("the two were never the same")
}

// pluginUI answers what plugins of age ask, at the terminal.
func (p *program) pluginUI() *plugin.ClientUI {
	ctx := context.Background() // the plugin's protocol has none
	return &plugin.ClientUI{
		DisplayMessage: func(name, message string) error {
			p.say("%s: %s", printable(name), printable(message))
			return nil
		},
		RequestValue: func(name, message string, hidden bool) (string, error) {
			prompt := printable(name) + ": " + printable(message) + ": "
			if hidden {
				return p.readHidden(ctx, prompt)
			}
			p.ask(prompt)
			return p.readLine(ctx)
		},
		Confirm: func(name, message, yes, no string) (bool, error) {
			question := printable(name) + ": " + printable(message) + " (y: " + printable(yes)
			if no != "" {
				question += ", n: " + printable(no)
			}
			return p.confirm(ctx, question+")")
		},
		WaitTimer: func(name string) { p.say("Waiting for the plugin %s…", printable(name)) },
	}
}
