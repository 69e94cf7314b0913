// Package report shows a plan to people: as Markdown for review, as the text of
// a pull request, and on a terminal.
//
// Everything comes from the plan itself, so that the same plan always reads the
// same. Names and texts from outside (advisories, packages, hosts, reasons) are
// made inert: they cannot become links, images, mentions, HTML or commands.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Markdown is plan.md: everything in the plan, the most important first.
func Markdown(p *plan.Plan) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", Title(p))
	for _, s := range sections(p, len(p.NotPlanned)+len(p.Scanners)+1) {
		b.WriteString(s)
	}
	return []byte(b.String())
}

// Title is a pull request's title, one line.
func Title(p *plan.Plan) string {
	class, group, _, _ := plan.ParseID(p.ID)
	hosts, _ := hostsOf(p)
	what := fmt.Sprintf("%d patches", len(planned(p)))
	if list := planned(p); len(list) == 1 {
		what = fmt.Sprintf("%s %s", list[0].Package, list[0].To)
	}
	title := fmt.Sprintf("%s: %s on %s of %s, by %s", class, what, plural(len(hosts), "host"), group, day(deadline(p)))
	if !feasible(p) {
		title += " (cannot be met)"
	}
	return clip(oneLine(title), 200)
}

// Body is a pull request's description: a summary that fits a phone's screen,
// then ranked detail, at most limit characters in all. What does not fit is said
// to be in plan.md.
func Body(p *plan.Plan, limit int) string {
	const rest = "\n_The rest is in `plan.md`._\n"
	var b strings.Builder
	n := 0
	for _, s := range sections(p, 20) {
		size := utf8.RuneCountInString(s)
		if n+size > limit-len(rest) {
			b.WriteString(rest)
			break
		}
		n += size
		b.WriteString(s)
	}
	return b.String()
}

// sections are the parts of a report, the most important first. Lists are cut
// to most entries, and say so.
func sections(p *plan.Plan, most int) []string {
	return []string{summary(p), conflicts(p), approvals(p), patches(p), timeline(p), rollback(p), skipped(p, most), scanners(p, most), footer(p)}
}

// summary answers what, why now, what may break, who must approve, when.
func summary(p *plan.Plan) string {
	var b strings.Builder
	hosts, services := hostsOf(p)
	list := planned(p)
	if len(list) == 0 {
		return "Nothing can be planned now; the reasons are below.\n\n"
	}
	fmt.Fprintf(&b, "**What** %s on %s%s.  \n", patchNames(list), plural(len(hosts), "host"), services)
	fmt.Fprintf(&b, "**Why now** %s  \n", why(p))
	fmt.Fprintf(&b, "**May break** %s  \n", worst(p))
	fmt.Fprintf(&b, "**When** %s  \n", when(p))
	fmt.Fprintf(&b, "**Approve** %s  \n", who(p))
	b.WriteString("**If it goes wrong** the host is rolled back by itself, the ring stops, and the patch stays away from hosts like it.\n\n")
	return b.String()
}

func patchNames(list []plan.Patch) string {
	var names []string
	for i, x := range list {
		if i == 3 {
			names = append(names, fmt.Sprintf("%d more", len(list)-3))
			break
		}
		names = append(names, code(fmt.Sprintf("%s %s", x.Package, x.To)))
	}
	return join(names)
}

// why says which clock presses most, and whether attackers are at it.
func why(p *plan.Plan) string {
	first := mostUrgent(planned(p))
	text := fmt.Sprintf("the %s clock of %s runs out on %s (%s after it was %s).", inert(clockName(first.Clock)), code(string(first.ID)), moment(first.Deadline),
		span(first.Deadline.Sub(first.ClockStart)), first.ClockFrom)
	known := 0
	for _, x := range planned(p) {
		if x.KnownExploited {
			known++
		}
	}
	if known > 0 {
		text += fmt.Sprintf(" **%d of them known to be exploited.**", known)
	}
	return text
}

// worst is the change most likely to go wrong.
func worst(p *plan.Plan) string {
	var at plan.Change
	found := false
	eachChange(p, func(_ plan.Ring, _ plan.Wave, c plan.Change) {
		if !found || c.DeployRisk.P > at.DeployRisk.P {
			at, found = c, true
		}
	})
	return fmt.Sprintf("at worst %s on %s: %s by %s.", code(string(at.Patch)), code(string(at.Host)), risk(at.DeployRisk), sourceName(at.DeployRisk.Source))
}

func when(p *plan.Plan) string {
	first, last := ends(p)
	var rings []string
	for _, r := range p.Rings {
		rings = append(rings, inert(r.Name))
	}
	return fmt.Sprintf("from %s to %s: %s.", moment(first), moment(last), strings.Join(rings, " → "))
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

// conflicts shows patches that cannot meet their clock, why, and what would help.
func conflicts(p *plan.Plan) string {
	var b strings.Builder
	for _, x := range p.Patches {
		if x.Feasible || len(x.Conflict) == 0 {
			continue
		}
		fmt.Fprintf(&b, "### %s cannot be met by %s\n\n", code(string(x.ID)), moment(x.Deadline))
		b.WriteString("These cannot hold together; taking any one away would do:\n\n")
		for _, c := range x.Conflict {
			fmt.Fprintf(&b, "- **%s** %s: %s\n", inert(c.Kind), code(c.Name), inert(c.Message))
		}
		b.WriteString("\nWhat would help, best first:\n\n")
		for _, w := range x.WaysOut {
			mark := "would do"
			if !w.Feasible {
				mark = "would not be enough"
			}
			fmt.Fprintf(&b, "1. %s (%s)\n", inert(w.Message), mark)
		}
		b.WriteString("\n")
	}
	if b.Len() == 0 {
		return ""
	}
	return "## The clock cannot be met\n\n" + b.String()
}

func approvals(p *plan.Plan) string {
	if len(p.Approvals) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Who must approve\n\n| who | how many | by | because |\n|---|---:|---|---|\n")
	for _, a := range p.Approvals {
		by := "before it starts"
		if !a.By.IsZero() {
			by = moment(a.By)
		}
		if a.EscalateTo != "" {
			by += ", then " + code(a.EscalateTo)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", code(a.From), a.Count, by, inert(a.Because))
	}
	b.WriteString("\nAn approval holds for exactly this plan (its digest).\n\n")
	return b.String()
}

func patches(p *plan.Plan) string {
	list := planned(p)
	if len(list) == 0 {
		return ""
	}
	counts := map[plan.PatchID]int{}
	eachChange(p, func(_ plan.Ring, _ plan.Wave, c plan.Change) { counts[c.Patch]++ })
	var b strings.Builder
	b.WriteString("## Patches\n\n| patch | hosts | may break | may be exploited | clock | by | tested first in |\n|---|---:|---|---|---|---|---|\n")
	for _, x := range list {
		exploited := risk(x.ExploitRisk)
		if x.KnownExploited {
			exploited = "**known exploited**"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s |\n", code(string(x.ID)), counts[x.ID], risk(x.DeployRisk), exploited, inert(clockName(x.Clock)), moment(x.Deadline), inert(x.Test))
	}
	b.WriteString("\n")
	for _, x := range list {
		b.WriteString(onePatch(x))
	}
	return b.String()
}

// onePatch is a patch's reasons, folded away.
func onePatch(x plan.Patch) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>Why: %s</summary>\n\n", htmlText(string(x.ID)))
	fmt.Fprintf(&b, "Fixes %s", join(codes(cut(x.Advisories, 12))))
	if len(x.CVEs) > 0 {
		fmt.Fprintf(&b, " (%s)", join(codes(cut(x.CVEs, 12))))
	}
	b.WriteString(".\n\n| reason | value | effect |\n|---|---|---:|\n")
	for _, r := range x.Reasons {
		effect := ""
		if r.Effect != 0 {
			effect = fmt.Sprintf("%+.2f", r.Effect)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", inert(r.Term), inert(r.Value), effect)
	}
	for _, d := range x.Decisions {
		fmt.Fprintf(&b, "\n- %s %s: %s", inert(string(d.Effect)), code(d.Rule), inert(d.Message))
	}
	b.WriteString("\n\nEffects are in log-odds: +0.69 doubles the odds of trouble.\n\n</details>\n\n")
	return b.String()
}

// timeline shows rings and waves, and which hosts are in them.
func timeline(p *plan.Plan) string {
	if len(p.Rings) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Which hosts when\n\nTimes are UTC.\n\n| ring | wave | start | not after | hosts | soak |\n|---|---:|---|---|---|---|\n")
	for _, r := range p.Rings {
		for i, w := range r.Waves {
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", inert(r.Name), i+1, minute(w.Start), minute(w.NotAfter), waveHosts(w), w.Soak)
		}
	}
	b.WriteString("\n")
	for _, r := range p.Rings {
		fmt.Fprintf(&b, "Before the ring after **%s**: %s.\n\n", inert(r.Name), inert(strings.Join(r.Gates, "; ")))
	}
	return b.String()
}

func waveHosts(w plan.Wave) string {
	var names []string
	for _, c := range w.Changes {
		if n := code(string(c.Host)); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) > 8 {
		return fmt.Sprintf("%d: %s … %s", len(names), strings.Join(names[:3], " "), names[len(names)-1])
	}
	return fmt.Sprintf("%d: %s", len(names), strings.Join(names, " "))
}

func rollback(p *plan.Plan) string {
	list := planned(p)
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## How it is rolled back\n\n")
	b.WriteString("Every host is watched (up, errors, latency, load) against its own past and against hosts that are not changed yet, from its install until its soak is over. ")
	b.WriteString("A host that fails or degrades goes back to the version it had. ")
	for _, r := range p.Rings {
		fmt.Fprintf(&b, "Ring %s stops when more than %d of its hosts go wrong. ", inert(r.Name), r.MaxFailures)
	}
	b.WriteString("A patch that was stopped is quarantined for hosts of the same role until it expires or a new build comes.\n\n")
	from := map[string][]string{}
	eachChange(p, func(_ plan.Ring, _ plan.Wave, c plan.Change) {
		if id := string(c.Patch); !slices.Contains(from[id], c.From) {
			from[id] = append(from[id], c.From)
		}
	})
	for _, x := range list {
		versions := from[string(x.ID)]
		slices.Sort(versions)
		fmt.Fprintf(&b, "- %s goes back to %s\n", code(string(x.ID)), join(codes(cut(versions, 6))))
	}
	b.WriteString("\n")
	return b.String()
}

func skipped(p *plan.Plan, most int) string {
	if len(p.NotPlanned) == 0 {
		return ""
	}
	list := slices.Clone(p.NotPlanned)
	slices.SortStableFunc(list, func(a, b plan.Skipped) int { return -cmp.Compare(number(a.Overdue), number(b.Overdue)) })
	var b strings.Builder
	fmt.Fprintf(&b, "## Not planned (%d)\n\n| patch | host | why | until | deadline |\n|---|---|---|---|---|\n", len(list))
	for i, s := range list {
		if i == most {
			fmt.Fprintf(&b, "| | | … and %d more, in `plan.md` | | |\n", len(list)-most)
			break
		}
		host := code(string(s.Host))
		if s.Host == "" {
			host = "every host"
		}
		deadline := moment(s.Deadline)
		if s.Overdue {
			deadline = "**overdue** " + deadline
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(string(s.Patch)), host, inert(s.Why), moment(s.Until), deadline)
	}
	return b.String() + "\n"
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func scanners(p *plan.Plan, most int) string {
	if len(p.Scanners) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Where a scanner and the distribution's advisories differ (%d)\n\n| host | package | CVE | scanner | advisories | why |\n|---|---|---|---|---|---|\n", len(p.Scanners))
	for i, s := range p.Scanners {
		if i == most {
			fmt.Fprintf(&b, "| | | | | | … and %d more, in `plan.md` |\n", len(p.Scanners)-most)
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code(string(s.Host)), code(s.Package), code(s.CVE), code(s.Scanner), code(s.Match), inert(s.Why))
	}
	return b.String() + "\n"
}

func footer(p *plan.Plan) string {
	n := p.Population
	return fmt.Sprintf("---\nSeen: %d hosts declared, %d with fresh facts, %d stale, %d unknown. Made at %s by engine %s from commit %s; nothing starts from it after %s. Digest %s.\n",
		n.Declared, n.Fresh, n.Stale, n.Unknown, moment(p.At), inert(p.Inputs.Engine), code(clip(p.Inputs.Commit, 12)), moment(p.Expires), code(p.Digest))
}

// planned are the patches with at least one change in the plan, in its order.
func planned(p *plan.Plan) []plan.Patch {
	used := map[plan.PatchID]bool{}
	eachChange(p, func(_ plan.Ring, _ plan.Wave, c plan.Change) { used[c.Patch] = true })
	return slices.DeleteFunc(slices.Clone(p.Patches), func(x plan.Patch) bool { return !used[x.ID] })
}

func eachChange(p *plan.Plan, do func(plan.Ring, plan.Wave, plan.Change)) {
	for _, r := range p.Rings {
		for _, w := range r.Waves {
			for _, c := range w.Changes {
				do(r, w, c)
			}
		}
	}
}

// hostsOf are a plan's hosts.
func hostsOf(p *plan.Plan) (map[inventory.HostID]bool, string) {
	hosts := map[inventory.HostID]bool{}
	eachChange(p, func(_ plan.Ring, _ plan.Wave, c plan.Change) { hosts[c.Host] = true })
	_, group, _, _ := plan.ParseID(p.ID)
	return hosts, " of group " + code(group)
}

func mostUrgent(list []plan.Patch) plan.Patch {
	return slices.MinFunc(list, func(a, b plan.Patch) int { return a.Deadline.Compare(b.Deadline) })
}

// deadline is the earliest of what is planned, or of all where nothing is.
func deadline(p *plan.Plan) time.Time {
	list := planned(p)
	if len(list) == 0 {
		list = p.Patches
	}
	if len(list) == 0 {
		return time.Time{}
	}
	return mostUrgent(list).Deadline
}

func feasible(p *plan.Plan) bool {
	return !slices.ContainsFunc(planned(p), func(x plan.Patch) bool { return !x.Feasible })
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
