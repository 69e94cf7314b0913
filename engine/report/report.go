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
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// detail is how much of its lists a report shows. What is cut says so; plan.json
// has all of it.
type detail struct {
	rows  int // of a table
	names int // in a cell
	folds int // patches whose reasons are told
}

var (
	whole = detail{rows: 1 << 30, names: 12, folds: 1 << 30}
	brief = detail{rows: 20, names: 4, folds: 6}
)

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
	sections := slices.Insert(s.sections(whole), 1, gallery(pictures, ""))
	return []byte("# " + inert(s.title()) + "\n\n" + strings.Join(sections, ""))
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
		return clip(oneLine(fmt.Sprintf("%s: nothing of %s can be planned now, %s", class, group, waiting(s.Plan))), 200)
	}
	what := plural(len(list), "patch")
	if len(list) == 1 {
		what = fmt.Sprintf("%s %s", list[0].Package, list[0].To)
	}
	title := fmt.Sprintf("%s: %s on %s of %s, %s", class, what, plural(s.hosts, "host"), group, s.due())
	if !s.feasible() && !s.deadline().Before(s.At) {
		title += " (cannot be met)"
	}
	return clip(oneLine(title), 200)
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

// Page is what a pull request's description says beyond the plan. The zero value
// says nothing more.
type Page struct {
	// At is the address of the plan's folder, with its slash, from which a browser
	// gets the pictures; "": nobody would see them.
	At string
	// Since is what changed since the version that people may have read, as Since
	// says it.
	Since []string
	// Reviewed is the approvals of earlier versions, each with what changed since.
	Reviewed []Reviewed
}

// Body is a pull request's description: a summary that fits a phone's screen,
// what changed, pictures, then ranked detail, at most limit characters in all.
// What does not fit is said to be in plan.md.
func Body(p *plan.Plan, limit int, page Page) string {
	const rest = "\n_The rest is in `plan.md`._\n"
	s := read(p)
	before := since(page.Since) + s.reviewed(page.Reviewed)
	if page.At != "" {
		files := s.pictures()
		delete(files, scheduleFile) // which the chart of the rings shows
		before += s.mermaid(brief.rows) + gallery(files, page.At)
	}
	var b strings.Builder
	n := 0
	for _, text := range slices.Insert(s.sections(brief), 1, before) {
		size := utf8.RuneCountInString(text)
		if n+size > limit-len(rest) {
			b.WriteString(rest)
			break
		}
		n += size
		b.WriteString(text)
	}
	return b.String()
}

func since(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Since the last version\n\n")
	for _, l := range lines[:min(len(lines), sinceMost)] {
		fmt.Fprintf(&b, "- %s\n", inert(clip(l, 400)))
	}
	return b.String() + "\n"
}

// sections are the parts of a report, the most important first.
func (s *sheet) sections(d detail) []string {
	p, list := s.Plan, s.families()
	return []string{
		s.summary(), conflicts(p, d), approvals(p, d), timeline(p, d), patches(list, d), skipped(p, d),
		rollback(p, list, d), scanners(p, d), reasons(list, d), footer(p),
	}
}

// summary answers what, why now, what may break, when, who must approve, and
// what happens when it goes wrong.
func (s *sheet) summary() string {
	var b strings.Builder
	p, list := s.Plan, s.planned
	if len(list) == 0 {
		return "**Nothing can be planned now**: " + waiting(p) + ", for the reasons below.\n\n"
	}
	_, group, _, _ := plan.ParseID(p.ID)
	fmt.Fprintf(&b, "**What** %s on %s of group %s.  \n", patchNames(list), plural(s.hosts, "host"), code(group))
	fmt.Fprintf(&b, "**Why now** %s  \n", s.why())
	fmt.Fprintf(&b, "**May break** %s  \n", s.mayBreak())
	fmt.Fprintf(&b, "**When** %s  \n", inert(when(p)))
	fmt.Fprintf(&b, "**Approve** %s  \n", who(p))
	if len(p.NotPlanned) > 0 {
		fmt.Fprintf(&b, "**Not planned** %s%s, for the reasons below.  \n", waiting(p), overdueNote(p))
	}
	if unseen := unseen(p.Population); unseen != "" {
		fmt.Fprintf(&b, "**Blind spots** %s.  \n", unseen)
	}
	b.WriteString("**If it goes wrong** the host is rolled back by itself, the ring stops, and the patch stays away from hosts like it.\n\n")
	return b.String()
}

// unseen is the hosts of which a plan says nothing: silence is no good news.
func unseen(n plan.Population) string {
	var list []string
	for _, x := range []struct {
		n    int
		what string
	}{
		{n.Stale, "whose facts are old"}, {n.Unknown, "that never reported"}, {n.Uncovered, "on platforms that no advisory here speaks of"},
	} {
		if x.n > 0 {
			list = append(list, plural(x.n, "host")+" "+x.what)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return join(list)
}

func overdueNote(p *plan.Plan) string {
	n := 0
	for _, s := range p.NotPlanned {
		n += number(s.Overdue)
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them **overdue**", n)
}

func patchNames(list []plan.Patch) string {
	var names []string
	for i, x := range list {
		if i == 3 && len(list) > 4 {
			names = append(names, fmt.Sprintf("%d more patches", len(list)-3))
			break
		}
		names = append(names, code(fmt.Sprintf("%s %s", x.Package, x.To)))
	}
	return join(names)
}

// why says which clock presses most, and whether attackers are at it.
func (s *sheet) why() string {
	list := s.planned
	first := mostUrgent(list)
	verb := "runs out"
	if first.Deadline.Before(s.At) {
		verb = "ran out"
	}
	text := fmt.Sprintf("the %s clock of %s %s on %s (%s after it was %s).", inert(clockName(first.Clock)), code(string(first.ID)), verb,
		moment(first.Deadline), span(first.Deadline.Sub(first.ClockStart)), inert(first.ClockFrom))
	known, late := 0, 0
	for _, x := range list {
		known += number(x.KnownExploited)
		late += number(x.Deadline.Before(s.At))
	}
	if late > 1 {
		text += fmt.Sprintf(" %d of %d are overdue.", late, len(list))
	}
	switch {
	case known > 0 && len(list) == 1:
		text += " **It is known to be exploited.**"
	case known > 0:
		text += fmt.Sprintf(" **%d of %d are known to be exploited.**", known, len(list))
	}
	return text
}

// mayBreak is the change most likely to go wrong.
func (s *sheet) mayBreak() string {
	at := s.worst
	return fmt.Sprintf("at worst %s on %s: %s by %s.", code(string(at.Patch)), code(string(at.Host)), risk(at.DeployRisk), sourceName(at.DeployRisk.Source))
}

// when is plain text.
func when(p *plan.Plan) string {
	first, last := ends(p)
	var rings []string
	for _, r := range p.Rings {
		rings = append(rings, clip(r.Name, 40))
	}
	if n := len(rings); n > 6 {
		rings = append(rings[:5:5], fmt.Sprintf("… %d more", n-5))
	}
	return fmt.Sprintf("from %s to %s%s: %s.", moment(first), moment(last), elsewhere(p), strings.Join(rings, " → "))
}

func who(p *plan.Plan) string {
	if len(p.Approvals) == 0 {
		return "nobody has to: policy allows this plan to run unattended once it is merged."
	}
	var list []string
	for _, a := range p.Approvals {
		list = append(list, fmt.Sprintf("%d of %s", a.Count, code(a.From)))
	}
	return join(list) + "."
}

func footer(p *plan.Plan) string {
	n := p.Population
	uncovered := ""
	if n.Uncovered > 0 {
		uncovered = fmt.Sprintf(" No advisory here speaks of the platform of %s: that nothing was found there is no good news.", plural(n.Uncovered, "host"))
	}
	return fmt.Sprintf("---\nSeen: %s declared, %d with fresh facts, %d stale, %d unknown.%s Made at %s by engine %s from commit %s; nothing starts from it after %s. Digest %s.\n",
		plural(n.Declared, "host"), n.Fresh, n.Stale, n.Unknown, uncovered, moment(p.At), inert(p.Inputs.Engine), code(clip(p.Inputs.Commit, 12)), moment(p.Expires), code(p.Digest))
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
