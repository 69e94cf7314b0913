package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// wait is changes that are not planned for one reason, until one time.
type wait struct {
	why            string // of the most urgent of them
	alike          bool   // others differ from it in figures
	until          time.Time
	patches, hosts []string // each once, in the plan's order; no host: every one; no patch: nobody can tell which
	changes        int
	overdue        int
	deadline       time.Time // the earliest
}

// figure is a number that stands alone: not one within a name.
var figure = regexp.MustCompile(`(^|\s)[0-9]+(?:\.[0-9]+)?(\s|%|;|$)`)

// waits groups what is not planned by its reason, whatever figures that names;
// what is overdue comes first.
func waits(p *plan.Plan) []wait {
	type cause struct {
		why   string
		until int64
	}
	type seen struct {
		at   int
		what string
	}
	var list []wait
	place := map[cause]int{}
	plain := map[string]string{} // reasons are few, and what waits may be many
	patches, hosts := map[seen]bool{}, map[seen]bool{}
	for _, s := range p.NotPlanned {
		why, ok := plain[s.Why]
		if !ok {
			why = figure.ReplaceAllString(s.Why, "${1}0${2}")
			plain[s.Why] = why
		}
		c := cause{why, s.Until.Unix()}
		i, ok := place[c]
		if !ok {
			i = len(list)
			place[c] = i
			list = append(list, wait{why: s.Why, until: s.Until, patches: []string{}})
		}
		w := &list[i]
		w.changes++
		w.overdue += number(s.Overdue)
		w.alike = w.alike || s.Why != w.why
		if w.deadline.IsZero() || !s.Deadline.IsZero() && s.Deadline.Before(w.deadline) {
			w.deadline, w.why = s.Deadline, s.Why
		}
		if k := (seen{i, string(s.Patch)}); s.Patch != "" && !patches[k] {
			patches[k] = true
			w.patches = append(w.patches, k.what)
		}
		if k := (seen{i, string(s.Host)}); s.Host != "" && !hosts[k] {
			hosts[k] = true
			w.hosts = append(w.hosts, k.what)
		}
	}
	slices.SortStableFunc(list, func(a, b wait) int { return cmp.Compare(b.overdue, a.overdue) })
	return list
}

// skipped is what was needed and is not planned, why, and when it opens.
func skipped(list []wait, changes int, d detail) string {
	if changes == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Not planned (%s)\n\n| why | patches | hosts | opens | due |\n|---|---|---|---|---|\n", plural(changes, "change"))
	for i, w := range list {
		if i == d.rows {
			fmt.Fprintf(&b, "| … and %s more, in `plan.md` | | | | |\n", plural(len(list)-i, "reason"))
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", d.said(w.why)+w.others(), cmp.Or(some(w.patches, d.names), "any package"), w.hostNames(d.names), opens(w.until), w.dueBy())
	}
	return b.String() + "\n"
}

func (w wait) others() string {
	if !w.alike {
		return ""
	}
	return " (the most urgent; for others the figures differ)"
}

// opens is when something that waits may be done. No date is not the past.
func opens(t time.Time) string {
	if t.IsZero() {
		return "no date: when the reason is gone"
	}
	return moment(t)
}

func (w wait) hostNames(most int) string {
	if len(w.hosts) == 0 {
		return "every host"
	}
	return some(w.hosts, most)
}

func (w wait) dueBy() string {
	switch {
	case w.deadline.IsZero():
		return "no clock"
	case w.overdue == 0:
		return moment(w.deadline)
	case w.overdue < w.changes:
		return fmt.Sprintf("**%d overdue**, from %s", w.overdue, moment(w.deadline))
	}
	return "**overdue** since " + moment(w.deadline)
}

// scanners is where a scanner's findings and the match differ.
func scanners(p *plan.Plan, d detail) string {
	if len(p.Scanners) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Where a scanner and the distribution's advisories differ (%d)\n\nAdvisories decide; a scanner's word is kept beside them.\n\n| host | package | CVE | scanner: fixed in | advisories: fixed in | why |\n|---|---|---|---|---|---|\n", len(p.Scanners))
	for i, s := range p.Scanners {
		if i == d.rows {
			fmt.Fprintf(&b, "| … and %d more, in `plan.md` | | | | | |\n", len(p.Scanners)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code(string(s.Host)), code(s.Package), code(s.CVE), said(s.Scanner, s.Says != "match"), said(s.Match, s.Says != "scanner"), d.said(s.Why))
	}
	return b.String() + "\n"
}

// said is a fixed version as one side names it.
func said(version string, reported bool) string {
	switch {
	case !reported:
		return "not affected"
	case version == "":
		return "none named"
	}
	return code(version)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
