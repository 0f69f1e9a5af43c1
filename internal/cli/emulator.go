package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/provider"
)

type emulatorOptions struct {
	addr        string
	appKey      string
	redirects   []string
	autoApprove bool
	ttl         time.Duration
	faults      []string
	rotate      bool
	reuse       bool
	grace       time.Duration
}

const emulatorLong = `Run a Dropbox of your own on this machine, for trials and tests: the page where
access is approved, the token endpoint, and the few API routes that links need.
It knows one app, Maestral's or that of --app-key, and one person, Ada Lovelace.
All is kept in memory and ends with it.

Dropbox sends a browser back only to an address that the app is registered with,
and Maestral's has none: --redirect-uri registers one, to the letter, for trials
of authring link --redirect-uri.

Once it listens it prints AUTHRING_DROPBOX_URL=http://127.0.0.1:PORT; with that
in the environment every other verb uses it. It serves until it is interrupted,
which is a success. GET /_emulator/requests lists what it was asked, without
secrets, and GET /_emulator/stats what became of each grant: refresh tokens
made, redeemed, presented again, and what ended it.

A fault takes the place of an ordinary answer. It is written
[ENDPOINT:]NAME[=DURATION][*COUNT], such as refresh:server-error*2 or
api:rate-limit=15s, with the endpoint token (which is meant when none is
named), code, refresh, authorize, api or all. The names:`

const emulatorExample = `  authring emulator --auto-approve
  authring emulator --auto-approve --reuse-detection --grace 30s --access-token-ttl 2s
  authring emulator --addr 127.0.0.1:8765 --access-token-ttl 10m --fault refresh:v1_retired*1
  authring emulator --app-key mine --redirect-uri http://127.0.0.1:53682/`

func (p *program) emulatorCommand() *cobra.Command {
	opts := emulatorOptions{}
	cmd := p.newCommand(&cobra.Command{
		Use:   "emulator [options]",
		Short: "Run a local Dropbox to try things with",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runEmulator(cmd.Context(), opts) },
	}, page{
		long: emulatorLong + "\n\n" + faultList(), example: emulatorExample,
		exits: []int{exitOK, exitUsage, exitInternal},
	})
	flags := cmd.Flags()
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:0", "listen at `HOST:PORT`, on this machine only; port 0 is any that is free")
	flags.StringVar(&opts.appKey, "app-key", dropboxtest.DefaultClientID, "app `KEY` of the one app that it knows")
	flags.StringArrayVar(&opts.redirects, "redirect-uri", nil, "register the app with this redirect `URI`; may be repeated")
	flags.BoolVar(&opts.autoApprove, "auto-approve", false, "approve every valid request at once")
	flags.DurationVar(&opts.ttl, "access-token-ttl", 4*time.Hour, "how long access tokens live: a `TIME` such as 10m")
	flags.BoolVar(&opts.rotate, "rotate", false, "give a new refresh token with each refresh; the old one is no longer valid")
	flags.BoolVar(&opts.reuse, "reuse-detection", false, "rotate, and end the whole grant when an old refresh token comes back")
	flags.DurationVar(&opts.grace, "grace", 0, "rotate, and accept an old refresh token again for this `TIME` after its first use")
	flags.StringArrayVar(&opts.faults, "fault", nil, "answer with this `FAULT`; may be repeated")
	return cmd
}

func faultList() string {
	names := dropboxtest.FaultNames()
	width := len(slices.MaxFunc(names, func(a, b string) int { return len(a) - len(b) }))
	var text strings.Builder
	for _, name := range names {
		lines := wrap(dropboxtest.FaultAbout(name), 78-width-4)
		fmt.Fprintf(&text, "  %-*s  %s\n", width, name, strings.Join(lines, "\n"+strings.Repeat(" ", width+4)))
	}
	return strings.TrimSuffix(text.String(), "\n")
}

func (p *program) runEmulator(ctx context.Context, opts emulatorOptions) error {
	if err := checkLoopback(opts.addr); err != nil {
		return err
	}
	if opts.ttl < time.Second {
		return usage("emulator", "--access-token-ttl must be a second or more")
	}
	app, err := opts.app()
	if err != nil {
		return err
	}
	options := []dropboxtest.Option{dropboxtest.WithAccessTokenTTL(opts.ttl), dropboxtest.WithApp(app)}
	if opts.autoApprove {
		options = append(options, dropboxtest.WithAutoApprove())
	}
	if opts.rotate {
		options = append(options, dropboxtest.WithRotation())
	}
	if opts.reuse {
		options = append(options, dropboxtest.WithReuseDetection())
	}
	if opts.grace < 0 {
		return usage("emulator", "--grace must not be negative")
	}
	if opts.grace > 0 {
		options = append(options, dropboxtest.WithGrace(opts.grace))
	}
	for _, spec := range opts.faults {
		if _, err := dropboxtest.ParseFault(spec); err != nil {
			return usage("emulator", "%v", err)
		}
		options = append(options, dropboxtest.WithFault(spec))
	}
	e, err := startEmulator(opts.addr, options...)
	if err != nil {
		return err
	}
	defer e.close()
	if p.json {
		err = p.printJSON(map[string]string{"url": e.url})
	} else {
		_, err = fmt.Fprintf(p.stdout, "%s=%s\n", provider.DropboxURL, e.url)
	}
	if err != nil {
		return fmt.Errorf("could not print the address: %w", err)
	}
	p.say("A local Dropbox listens there until it is interrupted (Ctrl-C).")
	select {
	case <-ctx.Done():
		return nil
	case err := <-e.failed:
		return fmt.Errorf("could not go on serving: %w", err)
	}
}

// app is the one that the emulator knows.
func (o *emulatorOptions) app() (dropboxtest.App, error) {
	app := dropboxtest.DefaultApp()
	switch {
	case !isClientID(o.appKey):
		return app, usage("emulator", "--app-key is letters, digits and signs without spaces")
	case o.appKey != app.ClientID:
		app.ClientID, app.Name = o.appKey, "My own app"
	}
	for _, uri := range o.redirects {
		// Dropbox: "https except localhost".
		if u, err := url.Parse(uri); err != nil || u.Host == "" || strings.Contains(uri, "#") || u.Scheme != "https" && callback.CheckURI(uri) != nil {
			return app, usage("emulator", "--redirect-uri must be an address on this machine, such as http://127.0.0.1:53682/, or begin with https://")
		}
	}
	app.RedirectURIs = o.redirects
	return app, nil
}

// checkLoopback refuses an address that others could reach: whoever does is
// given tokens.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usage("emulator", "--addr is not HOST:PORT, such as 127.0.0.1:8765")
	}
	if ip, err := netip.ParseAddr(host); strings.EqualFold(host, "localhost") || (err == nil && ip.IsLoopback()) {
		return nil
	}
	return usage("emulator", "--addr must be on this machine, such as 127.0.0.1:8765: whoever reaches the emulator gets tokens")
}

// emulator is a local Dropbox that listens.
type emulator struct {
	*dropboxtest.Dropbox
	url    string
	server *http.Server
	failed chan error
}

func startEmulator(addr string, options ...dropboxtest.Option) (*emulator, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("could not listen at %s: %w", addr, err)
	}
	if bound, ok := listener.Addr().(*net.TCPAddr); !ok || !bound.IP.IsLoopback() {
		_ = listener.Close()
		return nil, usage("emulator", "--addr leads to an address that others can reach")
	}
	e := &emulator{
		Dropbox: dropboxtest.New(options...),
		url:     "http://" + listener.Addr().String(),
		failed:  make(chan error, 1),
	}
	e.server = &http.Server{Handler: e.Dropbox, ReadHeaderTimeout: 30 * time.Second}
	go func() {
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			e.failed <- err
		}
	}()
	return e, nil
}

// close ends it, and every connection with it.
func (e *emulator) close() { _ = e.server.Close() }
