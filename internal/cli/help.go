package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// page is what help and man page say of a command, beside its flags.
// Paragraphs are divided by empty lines; lines that begin with two spaces are
// shown as they are.
type page struct {
	long        string
	example     string
	exits       []int // the codes that the command can end with
	files       bool  // has a section on files
	environment bool  // and on environment variables
}

// section is one part of a page.
type section struct {
	title string
	// text is what page says of its text; items stand below it.
	text  string
	items []item
}

// item is a term with its explanation.
type item struct{ term, text string }

// pageKey marks the annotations that carry the page of a command.
const (
	exitsKey       = "exits"
	filesKey       = "files"
	environmentKey = "environment"
)

// newCommand completes cmd with its page.
func (p *program) newCommand(cmd *cobra.Command, pg page) *cobra.Command {
	cmd.Long, cmd.Example = pg.long, pg.example
	cmd.Annotations = map[string]string{}
	if pg.files {
		cmd.Annotations[filesKey] = "yes"
	}
	if pg.environment {
		cmd.Annotations[environmentKey] = "yes"
	}
	var codes []string
	for _, code := range pg.exits {
		codes = append(codes, fmt.Sprint(code))
	}
	cmd.Annotations[exitsKey] = strings.Join(codes, " ")
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().BoolP("help", "h", false, "show this help")
	if cmd.Args == nil {
		cmd.Args = noArguments
	}
	return cmd
}

// sections are what help prints of a command, and its man page.
func (p *program) sections(cmd *cobra.Command) []section {
	var all []section
	if !cmd.HasParent() {
		verbs := section{title: "verbs"}
		for _, v := range p.verbs() {
			if c := v.command(); !c.Hidden {
				verbs.items = append(verbs.items, item{v.name, c.Short})
			}
		}
		all = append(all, verbs)
	}
	if own := flagItems(cmd.LocalNonPersistentFlags()); len(own) > 0 {
		all = append(all, section{title: "options", items: own})
	}
	global := cmd.InheritedFlags()
	if !cmd.HasParent() {
		global = cmd.PersistentFlags()
	}
	all = append(all, section{title: "global options", items: flagItems(global)})
	if cmd.Annotations[environmentKey] != "" {
		all = append(all, section{title: "environment", items: environmentItems()})
	}
	if cmd.Annotations[filesKey] != "" {
		all = append(all, section{title: "files", items: fileItems()})
	}
	if codes := strings.Fields(cmd.Annotations[exitsKey]); len(codes) > 0 {
		exits := section{title: "exit status"}
		for _, text := range codes {
			var code int
			_, _ = fmt.Sscan(text, &code) // newCommand wrote it
			exits.items = append(exits.items, item{text, exitMeaning(code)})
		}
		all = append(all, exits)
	}
	if cmd.Example != "" {
		all = append(all, section{title: "examples", text: cmd.Example})
	}
	return all
}

// flagItems describes flags.
func flagItems(flags *pflag.FlagSet) []item {
	var items []item
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		name, text := pflag.UnquoteUsage(flag)
		term := "--" + flag.Name
		if flag.Shorthand != "" {
			term = "-" + flag.Shorthand + ", " + term
		}
		if name != "" {
			term += " " + name
		}
		if d := flag.DefValue; d != "" && d != "false" && d != "[]" {
			text += " (" + d + " if not given)"
		}
		items = append(items, item{term, text})
	})
	return items
}

func environmentItems() []item {
	return []item{
		{"AUTHRING_AGENT", "off does without the agent; an absolute path is the socket of one, such as one that was made for a container."},
		{"AUTHRING_DROPBOX_URL", "Sends every request for Dropbox to this address instead: that of authring emulator. Plain http is accepted on this machine only."},
		{"AUTHRING_IDENTITY_FILE, AUTHRING_KEY_FILE, AUTHRING_PASSPHRASE_FILE", "The absolute path of a file with a key of the sealed file, as --identity, --key-file and --passphrase-file name it. Never the key itself."},
		{"CREDENTIALS_DIRECTORY", "Set by systemd for a service; its file authring.sealed-key opens the sealed file."},
		{"NO_COLOR", "If set and not empty, nothing is coloured."},
		{"XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_DATA_HOME", "Where files are kept, instead of ~/.config, ~/.local/state and ~/.local/share."},
		{"BROWSER", "The program that link opens the page with, instead of the desktop's choice."},
	}
}

func fileItems() []item {
	return []item{
		{"~/.config/authring/NAME.ini", "The record of the link NAME: account, keyring, scope. Never a secret."},
		{"$XDG_RUNTIME_DIR/authring/agent.sock", "The socket of the agent (authring agent)."},
		{"~/.config/authring/policy/NAME.json", "The rules of who may have tokens of the link NAME from the agent."},
		{"~/.local/state/authring/", "Locks, and links that were begun and not finished yet (for ten minutes)."},
		{"~/.local/share/authring/sealed.keyring", "The secrets of the keyring sealed, encrypted. Beside it, in sealed.keyring.conf, the paths of its keys."},
		{"~/.local/share/python_keyring/keyring_pass.cfg", "The secrets of the keyring plaintext, which is used only if you allowed it."},
	}
}

// printHelp writes the help of cmd to standard output.
func (p *program) printHelp(cmd *cobra.Command) {
	w := p.stdout
	fmt.Fprintf(w, "%s\n\n%s %s\n", cmd.Long, w.paint(bold, "usage:"), useLine(cmd))
	for _, s := range p.sections(cmd) {
		fmt.Fprintf(w, "\n%s\n", w.paint(bold, s.title+":"))
		if s.text != "" {
			fmt.Fprintf(w, "%s\n", s.text)
		}
		printItems(w, s.items)
	}
}

func useLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Use + " VERB [options]"
	}
	return "authring " + cmd.Use
}

// printItems writes terms in a column, and their explanations beside it; a
// long term has a line of its own.
func printItems(w io.Writer, items []item) {
	const most = 24
	width := 0
	for _, i := range items {
		if len(i.term) <= most {
			width = max(width, len(i.term))
		}
	}
	pad := strings.Repeat(" ", width+4)
	for _, i := range items {
		lines := wrap(i.text, 78-len(pad))
		if len(i.term) > most {
			fmt.Fprintf(w, "  %s\n%s%s\n", i.term, pad, strings.Join(lines, "\n"+pad))
			continue
		}
		fmt.Fprintf(w, "  %-*s  %s\n", width, i.term, strings.Join(lines, "\n"+pad))
	}
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// helpCommand is the verb help.
func (p *program) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "help [VERB]",
		Short:  "Show the help of a verb",
		Hidden: true,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			for _, verb := range root.Commands() {
				if len(args) == 0 && !verb.Hidden {
					names = append(names, cobra.CompletionWithDesc(verb.Name(), verb.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return root.Help()
			}
			cmd, _, err := root.Find(args[:1])
			if err != nil || cmd == root {
				return unknownVerb(root, args[0])
			}
			return cmd.Help()
		},
	}
}
