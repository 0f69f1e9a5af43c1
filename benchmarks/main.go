// Command benchmarks measures how long a stored secret takes to be read, by
// authring and by others, and draws what it found. It is run by the script
// bench at the root of the project; docs/performance.md says what is measured
// and how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/daemontest"
)

// The parts of the page that are generated. Each stands between markers.
const (
	readsPart = "bench"
	agentPart = "bench-agent"
)

type options struct {
	rounds, warmups int
	page, chart     string
	write           bool
	only            string
}

// otherItems are the sizes of the keyrings.
var otherItems = [...]int{10, 1_000, 10_000}

func main() {
	var opts options
	flag.IntVar(&opts.rounds, "n", 40, "how many `rounds` are measured")
	flag.IntVar(&opts.warmups, "warmups", 3, "how many `rounds` go before, unmeasured")
	flag.StringVar(&opts.page, "page", "../docs/performance.md", "write the tables into this `file`")
	flag.StringVar(&opts.chart, "chart", "../docs/performance.svg", "write the chart to this `file`")
	flag.BoolVar(&opts.write, "write", true, "write the files; otherwise the tables are printed only")
	flag.StringVar(&opts.only, "only", "", "measure only one `part`: reads or agent")
	flag.Parse()
	if flag.NArg() > 0 || !slices.Contains([]string{"", "reads", "agent"}, opts.only) || opts.rounds < 1 || opts.warmups < 0 {
		flag.Usage()
		os.Exit(64)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(func(h *host) error { return measure(ctx, h, opts) })
	if ctx.Err() != nil {
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, h *host, opts options) error {
	say("building")
	built, err := buildAll(ctx, h.TempDir())
	if err != nil {
		return err
	}
	r := &results{date: time.Now(), machine: thisMachine(), rounds: opts.rounds, others: load1()}
	if opts.only != "reads" {
		if err := r.measureAgent(ctx, h, built, opts); err != nil {
			return err
		}
		if err := publish(opts, agentPart, r.agent.markdown(r)); err != nil {
			return err
		}
	}
	if opts.only != "agent" {
		return r.measureReads(ctx, h, built, opts)
	}
	return nil
}

// publish prints tables, and writes them into the page.
func publish(opts options, part, tables string) error {
	fmt.Println(tables)
	if !opts.write {
		return nil
	}
	return writePage(opts.page, part, tables)
}

// measureReads measures how long a secret takes to be read, and what Session.Token
// takes.
func (r *results) measureReads(ctx context.Context, h *host, built programs, opts options) (err error) {
	for path, size := range map[string]*int64{built.authring: &r.binary, built.stripped: &r.stripped} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		*size = info.Size()
	}

	say("measuring Session.Token")
	if r.token, err = benchmarkToken(ctx); err != nil {
		return err
	}
	if err := r.compareReads(ctx, h, built, opts); err != nil {
		return err
	}
	if err := publish(opts, readsPart, r.markdown()); err != nil || !opts.write {
		return err
	}
	return os.WriteFile(opts.chart, []byte(r.chart().svg()), 0o644)
}

// compareReads links an account and measures how long its secret takes to be
// read, beside more and more other items.
func (r *results) compareReads(ctx context.Context, h *host, built programs, opts options) error {
	desk := daemontest.NewDesk(h)
	if err := writeKeyring(desk, keyringHead); err != nil {
		return err
	}
	daemon := daemontest.StartEmptyGNOME(h, desk)
	v, err := openVault(ctx, h, desk)
	if err != nil {
		return err
	}
	server := dropboxtest.NewServer()
	h.Cleanup(server.Close)
	linked, err := link(ctx, desk, built.authring, server)
	if err != nil {
		return err
	}
	path, err := v.find(ctx, linked)
	if err != nil {
		return err
	}
	if linked.secret, err = v.secret(ctx, path); err != nil {
		return err
	}
	r.contenders = contenders(built, linked)
	daemon.Stop(h)
	// As the daemon wrote it: the link's item, and no other.
	text, err := os.ReadFile(keyringFile(desk))
	if err != nil {
		return err
	}
	for _, others := range otherItems {
		say("measuring beside %s other items", thousands(others))
		if err := writeKeyring(desk, withOthers(string(text), others)); err != nil {
			return err
		}
		daemon.StartLocked(h)
		k, err := r.compareBeside(ctx, h, desk, built.launcher, linked, others, opts)
		if err != nil {
			return err
		}
		r.keyrings = append(r.keyrings, k)
		daemon.Stop(h)
	}
	return nil
}

func (r *results) compareBeside(ctx context.Context, h *host, desk *daemontest.Desk, launcher string, linked item, others int, opts options) (keyringResult, error) {
	v, err := openVault(ctx, h, desk)
	if err != nil {
		return keyringResult{}, err
	}
	if n, err := v.count(ctx); err != nil || n != others+1 {
		return keyringResult{}, errors.Join(err, fmt.Errorf("the keyring holds %d items, want %d", n, others+1))
	}
	if err := check(ctx, desk.Environ(), r.contenders, linked); err != nil {
		return keyringResult{}, err
	}
	b := &bench{launcher: launcher, env: desk.Environ(), daemon: v.pid, warmups: opts.warmups, rounds: opts.rounds}
	samples, err := b.compare(ctx, r.contenders)
	if err != nil {
		return keyringResult{}, err
	}
	k := keyringResult{others: others, firstRead: v.firstRead, samples: samples}
	if others != otherItems[0] {
		return k, nil
	}
	path, err := v.find(ctx, linked)
	if err == nil {
		err = v.remove(ctx, path)
	}
	if err == nil {
		err = checkMissing(ctx, desk.Environ(), r.contenders)
	}
	return k, err
}

// writePage replaces what is between the markers of a page.
func writePage(path, part, tables string) error {
	pageBegin, pageEnd := "<!-- "+part+":begin -->", "<!-- "+part+":end -->"
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), pageBegin)
	_, after, closed := strings.Cut(rest, pageEnd)
	if !found || !closed {
		return fmt.Errorf("%s has no part between %s and %s", path, pageBegin, pageEnd)
	}
	return os.WriteFile(path, []byte(before+pageBegin+"\n"+tables+pageEnd+after), 0o644)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "== "+format+"\n", args...) }
