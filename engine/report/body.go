package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Page is what a pull request's description says beyond the plan. The zero value
// says nothing more.
type Page struct {
	// At is the address of the plan's folder, with its slash, from which a browser
	// gets the pictures; "": nobody would see them.
	At string
	// Whole is the address at which a browser shows plan.md; "": it is named alone.
	Whole string
	// Continues is the plans that ended, and of which this one takes up what they
	// left.
	Continues []Continued
	// Commands says that comments below it are read for commands.
	Commands bool
	// Since is what changed since the version that people may have read, as Since
	// says it.
	Since []string
	// Reviewed is the approvals of earlier versions, each with what changed since.
	Reviewed []Reviewed
	// Overrides are those that hold of the plan, or ended lately.
	Overrides []Hold
}

// Continued is a plan that ended, and how many changes it left that another one
// takes up.
type Continued struct {
	ID      string
	Changes int
}

func continued(list []Continued) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## What it continues\n\n")
	for _, c := range list[:min(len(list), brief.names)] {
		fmt.Fprintf(&b, "- %s ended and left %s of those in this plan\n", code(c.ID), plural(c.Changes, "change"))
	}
	if more := len(list) - brief.names; more > 0 {
		fmt.Fprintf(&b, "- and %s more\n", plural(more, "plan"))
	}
	return b.String() + "\n"
}

// chapter is a part of a report that more or less room can be given to.
type chapter struct {
	title string // as what is left out is told
	text  func(detail) string
}

// parts are what follows the summary, the most important first.
func (s *sheet) parts() []chapter {
	p, list, waiting := s.Plan, s.families(), waits(s.Plan)
	return []chapter{
		{"The clock cannot be met", func(d detail) string { return conflicts(p, d) }},
		{"Who must approve", func(d detail) string { return approvals(p, d) }},
		{"Which hosts when", func(d detail) string { return timeline(p, d) }},
		{"Patches", func(d detail) string { return patches(list, d) }},
		{"Not planned", func(d detail) string { return skipped(waiting, len(p.NotPlanned), d) }},
		{"How it is rolled back", func(d detail) string { return rollback(p, list, d) }},
		{"Where a scanner and the distribution's advisories differ", func(d detail) string { return scanners(p, d) }},
		{"What made the numbers", func(d detail) string { return reasons(list, d) }},
	}
}

// Body is a pull request's description of at most limit characters: a summary
// that fits a phone's screen, what changed for those who read it before, a chart
// and pictures, then ranked detail. A part is shown as briefly as it must be for
// the rest to be there too, and is whole or is not there: what is left out is
// named, and where it stands. The summary is not cut; a limit below it is no
// limit of GitHub's.
func Body(p *plan.Plan, limit int, page Page) string {
	s := read(p)
	var pictures map[string][]byte
	if page.At != "" {
		pictures = s.pictures()
		delete(pictures, scheduleFile) // which the chart of the rings shows
		if len(s.planned) == 1 {
			delete(pictures, balanceFile) // nothing is weighed against it, and the summary has its figures
		}
	}
	parts := append([]chapter{
		{"What it continues", func(detail) string { return continued(page.Continues) }},
		{"Since the last version", func(d detail) string { return since(page.Since, d) }},
		{"Since each approval", func(d detail) string { return s.reviewed(page.Reviewed, d) }},
		{"Overrides", func(d detail) string { return s.overrides(page.Overrides, d) }},
		{"The chart and the pictures", func(d detail) string { return s.drawn(pictures, page.At, d) }},
	}, s.parts()...)
	head, foot := s.summary(), s.footer()
	room := limit - size(head) - size(foot) - leftOutMost
	texts := fit(parts, room)
	var b strings.Builder
	b.WriteString(head)
	var out []string
	for i, text := range texts {
		if text == "" && parts[i].text(short) != "" {
			out = append(out, parts[i].title)
		}
		b.WriteString(text)
	}
	if size(foot) > limit-size(b.String())-leftOutMost {
		foot = "" // a summary alone that nobody foresaw
	}
	return b.String() + leftOut(out, page) + foot
}

// leftOutMost is the most that leftOut says: every title and an address.
const leftOutMost = 1000

// leftOut says where the rest is, what of it is not here at all, and how to object.
func leftOut(titles []string, page Page) string {
	text := "Every change and every reason: " + link("`plan.md`", page.Whole)
	if len(titles) > 0 {
		text += ". Left out here for want of room: " + join(titles)
	}
	if page.Commands {
		text += ". To ask, hold or exclude something, begin a comment with `/ringmaster help`"
	}
	return text + ".\n\n"
}

// fit gives each part as much of the room as leaves the parts after it their
// short form, the most important first. A part for which there is none at all is
// "".
func fit(parts []chapter, room int) []string {
	shorts, later := make([]string, len(parts)), 0
	for i, part := range parts {
		shorts[i] = part.text(short)
		later += size(shorts[i])
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		later -= size(shorts[i])
		text := part.text(brief)
		if size(text) > room-later {
			text = shorts[i]
		}
		if size(text) > room {
			continue
		}
		texts[i] = text
		room -= size(text)
	}
	return texts
}

func size(s string) int { return utf8.RuneCountInString(s) }

// drawn is the chart of the rings, and the pictures that a browser can get.
func (s *sheet) drawn(pictures map[string][]byte, at string, d detail) string {
	if at == "" {
		return ""
	}
	return s.mermaid(d.rows) + gallery(pictures, at)
}

// overrides are people's disagreements with the plan, and when each ends.
func (s *sheet) overrides(list []Hold, d detail) string {
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("## Overrides (%d)\n\n", len(list)) + overrideTable(list, s.At.Location(), d.rows) + "\n"
}

func since(lines []string, d detail) string {
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Since the last version\n\n")
	for i, l := range lines {
		if i == d.rows || i == sinceMost {
			fmt.Fprintf(&b, "- and %d differences more\n", len(lines)-i)
			break
		}
		fmt.Fprintf(&b, "- %s\n", d.said(l))
	}
	return b.String() + "\n"
}
