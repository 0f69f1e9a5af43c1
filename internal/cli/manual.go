package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

//go:generate go run ./genman ../../man

// ManPage is a page of section 1 of the manual.
type ManPage struct {
	Name    string // of its file: authring-link.1
	Content string // roff, macros of man(7)
}

// ManPages returns the manual: a page for the tool and one for each verb, from
// the same texts as --help. They hold no date and nothing of this machine.
func ManPages() []ManPage {
	p := &program{config: defaultConfig, app: defaultApp, stdout: &output{}, stderr: &output{}, sealed: &sealing{}, opened: &opened{}}
	root := p.rootCommand(nil)
	pages := []ManPage{{"authring.1", p.manPage(root)}}
	for _, v := range p.verbs() {
		for _, cmd := range root.Commands() {
			if cmd.Name() == v.name && !cmd.Hidden {
				pages = append(pages, ManPage{"authring-" + v.name + ".1", p.manPage(cmd)})
			}
		}
	}
	return pages
}

func (p *program) manPage(cmd *cobra.Command) string {
	var b strings.Builder
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"authring\" \"authring manual\"\n", quoteRoff(strings.ToUpper(name)))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(lowerFirst(cmd.Short)))
	command, rest, _ := strings.Cut(useLine(cmd), " ")
	if cmd.HasParent() {
		verb, flags, _ := strings.Cut(rest, " ")
		command, rest = command+" "+verb, flags
	}
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n%s\n", roff(command), roff(rest))
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, cmd.Long)
	for _, s := range p.sections(cmd) {
		fmt.Fprintf(&b, ".SH %s\n", quoteRoff(strings.ToUpper(s.title)))
		manText(&b, s.text)
		for _, i := range s.items {
			term := i.term
			if s.title == "verbs" {
				term = "authring-" + term + "(1)"
			}
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(term), roff(i.text))
		}
	}
	if cmd.HasParent() {
		b.WriteString(".SH SEE ALSO\n.BR authring (1)\n")
	}
	return b.String()
}

// manText writes paragraphs; lines that begin with two spaces stay as they are.
func manText(b *strings.Builder, text string) {
	if text == "" {
		return
	}
	literal, fresh := false, false
	paragraph := "" // a section's first needs no mark
	for _, line := range strings.Split(text, "\n") {
		switch verbatim := strings.HasPrefix(line, "  "); {
		case line == "":
			fresh = true
			continue
		case verbatim != literal && verbatim:
			b.WriteString(paragraph + ".nf\n.RS 2\n")
		case verbatim != literal:
			b.WriteString(".RE\n.fi\n" + paragraph)
		case fresh && !literal:
			b.WriteString(paragraph)
		case fresh:
			b.WriteString("\n")
		}
		literal, fresh, paragraph = strings.HasPrefix(line, "  "), false, ".PP\n"
		b.WriteString(roff(strings.TrimPrefix(line, "  ")) + "\n")
	}
	if literal {
		b.WriteString(".RE\n.fi\n")
	}
}

// roff escapes text: no character of it is taken for a request, a font change
// or a typographic dash.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "~", `\(ti`, "^", `\(ha`, "`", `\(ga`, `"`, `\(dq`, "'", `\(aq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

func quoteRoff(text string) string { return `"` + strings.ReplaceAll(text, "-", `\-`) + `"` }

func lowerFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToLower(text[:1]) + text[1:]
}
