package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/keyring/system"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

const (
	demoApp    = "authring-demo"
	demoConfig = "demo"

	// demoCleaning bounds what is put in order at the end.
	demoCleaning = 5 * time.Second
)

const demoLong = `Show in a few steps what authring does: a pretend person links a pretend
account at a Dropbox that runs inside this command. No account and no network
are needed.

The secret goes to your real keyring if there is one that is open now, under
the service name authring-demo, and is deleted at the end; without one it goes
to a throw-away file. Nothing stays behind, not even after Ctrl-C.`

func (p *program) demoCommand() *cobra.Command {
	return p.newCommand(&cobra.Command{
		Use:   "demo [options]",
		Short: "Show it all with a pretend account",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runDemo(cmd.Context()) },
	}, page{long: demoLong, exits: []int{exitOK, exitUsage, exitInternal, exitInterrupted}})
}

// demo is one telling of the story.
type demo struct {
	*program
	dropbox *emulator
	keyring keyring.Keyring
	name    string // of the keyring, for people
	real    bool   // it is the user's own
	session *authring.Session
	folder  string // of everything else
	step    int
}

func (p *program) runDemo(ctx context.Context) (err error) {
	if p.json {
		return usage("demo", "demo is a story for people; it has no --json")
	}
	outlivePipes()
	d := &demo{program: p}
	defer func() {
		if cleanErr := d.clean(ctx); err == nil {
			err = cleanErr
		}
	}()
	if err := d.prepare(ctx); err != nil {
		return fmt.Errorf("could not prepare the demo: %w", err)
	}
	return d.tell(ctx)
}

// prepare starts the pretend Dropbox, and opens a session whose files are all
// in one temporary folder.
func (d *demo) prepare(ctx context.Context) error {
	var err error
	if d.dropbox, err = startEmulator("127.0.0.1:0", dropboxtest.WithAutoApprove()); err != nil {
		return err
	}
	if d.folder, err = os.MkdirTemp("", demoApp+"-"); err != nil {
		return err
	}
	// The files' names are shown: not by way of a symbolic link.
	if real, err := filepath.EvalSymlinks(d.folder); err == nil {
		d.folder = real
	}
	layout, err := record.LayoutIn(demoApp, filepath.Join(d.folder, "config"), filepath.Join(d.folder, "state"))
	if err != nil {
		return err
	}
	from, err := provider.DropboxAt(d.dropbox.url)
	if err != nil {
		return err
	}
	d.chooseKeyring(ctx)
	options := []authring.Option{
		authring.WithLayout(layout), authring.WithProvider(from), authring.WithKeyrings(d.keyring),
		authring.WithPrompt(keyring.NoPrompt), authring.WithEvents(d.event),
	}
	if d.verbose {
		options = append(options, authring.WithLogger(d.logger()))
	}
	d.session, err = authring.Open(demoConfig, options...)
	return err
}

// chooseKeyring takes the user's keyring if that is open: a demo unlocks,
// starts and creates nothing.
func (d *demo) chooseKeyring(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for _, probed := range keyring.ProbeAll(ctx, system.Keyrings()) {
		id := probed.Keyring.ID()
		if id != keyring.Plaintext && id != keyring.Sealed && probed.Status.Availability == keyring.Ready {
			d.keyring, d.name, d.real = probed.Keyring, orID(probed.Status.Name, id), true
			return
		}
	}
	d.keyring = plaintext.New(plaintext.WithPath(filepath.Join(d.folder, "secrets.cfg")))
	d.name = "a throw-away file"
}

// clean leaves nothing behind, whatever happened before.
func (d *demo) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), demoCleaning)
	defer cancel()
	var errs []error
	if d.session != nil {
		if err := d.keyring.Delete(ctx, d.item(), keyring.NoPrompt); err != nil && !errors.Is(err, keyring.ErrNotFound) {
			errs = append(errs, fmt.Errorf("could not delete the item of service %s from %s: %w", demoApp, d.name, err))
		}
		errs = append(errs, d.session.Close())
	}
	if d.dropbox != nil {
		d.dropbox.close()
	}
	if d.folder != "" {
		errs = append(errs, os.RemoveAll(d.folder))
	}
	return errors.Join(errs...)
}

// item is what the demo has in the keyring.
func (d *demo) item() keyring.Key {
	return keyring.Key{Service: demoApp, User: record.UserName(demoConfig, dropboxtest.DefaultUser().AccountID)}
}
