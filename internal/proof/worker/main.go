// Command worker is the process that the proofs start many times over, and
// kill: it does one thing with a link, as a program that uses the library does,
// and tells what came of it. It is for tests only.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
)

// bound is how long any verb but hold may take.
const bound = 90 * time.Second

func main() {
	if err := run(); err != nil {
		fmt.Printf("error: %v\n", err)
		os.Exit(1)
	}
}

// worker is one link, and the server that it is with.
type worker struct {
	session *authring.Session
	server  string
}

func run() error {
	server := flag.String("server", "", "the address of the emulator")
	config := flag.String("config", "default", "the config name")
	replay := flag.String("replay", "single", "the rule for used refresh tokens: single, grace or reusable")
	id := flag.String("keyring", "", "the keyring of a new link, or to move one to")
	flag.Parse()
	p, err := provider.DropboxAt(*server)
	if err != nil {
		return err
	}
	rules := map[string]provider.Replay{"single": provider.ReplaySingleUse, "grace": provider.ReplayGrace, "reusable": provider.ReplayReusable}
	rule, known := rules[*replay]
	if !known {
		return fmt.Errorf("no rule %q", *replay)
	}
	p.Replay, p.GraceWindow = rule, 30*time.Second
	options := []authring.Option{
		authring.WithProvider(p), authring.WithPrompt(keyring.NoPrompt), authring.WithSwitchAccount(), authring.WithEvents(report),
	}
	if *id != "" {
		options = append(options, authring.WithKeyring(keyring.ID(*id)))
	}
	for _, verb := range flag.Args() {
		if err := do(verb, *server, *config, keyring.ID(*id), options); err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
	}
	return nil
}

// do does one verb with a session of its own, as if it were another process.
func do(verb, server, config string, to keyring.ID, options []authring.Option) error {
	session, err := authring.Open(config, options...)
	if err != nil {
		return err
	}
	defer session.Close()
	w := &worker{session: session, server: server}
	switch verb {
	case "hold":
		return w.hold(context.Background())
	case "watch":
		return w.watch(context.Background())
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	switch verb {
	case "link":
		return w.link(ctx)
	case "refresh":
		_, err := session.Token(ctx, authring.Fresh())
		return err
	case "migrate":
		_, err := session.Migrate(ctx, to)
		return err
	case "unlink":
		_, err := session.Unlink(ctx)
		if errors.Is(err, authring.ErrNotLinked) {
			return nil
		}
		return err
	case "retry":
		_, err := session.RetryRevocations(ctx)
		return err
	case "look":
		return json.NewEncoder(os.Stdout).Encode(w.look(ctx))
	}
	return errors.New("no such verb")
}

// report tells the tests of each rotation that was saved, a line each.
func report(e authring.Event) {
	if e.Kind == authring.EventRotated {
		fmt.Println("rotated")
	}
}
