package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
	"github.com/authring/authring/record"
)

// providerFolder is where the provider files of the app are. Maestral's links
// are all with Dropbox, and it has none.
func (p *program) providerFolder() (registry.Folder, error) {
	layout, err := record.NewLayout(p.app)
	if err != nil || layout.Maestral() {
		return "", err
	}
	return registry.Folder(filepath.Join(layout.ConfigFolder(), "providers")), nil
}

// inCode is a provider whose ways need code, or the emulator of it that the
// environment names; nil if that of the name needs none.
func (p *program) inCode(name string) (*provider.Provider, error) {
	if p.inCodeShared != nil {
		if from, ok := p.inCodeShared.Load(name); ok {
			return from.(*provider.Provider), nil
		}
	}
	from, _, err := provider.InCode(name, p.getenv)
	if err != nil {
		return nil, &failure{
			err:     &usageError{},
			message: fmt.Sprintf("the environment variable %s cannot be used: %v", provider.DropboxURL, err),
			hint:    "Set it to what authring emulator prints, such as http://127.0.0.1:PORT, or unset it.",
		}
	}
	if p.inCodeShared != nil && from != nil {
		p.inCodeShared.Store(name, from)
	}
	return from, nil
}

// providerNamed is the provider of a name, as the files of the app have it.
func (p *program) providerNamed(name string) (*registry.Entry, error) {
	if from, err := p.inCode(name); from != nil || err != nil {
		return &registry.Entry{Provider: from, Shipped: true}, err
	}
	folder, err := p.providerFolder()
	if err != nil {
		return nil, err
	}
	entry, err := folder.Load(name)
	if errors.Is(err, registry.ErrUnknown) {
		hint := "See which there are: " + p.providerVerb("list")
		if registry.CheckName(name) == nil {
			hint += "\nDescribe it: " + p.providerVerb("add", name, "--issuer", "URL")
		}
		return nil, &failure{err: err, message: fmt.Sprintf("there is no provider %q", name), hint: hint}
	}
	return entry, err
}

// providerOf tells which provider a link is with: the one that the user named
// for a new link, the one of its record, that of a link that was begun, or
// Dropbox. A record that cannot be read is told by whoever opens the session.
func (p *program) providerOf(config string) string {
	if p.linkProvider != "" {
		return p.linkProvider
	}
	layout, err := record.NewLayout(p.app)
	if err != nil {
		return record.DefaultProvider
	}
	if rec, err := layout.Load(config); err == nil && rec.Provider != "" {
		return rec.Provider
	}
	if pending, err := layout.LoadPending(config, time.Now()); err == nil && pending.Provider != "" {
		return pending.Provider
	}
	return record.DefaultProvider
}

// entryOf is the provider of a link. A verb that does without the provider gets
// one that cannot be asked anything if there is no description of it that can be
// used.
func (p *program) entryOf(config string) (*registry.Entry, error) {
	name := p.providerOf(config)
	entry, err := p.providerNamed(name)
	var broken *registry.FileError
	if p.localOnly && (errors.Is(err, registry.ErrUnknown) || errors.As(err, &broken)) {
		return &registry.Entry{Provider: &provider.Provider{Name: name, Title: name}}, nil
	}
	return entry, err
}

// describedBy is the file that tells what is known of the provider of a link, be
// it there or not, or "".
func (p *program) describedBy(config string) string {
	folder, err := p.providerFolder()
	if err != nil || folder == "" {
		return ""
	}
	return folder.Path(p.providerOf(config))
}

// provider is that of the chosen link. Once a session is open it stays, though
// the link may end meanwhile.
func (p *program) provider() (*provider.Provider, error) {
	if from := p.opened.of(p.config); from != nil {
		return from, nil
	}
	entry, err := p.entryOf(p.config)
	if err != nil {
		return nil, err
	}
	return entry.Provider, nil
}

// opened remembers the providers of the links whose sessions were opened.
type opened struct{ links sync.Map }

func (o *opened) keep(config string, from *provider.Provider) { o.links.Store(config, from) }

func (o *opened) of(config string) *provider.Provider {
	from, _ := o.links.Load(config)
	known, _ := from.(*provider.Provider)
	return known
}

func (p *program) providerTitle() string {
	if from, err := p.provider(); err == nil {
		return printable(from.Title)
	}
	return "the provider"
}

// providerOptions make a session one with a provider.
func providerOptions(entry *registry.Entry) []authring.Option {
	options := []authring.Option{authring.WithProvider(entry.Provider)}
	if entry.SecretKeyring != "" {
		options = append(options, authring.WithClientSecretIn(keyring.ID(entry.SecretKeyring)))
	}
	return options
}

// providerVerb spells a command about a provider.
func (p *program) providerVerb(words ...string) string {
	return p.named(defaultConfig, "provider", words...)
}

// providerChange spells the command that changes what is known of the provider
// of the link: one that comes with authring is added first.
func (p *program) providerChange(flags ...string) string {
	name := p.providerOf(p.config)
	words := []string{"update", name}
	if entry, err := p.providerNamed(name); err == nil && entry.Shipped {
		words = []string{"add", name, "--client-id", "ID"}
	}
	return p.providerVerb(append(words, flags...)...)
}

// clientSecretHint says how the client secret is given, which is missing.
func (p *program) clientSecretHint(flags ...string) string {
	return "Give it: " + p.providerChange(append([]string{"--client-secret-file", "FILE"}, flags...)...)
}

// invalidClientHint says what to look at where the server does not know who
// asks.
func (p *program) invalidClientHint() string {
	from, err := p.provider()
	if err != nil || from.ClientAuth == provider.AuthNone {
		return "Check the app key, or client id (--app-key, --client-id)."
	}
	return "Check the client id, and the client secret: " + p.providerChange("--client-secret-file", "FILE")
}

// providerNames lists them, for the shell.
func (p *program) providerNames() []string {
	folder, err := p.providerFolder()
	if err != nil {
		return nil
	}
	names, _ := folder.List() // nothing to offer, then
	return names
}
