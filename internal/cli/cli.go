// Package cli is the command line tool authring: a verb to a file, each with
// its command, its options and its run.
//
// Its output follows four rules. Results go to standard output, everything for
// people to standard error. Where a program reads (--json), it finds errors on
// standard output too, as objects. Colour, waiting messages and questions are
// for terminals only. No secret is taken from an argument or an environment
// variable, and none is shown but by the verb token, whose purpose it is.
package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring/internal/child"
)

// program is one run of the tool: its streams and the global flags.
type program struct {
	stdin  *os.File
	keys   *keys // of stdin
	stdout *output
	stderr *output
	getenv func(string) string

	config      string
	configAsked bool // -c was given
	app         string
	json        bool
	noInput     bool
	verbose     bool
	waitKeyring time.Duration
	running     *cobra.Command // the verb that runs; nil before
	sealed      *sealing

	linkProvider string   // the provider that the user named for a link
	linkFlags    []string // what the user said of the link that is being made
	localOnly    bool     // the verb does not need the provider
	opened       *opened

	ignored        []os.Signal // when the program began
	releaseSignals func()      // signals end the program from then on, and no context

	// inCodeShared are the providers of all links of an agent, by name; nil:
	// each verb has its own.
	inCodeShared *sync.Map
}

// secondPress is sooner than anybody presses Ctrl-C again.
const secondPress = 300 * time.Millisecond

// Main runs the tool with the arguments after its name and returns the exit
// code. It takes over the signals that end a program.
func Main(args []string) int {
	p := &program{
		stdin:  os.Stdin,
		keys:   &keys{file: os.Stdin},
		stdout: newOutput(os.Stdout),
		stderr: newOutput(os.Stderr),
		getenv: os.Getenv,
		config: defaultConfig,
		app:    defaultApp,
		sealed: &sealing{},
		opened: &opened{},

		ignored: child.Ignored(), // before anything is notified of signals
	}
	ctx, stop := untilInterrupted(endings())
	defer stop()
	p.releaseSignals = stop
	// A second Ctrl-C ends the program at once. One that follows the first
	// closer than a person can is the same one: timeout(1), say, signals the
	// program and then its group.
	context.AfterFunc(ctx, func() { time.AfterFunc(secondPress, stop) })

	err := p.run(ctx, args)
	var quiet silent
	if err != nil && ctx.Err() != nil && !errors.Is(err, errInterrupted) && !errors.As(err, &quiet) {
		// Whatever failed then, failed because of that.
		err = errInterrupted
	}
	if writeErr := p.stdout.err; err == nil && writeErr != nil {
		err = fmt.Errorf("could not write to standard output: %w", writeErr)
	}
	if err == nil {
		return exitOK
	}
	return p.report(err)
}

// untilInterrupted returns a context that one of the signals ends, and a function
// that has them end the program instead, as they usually do. When that returns, the
// context has ended if a signal came before, and does not end later.
func untilInterrupted(by []os.Signal) (ctx context.Context, stop func()) {
	ctx, interrupt := context.WithCancel(context.Background())
	signals, told := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, by...)
	go func() {
		defer close(told)
		for range signals {
			interrupt()
		}
	}()
	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals) // and none is on its way any more
		close(signals)
		<-told
	})
}

// endings are the signals that end a run, among them SIGHUP unless it was
// ignored when the run began (nohup).
func endings() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}

// run executes the verb that args name.
func (p *program) run(ctx context.Context, args []string) error {
	root := p.rootCommand(args)
	root.SetArgs(args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	// Where the flags were not understood, this one still says how to report it.
	p.json = p.json || slices.Contains(withoutCommand(args), "--json")
	return err
}

// logger logs to standard error with --verbose, and nowhere without.
func (p *program) logger() *slog.Logger {
	if !p.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// outlivePipes keeps the run alive when whoever read its output has gone: a verb
// that changes things ends whole, or puts them back, and does not stop at a
// line that nobody reads.
func outlivePipes() { signal.Ignore(syscall.SIGPIPE) }

// say writes lines for people.
func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.stderr, format+"\n", args...)
}
