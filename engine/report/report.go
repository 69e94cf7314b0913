// Package report shows a plan to people: as Markdown for review, as the text of
// a pull request, and on a terminal.
//
// Everything comes from the plan itself, so that the same plan always reads the
// same. What is alike stands in one row: packages of one build that are judged
// the same, hosts that wait for the same reason. Names and texts from outside
// (advisories, packages, hosts, reasons) are made inert: they cannot become
// links, images, mentions, HTML or commands.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// detail is how much of its lists a report shows. What is cut says so; plan.json
// has all of it.
type detail struct {
	rows  int // of a table
	names int // in a cell
	folds int // patches whose reasons are told
	words int // characters of a reason
}

var (
	whole = detail{rows: 1 << 30, names: 12, folds: 1 << 30, words: 1 << 30}
	brief = detail{rows: 20, names: 4, folds: 6, words: 400}
	short = detail{rows: 4, names: 2, folds: 1, words: 160}
)

// said is a reason as far as a report has room for it, inert.
func (d detail) said(s string) string { return inert(clip(s, d.words)) }

// Files are what lies beside plan.json, by name: plan.md, and the pictures that
// it shows. They follow from the plan alone.
func Files(p *plan.Plan) map[string][]byte {
	s := read(p)
	files := s.pictures()
	files["plan.md"] = s.markdown(files)
	return files
}

// Markdown is plan.md without its pictures: every change and every reason, the
// most important first.
func Markdown(p *plan.Plan) []byte { return read(p).markdown(nil) }

func (s *sheet) markdown(pictures map[string][]byte) []byte {
	var b strings.Builder
	b.WriteString("# " + inert(s.title()) + "\n\n" + s.summary() + gallery(pictures, ""))
	for _, part := range s.parts() {
		b.WriteString(part.text(whole))
	}
	return []byte(b.String() + s.footer())
}

// gallery shows pictures, each by its name after at: a folder's address with its
// slash, or nothing for those that lie beside the text.
func gallery(pictures map[string][]byte, at string) string {
	var b strings.Builder
	for _, x := range []struct{ file, says string }{
		{scheduleFile, "Rings and waves in time"}, {balanceFile, "Risk against urgency"}, {termsFile, "What made the highest risk"},
	} {
		if pictures[x.file] != nil {
			fmt.Fprintf(&b, "![%s](%s%s)\n\n", x.says, at, x.file)
		}
	}
	return b.String()
}

// The pictures beside plan.md.
const (
	scheduleFile = "schedule.svg"
	balanceFile  = "risk.svg"
	termsFile    = "reasons.svg"
)

// pictures are a plan's, by file name: none where nothing is planned.
func (s *sheet) pictures() map[string][]byte {
	files := map[string][]byte{}
	if len(s.planned) == 0 {
		return files
	}
	files[scheduleFile], files[balanceFile] = schedule(s), balance(s)
	if data := terms(s); data != nil {
		files[termsFile] = data
	}
	return files
}

// Title is a pull request's title, one line.
func Title(p *plan.Plan) string { return read(p).title() }

func (s *sheet) title() string {
	class, group, _, _ := plan.ParseID(s.ID)
	list := s.planned
	if len(list) == 0 {
		return clip(markup.Message(fmt.Sprintf("%s: nothing of %s can be planned now, %s", class, group, waiting(s.Plan))), 200)
	}
	what := plural(len(list), "patch")
	if len(list) == 1 {
		what = fmt.Sprintf("%s %s", list[0].Package, list[0].To)
	}
	title := fmt.Sprintf("%s: %s on %s of %s, %s", class, what, plural(s.hosts, "host"), group, s.due())
	if !s.feasible() && !s.deadline().Before(s.At) {
		title += " (cannot be met)"
	}
	return clip(markup.Message(title), 200)
}

// due is "by Fri 20 Mar", or since when it is overdue.
func (s *sheet) due() string {
	t := s.deadline()
	if t.Before(s.At) && !t.IsZero() {
		return "overdue since " + day(t, s.At)
	}
	return "by " + day(t, s.At)
}

// waiting is "40 changes wait".
func waiting(p *plan.Plan) string {
	if len(p.NotPlanned) == 1 {
		return "1 change waits"
	}
	return fmt.Sprintf("%d changes wait", len(p.NotPlanned))
}

func (s *sheet) footer() string {
	p := s.Plan
	n := p.Population
	uncovered := ""
	if n.Uncovered > 0 {
		uncovered = fmt.Sprintf(" No advisory here speaks of the platform of %s: that nothing was found there is no good news.", plural(n.Uncovered, "host"))
	}
	return fmt.Sprintf("---\nSeen: %s declared, %d with fresh facts, %d stale, %d unknown.%s Made at %s by engine %s from commit %s; nothing starts from it after %s. Digest %s.\n",
		plural(n.Declared, "host"), n.Fresh, n.Stale, n.Unknown, uncovered, moment(p.At), inert(p.Inputs.Engine), code(clip(p.Inputs.Commit, 12)), moment(p.Expires), code(p.Digest))
}

// atOnce is the most hosts that are being changed at one moment: waves of
// several rings may meet.
func atOnce(p *plan.Plan) int {
	type step struct {
		at    time.Time
		hosts int
	}
	var steps []step
	for _, r := range p.Rings {
		for _, w := range r.Waves {
			n := hostCount(w)
			steps = append(steps, step{w.Start, n}, step{w.End, -n})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.hosts, b.hosts)) })
	most, now := 0, 0
	for _, x := range steps {
		now += x.hosts
		most = max(most, now)
	}
	return most
}

// ends are when the first wave begins and the last one ends.
func ends(p *plan.Plan) (first, last time.Time) {
	for _, r := range p.Rings {
		for _, w := range r.Waves {
			if first.IsZero() || w.Start.Before(first) {
				first = w.Start
			}
			if w.End.After(last) {
				last = w.End
			}
		}
	}
	return first, last
}
