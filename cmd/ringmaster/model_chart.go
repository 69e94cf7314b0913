package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
)

// chart draws models on a terminal, or where none is, in a file.
type chart struct {
	out   io.Writer
	width int
	color bool
}

// pad is text in a field of a width, cut where it is too long.
func pad(s string, width int) string {
	r := []rune(line(s))
	if len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return string(r) + strings.Repeat(" ", width-len(r))
}

// paint colours text by an effect's sign.
func (c *chart) paint(s string, effect float64) string {
	switch {
	case !c.color || effect == 0:
		return s
	case effect > 0:
		return "\x1b[31m" + s + "\x1b[0m"
	}
	return "\x1b[34m" + s + "\x1b[0m"
}

// eighths are the left parts of a block.
var eighths = []rune(" ▏▎▍▌▋▊▉█")

// blockBar is a bar of a length in columns.
func blockBar(length float64) string {
	n := int(math.Round(length * 8))
	s := strings.Repeat("█", n/8)
	if n%8 > 0 {
		s += string(eighths[n%8])
	}
	return s
}

func (c *chart) bar(name string, x, most float64) {
	room := max(10, c.width-42-12)
	length := 0.0
	if most > 0 {
		length = x / most * float64(room)
	}
	fmt.Fprintf(c.out, "  %s %7.4f %s\n", pad(name, 40), x, blockBar(length))
}

// term draws one term.
func (c *chart) term(t ebm.Term) {
	fmt.Fprintf(c.out, "\n%s  (importance %.4f)\n", line(t.Name), t.Importance)
	switch {
	case len(t.Columns) == 2:
		c.heat(t)
	case t.Category[0]:
		c.words(t)
	default:
		c.shape(t)
	}
}

// mostWords is how many words of a category are drawn.
const mostWords = 24

// words draws a bar for every word of a category, either way from nothing.
func (c *chart) words(t ebm.Term) {
	most := 0.0
	for _, e := range t.Effects {
		most = max(most, math.Abs(e[0]))
	}
	half := max(6, (c.width-2-28-1-9-1-8-1)/2)
	shown := byRows(t)
	for _, k := range shown[:min(len(shown), mostWords)] {
		x := t.Effects[k][0]
		length := 0.0
		if most > 0 {
			length = math.Abs(x) / most * float64(half)
		}
		bar := strings.Repeat(" ", half) + "│" + blockBar(length)
		if x < 0 {
			full := int(math.Round(length))
			bar = strings.Repeat(" ", half-full) + strings.Repeat("█", full) + "│"
		}
		fmt.Fprintf(c.out, "  %s %8d %+8.3f %s\n", pad(t.Bins[0][k].Label, 28), t.Rows[k][0], x, c.paint(bar, x))
	}
	if n := len(shown) - mostWords; n > 0 {
		fmt.Fprintf(c.out, "  … and %d more\n", n)
	}
}

// byRows are a term's bins, those of most rows first.
func byRows(t ebm.Term) []int {
	list := make([]int, len(t.Rows))
	for k := range list {
		list[k] = k
	}
	for i := 1; i < len(list); i++ {
		for k := i; k > 0 && t.Rows[list[k]][0] > t.Rows[list[k-1]][0]; k-- {
			list[k], list[k-1] = list[k-1], list[k]
		}
	}
	return list
}

// high is how many lines a shape takes.
const high = 8

// shape draws the effect of a number: every column stands for as many rows, so
// that what is drawn wide concerns many.
func (c *chart) shape(t ebm.Term) {
	var bins []int
	rows := 0
	for k, b := range t.Bins[0] {
		if b.Empty {
			fmt.Fprintf(c.out, "  empty in %s: %+.3f\n", count(t.Rows[k][0], "row"), t.Effects[k][0])
			continue
		}
		bins = append(bins, k)
		rows += t.Rows[k][0]
	}
	if len(bins) == 0 {
		return
	}
	wide := max(20, min(72, c.width-14))
	at := make([]int, wide) // the bin of each column
	k, passed := 0, t.Rows[bins[0]][0]
	for x := range at {
		for want := (float64(x) + 0.5) / float64(wide) * float64(rows); float64(passed) <= want && k < len(bins)-1; {
			k++
			passed += t.Rows[bins[k]][0]
		}
		at[x] = bins[k]
	}
	c.plot(t, at)
	c.ticks(t, at)
}

// plot draws the effects at the bins given, on a scale that has 0 on it.
func (c *chart) plot(t ebm.Term, at []int) {
	low, top := 0.0, 0.0
	for _, k := range at {
		low, top = min(low, t.Effects[k][0]), max(top, t.Effects[k][0])
	}
	scale := (top - low) / (2 * high) // of half a line
	if scale == 0 {
		scale = 1
	}
	zero := int(math.Round(-low / scale))
	for row := high - 1; row >= 0; row-- {
		label := "        "
		switch {
		case row == high-1 && top > 0:
			label = fmt.Sprintf("%+8.3f", top)
		case row == 0 && low < 0:
			label = fmt.Sprintf("%+8.3f", low)
		}
		var b strings.Builder
		for _, k := range at {
			level := int(math.Round((t.Effects[k][0] - low) / scale))
			from, to := min(level, zero), max(level, zero)
			b.WriteRune(half(2*row >= from && 2*row < to, 2*row+1 >= from && 2*row+1 < to))
		}
		fmt.Fprintf(c.out, "  %s ┤%s\n", label, strings.TrimRight(b.String(), " "))
	}
}

// half is a character whose lower and upper half are filled or not.
func half(lower, upper bool) rune {
	switch {
	case lower && upper:
		return '█'
	case lower:
		return '▄'
	case upper:
		return '▀'
	}
	return ' '
}

// ticks writes what the columns stand for.
func (c *chart) ticks(t ebm.Term, at []int) {
	text := []rune(strings.Repeat(" ", len(at)+12))
	free := 0
	for _, part := range []float64{0, 0.25, 0.5, 0.75} {
		x := int(part * float64(len(at)))
		b := t.Bins[0][at[x]]
		label := []rune("│ " + shortNumber(b.Low))
		if math.IsNaN(b.Low) {
			label = []rune("│ below " + shortNumber(b.High))
		}
		if math.IsNaN(b.Low) && math.IsNaN(b.High) {
			label = []rune("│ any")
		}
		if x >= free && x+len(label) <= len(text) {
			copy(text[x:], label)
			free = x + len(label) + 1
		}
	}
	fmt.Fprintf(c.out, "            %s\n", strings.TrimRight(string(text), " "))
}

func shortNumber(x float64) string { return fmt.Sprintf("%.5g", x) }

// shades stand for effects in a table, from the most negative.
var shades = []string{"==", "--", "··", "░░", "▒▒", "██"}

// heat draws a pair's table; cells that hold no row are blank.
func (c *chart) heat(t ebm.Term) {
	most := 0.0
	for i, e := range t.Effects {
		for k, x := range e {
			if t.Rows[i][k] > 0 {
				most = max(most, math.Abs(x))
			}
		}
	}
	fmt.Fprintf(c.out, "  lines: %s; across: %s, %s to %s\n", line(t.Columns[0]), line(t.Columns[1]), line(firstBin(t.Bins[1]).Label), line(t.Bins[1][len(t.Bins[1])-1].Label))
	room := max(8, (c.width-2-24-2)/2)
	for i, e := range t.Effects {
		var b strings.Builder
		any := false
		for k, x := range e[:min(len(e), room)] {
			if t.Rows[i][k] == 0 {
				b.WriteString("  ")
				continue
			}
			any = true
			b.WriteString(c.paint(shade(x, most), x))
		}
		if any {
			fmt.Fprintf(c.out, "  %s %s\n", pad(t.Bins[0][i].Label, 24), strings.TrimRight(b.String(), " "))
		}
	}
	fmt.Fprintf(c.out, "  == below %+.3f, -- below %+.3f, ░░ above %+.3f, ▒▒ above %+.3f, ██ above %+.3f, blank no row\n", -most/2, -most/10, most/10, most/3, most*2/3)
}

// firstBin is the first bin that is not of missing values, if there is one.
func firstBin(bins []ebm.Bin) ebm.Bin {
	if len(bins) > 1 && bins[0].Empty {
		return bins[1]
	}
	return bins[0]
}

func shade(x, most float64) string {
	switch {
	case x < -most/2:
		return shades[0]
	case x < -most/10:
		return shades[1]
	case x <= most/10:
		return shades[2]
	case x <= most/3:
		return shades[3]
	case x <= most*2/3:
		return shades[4]
	}
	return shades[5]
}

// calibration says what becomes of the sum of effects.
func (c *chart) calibration(m *ebm.Model, f ebm.Facts) {
	if f.Calibrated {
		fmt.Fprintf(c.out, "calibration: log-odds of p = %.5g·log q %+.5g·log(1-q) %+.5g, where q is the probability of the sum\n", f.A, -f.B, f.C)
	} else {
		fmt.Fprintln(c.out, "calibration: none; a map of the sum foretold rows left out no better")
	}
	fmt.Fprintln(c.out, "  sum      p        Venn-Abers interval")
	for x := -6.0; x <= 6; x += 2 {
		p, low, high := m.Probability(x)
		fmt.Fprintf(c.out, "  %+.0f  %8.5f  %.5f to %.5f\n", x, p, low, high)
	}
}
