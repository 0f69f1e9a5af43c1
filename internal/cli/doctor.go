package cli

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring/internal/doctor"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

type doctorOptions struct {
	offline bool
	bundle  string
}

const doctorLong = `Look for what can be wrong, and name the command that mends it: the session
bus and who serves secrets on it, the keyrings, on macOS how this program is
signed, files and their rights, each link's record against its keyring, copies
of secrets in other keyrings, what was begun and not ended, locks, proxy, TLS,
the clock, and whether the server accepts the token of the link chosen with -c.

Nothing is changed, started, unlocked or asked, and no secret is shown. It
works when everything else is broken, and ends within ten seconds; what does
not answer by then is said to be so.

The server is asked once without a token. The token is tried only if its
keyring is open and the provider does not replace refresh tokens when they are
used; Dropbox does not. --offline does neither.

With --json it is an object with the members config, provider, version,
platform, at, worst (ok, note, warn or fail), exit_code, and findings, a list
of objects with id, area, severity, title, and where there is one config,
detail and cure.

With --bundle the same is written to a new file that only you can read, with
the last events of each link, for a report of a fault. Accounts, names,
addresses and your home folder are left out of it; read it before you send it.

The exit status is 0 if nothing fails. Otherwise it fits the worst finding
about the link chosen with -c, or, if there is none, about the machine.`

const doctorExample = `  authring doctor
  authring doctor -c work --json | jq -r '.findings[] | select(.severity == "fail").cure'
  authring doctor --bundle report.json`

func (p *program) doctorCommand() *cobra.Command {
	var opts doctorOptions
	cmd := p.newCommand(&cobra.Command{
		Use:   "doctor [options]",
		Short: "Find what is wrong, and how to mend it",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("bundle") && (opts.bundle == "" || opts.bundle == "-") {
				return usage("doctor", "--bundle writes a file, and needs its name; what is printed is had with --json")
			}
			return p.runDoctor(cmd.Context(), opts)
		},
	}, page{
		long: doctorLong, example: doctorExample,
		exits: []int{
			exitOK, exitInvalid, exitConnection, exitUnavailable, exitRevoked, exitUsage, exitInternal, exitInterrupted,
		},
	})
	cmd.Flags().BoolVar(&opts.offline, "offline", false, "do not ask the server")
	cmd.Flags().StringVar(&opts.bundle, "bundle", "", "write the report, and what happened to the links, to the new `FILE`")
	return cmd
}

// doctorObject is a report in JSON output. Its members, and those of a finding,
// are promises.
type doctorObject struct {
	Config   string           `json:"config"`
	Provider string           `json:"provider"`
	Version  string           `json:"version"`
	Platform string           `json:"platform"`
	At       string           `json:"at"`
	Worst    doctor.Severity  `json:"worst"`
	ExitCode int              `json:"exit_code"`
	Findings []doctor.Finding `json:"findings"`
}

func (p *program) runDoctor(ctx context.Context, opts doctorOptions) error {
	if err := record.CheckConfigName(p.config); err != nil {
		return err
	}
	if opts.bundle != "" {
		if _, err := os.Lstat(opts.bundle); err == nil {
			return bundleExists(opts.bundle)
		}
	}
	from, err := p.provider()
	if err != nil {
		name := p.providerOf(p.config)
		from = &provider.Provider{Name: name, Title: name}
	}
	report := doctor.Examine(ctx, doctor.Patient{
		App: p.app, Config: p.config, Provider: from, ProviderErr: err, Keyrings: p.keyrings(), Offline: opts.offline,
		Command: p.named, Quote: shellQuote, Getenv: p.getenv,
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	object := p.doctorObject(from.Name, report)
	if opts.bundle != "" {
		if err := writeBundle(opts.bundle, object, report); err != nil {
			return err
		}
	}
	if p.json {
		if err := p.printJSON(object); err != nil {
			return err
		}
	} else {
		p.printDoctor(object)
	}
	if opts.bundle != "" {
		p.done("Written to %s; read it before you send it", opts.bundle)
	}
	return exitSilently(object.ExitCode)
}

func (p *program) doctorObject(providerName string, report doctor.Report) doctorObject {
	object := doctorObject{
		Config: p.config, Provider: providerName, Version: buildVersion(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		At: time.Now().UTC().Format(time.RFC3339), Findings: report.Findings,
	}
	for i := range object.Findings {
		f := &object.Findings[i]
		f.Title, f.Detail, f.Cure = printable(f.Title), printable(f.Detail), printable(f.Cure)
		object.Worst = max(object.Worst, f.Severity)
	}
	if worst, failed := report.Worst(p.config); failed {
		object.ExitCode = causeCode(worst.Cause)
	}
	return object
}

// causeCode is the exit code of a finding that fails.
func causeCode(cause doctor.Cause) int {
	switch cause {
	case doctor.Refused:
		return exitInvalid
	case doctor.Unreachable:
		return exitConnection
	case doctor.Unavailable:
		return exitUnavailable
	case doctor.Revoked:
		return exitRevoked
	default:
		return exitInternal
	}
}

// printDoctor writes the page: what is as it should be in a line, the rest with
// its cure. What is found of many links alike is told of one, with the names of
// the others.
func (p *program) printDoctor(object doctorObject) {
	fmt.Fprintf(p.stdout, "authring %s (%s), link %q\n", object.Version, object.Platform, object.Config)
	area := ""
	counts := map[doctor.Severity]int{}
	alike := alike(object)
	for i, f := range object.Findings {
		counts[f.Severity]++
		others := alike[i]
		if others == nil {
			continue
		}
		if f.Area != area {
			area = f.Area
			fmt.Fprintf(p.stdout, "\n%s\n", p.stdout.paint(bold, area))
		}
		detail := ""
		if f.Severity == doctor.OK && f.Detail != "" {
			detail = "  " + p.stdout.paint(dim, f.Detail)
		}
		fmt.Fprintf(p.stdout, "  %s %s%s\n", p.severityMark(f.Severity), f.Title, detail)
		if f.Severity != doctor.OK {
			p.printCure(f)
		}
		if len(others) > 1 {
			fmt.Fprintf(p.stdout, "  %s the same of %d more: %s\n", p.severityMark(f.Severity), len(others)-1, foldedNames(others[1:]))
		}
	}
	fmt.Fprintf(p.stdout, "\n%s\n", summary(counts))
}

func (p *program) printCure(f doctor.Finding) {
	if f.Detail != "" {
		for _, line := range wrap(f.Detail, 72) {
			fmt.Fprintf(p.stdout, "      %s\n", p.stdout.paint(dim, line))
		}
	}
	if f.Cure != "" {
		fmt.Fprintf(p.stdout, "      → %s\n", f.Cure)
	}
}

// severalLinks is how many links have the same to be told of each.
const severalLinks = 3

// alike holds, for each finding, the links that it is told of: none if it is
// told with an earlier one, and one at least otherwise. The chosen link is told
// of by itself.
func alike(object doctorObject) [][]string {
	type sort struct {
		area, id string
		severity doctor.Severity
	}
	sortOf := func(f doctor.Finding) sort { return sort{f.Area, f.ID, f.Severity} }
	first, names := map[sort]int{}, map[sort][]string{}
	for i, f := range object.Findings {
		if f.Config == "" || f.Config == object.Config {
			continue
		}
		if len(names[sortOf(f)]) == 0 {
			first[sortOf(f)] = i
		}
		names[sortOf(f)] = append(names[sortOf(f)], f.Config)
	}
	told := make([][]string, len(object.Findings))
	for i, f := range object.Findings {
		told[i] = []string{f.Config}
		if at, folded := first[sortOf(f)]; folded && f.Config != object.Config && len(names[sortOf(f)]) > severalLinks {
			told[i] = nil
			if at == i {
				told[i] = names[sortOf(f)]
			}
		}
	}
	return told
}

func foldedNames(others []string) string {
	const most = 5
	named := strings.Join(others[:min(most, len(others))], ", ")
	if len(others) > most {
		named += ", …"
	}
	return printable(named)
}

func summary(counts map[doctor.Severity]int) string {
	var parts []string
	for _, one := range []struct {
		severity   doctor.Severity
		name, many string
	}{{doctor.Fail, "failure", "failures"}, {doctor.Warn, "warning", "warnings"}} {
		switch n := counts[one.severity]; n {
		case 0:
		case 1:
			parts = append(parts, "1 "+one.name)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, one.many))
		}
	}
	if len(parts) == 0 {
		return "Nothing is wrong."
	}
	return strings.Join(parts, ", ") + "; the cures are behind the arrows."
}

func (p *program) severityMark(severity doctor.Severity) string {
	switch severity {
	case doctor.Fail:
		return p.stdout.paint(red, "✗")
	case doctor.Warn:
		return p.stdout.paint(yellow, "!")
	case doctor.Note:
		return p.stdout.paint(dim, "-")
	default:
		return p.stdout.paint(green, "✓")
	}
}
