package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
)

// bar is one row of the chart.
type bar struct {
	group string // rows of one group follow each other under its name
	label string
	ours  bool
	// value is the length of the bar; later, unless zero, is marked beside it.
	value, later float64
}

// chart is a bar chart with one row for each program.
type chart struct {
	title, subtitle, alt string
	unit                 string
	// heading stands over the two columns of figures.
	heading, valueHeading, laterHeading string
	bars                                []bar
}

// Measures of the chart, in pixels.
const (
	chartWidth   = 760
	marginX      = 24
	labelWidth   = 158
	columnWidth  = 58
	plotLeft     = marginX + labelWidth + 12
	plotRight    = chartWidth - marginX - 2*columnWidth - 8
	rowHeight    = 25
	barHeight    = 13
	groupHeight  = 23
	groupGap     = 12
	headHeight   = 98
	footHeight   = 62
	breakWidth   = 5
	breakSlant   = 6
	gridLines    = 6
	markRadius   = 3.5
	cornerRadius = 2.5
	legendStep   = 150
)

// chartStyle leaves the ground to the page, and follows its light or dark.
const chartStyle = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: #1f2933; }
    .title { font-size: 17px; font-weight: 600; }
    .soft { fill: #52606d; font-size: 12px; }
    .group { fill: #52606d; font-size: 11px; font-weight: 600; letter-spacing: .06em; }
    .number { font-variant-numeric: tabular-nums; text-anchor: end; }
    .label { text-anchor: end; }
    .tick { fill: #52606d; font-size: 11px; text-anchor: middle; }
    .ours { font-weight: 600; }
    .grid { stroke: #d5dbe1; stroke-width: 1; }
    .bar { fill: #9aa8b7; }
    .bar.ours { fill: #0969da; }
    .mark { fill: none; stroke: #52606d; stroke-width: 1.5; }
    .mark.ours { stroke: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .soft, .group, .tick { fill: #9aa7b4; }
      .grid { stroke: #343c46; }
      .bar { fill: #66727f; }
      .bar.ours { fill: #4493f8; }
      .mark { stroke: #9aa7b4; }
      .mark.ours { stroke: #4493f8; }
    }
`

// svg draws the chart. Its text is text, and its colours suit a light and a
// dark page.
func (c chart) svg() string {
	limit, step := c.scale()
	x := func(v float64) float64 { return plotLeft + v/limit*(plotRight-plotLeft) }
	var rows strings.Builder
	y, group := headHeight, ""
	for i, b := range c.bars {
		if b.group != group {
			if y > headHeight {
				y += groupGap
			}
			fmt.Fprintf(&rows, `  <text class="group" x="%d" y="%d">%s</text>`+"\n", marginX, y+14, escape(strings.ToUpper(b.group)))
			group, y = b.group, y+groupHeight
			height := rowHeight
			for _, next := range c.bars[i+1:] {
				if next.group != group {
					break
				}
				height += rowHeight
			}
			for v := 0.0; v <= limit+step/2; v += step {
				rows.WriteString(line("grid", x(v), float64(y), x(v), float64(y+height)))
			}
		}
		c.row(&rows, b, y, limit, x)
		y += rowHeight
	}
	bottom := y

	var out strings.Builder
	height := bottom + footHeight
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="title alt">`+"\n",
		chartWidth, height, chartWidth, height)
	fmt.Fprintf(&out, "  <title id=\"title\">%s</title>\n  <desc id=\"alt\">%s</desc>\n  <style>%s  </style>\n", escape(c.title), escape(c.alt), chartStyle)
	fmt.Fprintf(&out, `  <text class="title" x="%d" y="36">%s</text>`+"\n", marginX, escape(c.title))
	fmt.Fprintf(&out, `  <text class="soft" x="%d" y="57">%s</text>`+"\n", marginX, escape(c.subtitle))
	fmt.Fprintf(&out, `  <text class="soft number" x="%d" y="%d">%s</text>`+"\n", c.columnX(1), headHeight-3, escape(c.heading))
	for i, heading := range []string{c.valueHeading, c.laterHeading} {
		fmt.Fprintf(&out, `  <text class="soft number" x="%d" y="%d">%s</text>`+"\n", c.columnX(i), headHeight+14, escape(heading))
	}
	for v := 0.0; v <= limit+step/2; v += step {
		tick := fmt.Sprintf("%g", v)
		if v > limit-step/2 {
			tick += " " + c.unit
		}
		fmt.Fprintf(&out, `  <text class="tick" x="%.1f" y="%d">%s</text>`+"\n", x(v), bottom+16, tick)
	}
	out.WriteString(rows.String())
	c.legend(&out, bottom+44)
	out.WriteString("</svg>\n")
	return out.String()
}

func (c chart) row(w *strings.Builder, b bar, y int, limit float64, x func(float64) float64) {
	class := ""
	if b.ours {
		class = " ours"
	}
	baseline, top := y+17, float64(y)+(rowHeight-barHeight)/2.0
	fmt.Fprintf(w, `  <text class="label%s" x="%d" y="%d">%s</text>`+"\n", class, marginX+labelWidth, baseline, escape(b.label))
	if b.value > limit {
		// The bar is broken: its length means nothing.
		end, gap := float64(plotRight)+2, float64(plotRight)-34
		w.WriteString(piece(class, plotLeft, gap, top, 0, breakSlant))
		w.WriteString(piece(class, gap+breakWidth, end, top, breakSlant, 0))
	} else {
		fmt.Fprintf(w, `  <rect class="bar%s" x="%d" y="%.1f" width="%.1f" height="%d" rx="%.1f"/>`+"\n",
			class, plotLeft, top, x(b.value)-plotLeft, barHeight, cornerRadius)
	}
	if b.later > b.value && b.later <= limit {
		middle := top + barHeight/2.0
		from := x(b.value) + 2
		if to := x(b.later) - markRadius; to > from {
			w.WriteString(line("mark"+class, from, middle, to, middle))
		}
		fmt.Fprintf(w, `  <circle class="mark%s" cx="%.1f" cy="%.1f" r="%.1f"/>`+"\n", class, x(b.later), middle, markRadius)
	}
	for i, v := range []float64{b.value, b.later} {
		if v > 0 {
			fmt.Fprintf(w, `  <text class="number%s" x="%d" y="%d">%s</text>`+"\n", class, c.columnX(i), baseline, figure(v))
		}
	}
}

// piece is a part of a broken bar with slanted ends.
func piece(class string, left, right, top, slantLeft, slantRight float64) string {
	bottom := top + barHeight
	return fmt.Sprintf(`  <path class="bar%s" d="M%.1f %.1f H%.1f L%.1f %.1f H%.1f Z"/>`+"\n",
		class, left+slantLeft, top, right+slantRight, right, bottom, left)
}

func (c chart) columnX(i int) int { return plotRight + 8 + (i+1)*columnWidth }

// line draws a straight line.
func line(class string, x1, y1, x2, y2 float64) string {
	return fmt.Sprintf(`  <line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class, x1, y1, x2, y2)
}

// legend says what bars and rings are.
func (c chart) legend(w *strings.Builder, y int) {
	fmt.Fprintf(w, `  <rect class="bar" x="%d" y="%d" width="26" height="10" rx="2"/>`+"\n", plotLeft, y-9)
	fmt.Fprintf(w, `  <text class="soft" x="%d" y="%d">%s %s</text>`+"\n", plotLeft+34, y, escape(c.valueHeading), escape(c.heading))
	ring := float64(plotLeft + legendStep + 18)
	w.WriteString(line("mark", ring-18, float64(y-4), ring, float64(y-4)))
	fmt.Fprintf(w, `  <circle class="mark" cx="%.1f" cy="%d" r="%.1f"/>`+"\n", ring+markRadius, y-4, markRadius)
	fmt.Fprintf(w, `  <text class="soft" x="%.1f" y="%d">%s %s</text>`+"\n", ring+15, y, escape(c.laterHeading), escape(c.heading))
}

// scale returns where the axis ends, and how far apart its lines are. A value
// that is more than three times the next smaller one does not shrink all
// others to nothing: its bar is broken.
func (c chart) scale() (limit, step float64) {
	var values []float64
	for _, b := range c.bars {
		values = append(values, b.value, b.later)
	}
	slices.Sort(values)
	largest := values[0]
	for _, v := range values {
		if largest > 3 && v > 3*largest {
			break
		}
		largest = v
	}
	step = math.Pow(10, math.Floor(math.Log10(largest/gridLines)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if step*factor*gridLines >= largest {
			step *= factor
			break
		}
	}
	return step * math.Ceil(largest/step), step
}

// figure writes a value with about three digits.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text))
	return out.String()
}
