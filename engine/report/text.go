package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// TextOptions say how a terminal is written to. The zero value is plain text of
// 80 columns.
type TextOptions struct {
	Color bool
	Width int
}

// Text shows a plan on a terminal: its patches, a picture of its rings in time,
// and what was not planned, with the reasons.
func Text(w io.Writer, p *plan.Plan, o TextOptions) error {
	t := newTerminal(w, o)
	s := read(p)
	p = s.Plan
	t.line("%s", t.bold(s.title()))
	t.patches(s)
	t.rings(s)
	t.conflicts(p)
	for _, a := range p.Approvals {
		t.item("approve", "%d of %s: %s", a.Count, a.From, because(a.Because, 4))
	}
	t.skipped(p)
	if n := len(p.Scanners); n > 0 {
		t.item("scanners", "the advisories say otherwise of %s; see plan.md", plural(n, "finding"))
	}
	return t.w.Flush()
}

type terminal struct {
	w *bufio.Writer
	o TextOptions
}

func newTerminal(w io.Writer, o TextOptions) *terminal {
	if o.Width < 60 {
		o.Width = 80
	}
	return &terminal{bufio.NewWriter(w), o}
}

// painted is text that holds our own colours and nothing else that a terminal
// would obey.
type painted string

// line writes one line. Every argument that is not painted is made inert first,
// so that no text from outside commands the terminal.
func (t *terminal) line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = oneLine(s)
		}
	}
	fmt.Fprintln(t.w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (t *terminal) paint(code, s string) painted {
	s = oneLine(s)
	if !t.o.Color || s == "" {
		return painted(s)
	}
	return painted("\x1b[" + code + "m" + s + "\x1b[0m")
}

func (t *terminal) bold(s string) painted { return t.paint("1", s) }

// item is a label and text that wraps under itself.
func (t *terminal) item(label, format string, args ...any) {
	const indent = 13
	text := fmt.Sprintf(format, args...)
	for i, l := range wrap(oneLine(text), t.o.Width-indent) {
		head := ""
		if i == 0 {
			head = label
		}
		t.line("  %-10s %s", head, l)
	}
}

func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func (t *terminal) patches(s *sheet) {
	list := s.families()
	for i, f := range list {
		if i == most {
			t.line("  … and %d more; see plan.md", len(list)-i)
			return
		}
		also, known := "", ""
		if n := len(f.packages); n > 1 {
			also = fmt.Sprintf(" and %d more of this build", n-1)
		}
		if f.KnownExploited {
			known = "  known exploited"
		}
		t.line("  %s%s%s", t.bold(string(f.ID)), also, t.paint("31", known))
		t.line("    may break     %s %s", bar(f.DeployRisk), risk(f.DeployRisk)+" by "+sourceName(f.DeployRisk.Source))
		if len(f.CVEs) > 0 || f.ExploitRisk.High > 0 {
			t.line("    may be used   %s %s", bar(f.ExploitRisk), risk(f.ExploitRisk))
		}
		t.line("    by            %s (%s clock), begins in %s", moment(f.Deadline), clockName(f.Clock), f.first)
		for _, x := range f.NoRollback {
			for i, l := range wrap(oneLine(x.Why+"; instead: "+x.Instead), t.o.Width-18) {
				head := ""
				if i == 0 {
					head = "no rollback"
				}
				t.line("    %-13s %s", head, l)
			}
		}
	}
}

// bar draws a probability and its interval on a scale of 20 cells: "·" nothing,
// "─" the interval, "●" the estimate. The scale is the square root, so that the
// small risks that matter can be told apart.
func bar(r plan.Risk) string {
	const cells = 20
	at := func(p float64) int {
		n := 0
		for n < cells-1 && float64((n+1)*(n+1)) <= p*cells*cells {
			n++
		}
		return n
	}
	b := []rune(strings.Repeat("·", cells))
	for i := at(r.Low); i <= at(r.High); i++ {
		b[i] = '─'
	}
	b[at(r.P)] = '●'
	return string(b)
}

// rings draws each ring's waves on a common scale of time.
func (t *terminal) rings(s *sheet) {
	p := s.Plan
	if len(p.Rings) == 0 {
		return
	}
	first, last := ends(p)
	due := s.deadline()
	scale := last
	if due.After(last) && due.Sub(first) < 4*last.Sub(first) {
		scale = due
	}
	cells := max(20, t.o.Width-44)
	total := max(scale.Sub(first), time.Minute)
	at := func(x time.Time) int {
		return min(cells-1, max(0, int(int64(cells)*int64(x.Sub(first)/time.Second)/int64(total/time.Second))))
	}
	t.line("")
	for _, r := range p.Rings {
		b := []rune(strings.Repeat("·", cells))
		for _, w := range r.Waves {
			for i := at(w.Start); i <= at(w.End); i++ {
				b[i] = '█'
			}
		}
		if !due.Before(first) && !due.After(scale) {
			b[at(due)] = '▏'
		}
		when := "nothing now"
		if len(r.Waves) > 0 {
			when = plural(ringHosts(r), "host") + ", from " + minute(r.Waves[0].Start, p.At)
		}
		t.line("  %-18s %s %s", clip(r.Name, 18), t.paint("36", string(b)), when)
	}
	t.line("  %-18s %s … %s%s", "", minute(first, p.At), minute(scale, p.At), elsewhere(p))
	t.line("")
}

func hostCount(w plan.Wave) int {
	n := 0
	for i, c := range w.Changes {
		if i == 0 || c.Host != w.Changes[i-1].Host {
			n++
		}
	}
	return n
}

func (t *terminal) conflicts(p *plan.Plan) {
	for i, x := range clashes(p) {
		if i == most {
			t.line("  … and more that cannot be met; see plan.md")
			return
		}
		also := ""
		if n := len(x.names); n > 1 {
			also = fmt.Sprintf(" and %d more like it", n-1)
		}
		t.line("  %s", t.paint("31", string(x.ID)+also+" cannot be met:"))
		for _, c := range x.Conflict {
			t.item(c.Kind, "%s: %s", c.Name, c.Message)
		}
		for i, w := range x.WaysOut {
			label := ""
			if i == 0 {
				label = "ways out"
			}
			t.item(label, "%s", w.Message)
		}
	}
}

// most is how many of a list a terminal shows.
const most = 10

func (t *terminal) skipped(p *plan.Plan) {
	list := waits(p)
	for i, w := range list {
		if i == most {
			t.item("", "… and %s more; see plan.md", plural(len(list)-i, "reason"))
			return
		}
		label := ""
		if i == 0 {
			label = "not now"
		}
		text := fmt.Sprintf("%s: %s", cmp.Or(strings.Join(cut(w.patches, 3), ", "), "any package"), w.why)
		if len(w.hosts) > 0 {
			text += " [" + strings.Join(cut(w.hosts, 4), ", ") + "]"
		}
		if !w.until.IsZero() {
			text += ", until " + moment(w.until)
		}
		t.item(label, "%s", text)
	}
}
