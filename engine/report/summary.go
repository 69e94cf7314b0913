package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// summary answers what, why now, what may break, when, who must approve and by
// when, and what happens when it goes wrong: on a phone's screen, whatever a plan
// holds.
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
	b.WriteString(s.ifWrong() + "\n\n")
	return b.String()
}

// ifWrong says what happens to a host that goes wrong.
func (s *sheet) ifWrong() string {
	text := "**If it goes wrong** the host is rolled back by itself, the ring stops, and the patch stays away from hosts like it."
	var stay []plan.Patch
	for _, x := range s.planned {
		if len(x.NoRollback) > 0 {
			stay = append(stay, x)
		}
	}
	if len(stay) == 0 {
		return text
	}
	text += "  \n**Cannot be rolled back** "
	if n := len(stay); n > 1 {
		return text + fmt.Sprintf("%d of %s; why, and what is done instead, is below.", n, plural(len(s.planned), "patch"))
	}
	first := stay[0].NoRollback[0]
	return text + fmt.Sprintf("%s: %s. Instead: %s.", patchNames(stay), inert(clip(first.Why, whyMost)), inert(clip(first.Instead, whyMost)))
}

// whyMost is how much the summary shows of why something cannot be rolled back, and
// of what is done instead.
const whyMost = 120

// nameMost is how much of a name the summary shows.
const nameMost = 44

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
		names = append(names, code(clip(fmt.Sprintf("%s %s", x.Package, x.To), nameMost)))
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
	text := fmt.Sprintf("the %s clock of %s %s on %s (%s after it was %s).", inert(clip(clockName(first.Clock), 20)), code(clip(string(first.ID), nameMost)), verb,
		moment(first.Deadline), span(first.Deadline.Sub(first.ClockStart)), inert(clip(first.ClockFrom, 20)))
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

// mayBreak is the change most likely to go wrong, and how many hosts are being
// changed at once at most.
func (s *sheet) mayBreak() string {
	at := s.worst
	text := fmt.Sprintf("at worst %s on %s: %s by %s.", code(clip(string(at.Patch), nameMost)), code(clip(string(at.Host), nameMost)), risk(at.DeployRisk), sourceName(clip(at.DeployRisk.Source, 30)))
	if s.hosts > 1 {
		text += fmt.Sprintf(" No more than %s at a time.", plural(atOnce(s.Plan), "host"))
	}
	return text
}

// when is plain text.
func when(p *plan.Plan) string {
	first, last := ends(p)
	var rings []string
	for _, r := range p.Rings {
		rings = append(rings, fmt.Sprintf("%s (%d)", clip(r.Name, 20), ringHosts(r)))
	}
	if n := len(rings); n > 6 {
		rings = append(rings[:5:5], fmt.Sprintf("… %d rings more", n-5))
	}
	return fmt.Sprintf("from %s to %s%s: %s.", moment(first), moment(last), elsewhere(p), strings.Join(rings, " → "))
}

// who is who must approve, and by when at the latest.
func who(p *plan.Plan) string {
	if len(p.Approvals) == 0 {
		return "nobody has to: policy allows this plan to run unattended once it is merged."
	}
	var list []string
	var first time.Time
	for _, a := range p.Approvals {
		list = append(list, fmt.Sprintf("%d of %s", a.Count, code(clip(a.From, nameMost))))
		if !a.By.IsZero() && (first.IsZero() || a.By.Before(first)) {
			first = a.By
		}
	}
	if n := len(list); n > 4 {
		list = append(list[:3:3], fmt.Sprintf("%d teams more", n-3))
	}
	switch text := join(list); {
	case first.IsZero():
		return text + "."
	case first.After(p.At):
		return text + ", by " + moment(first) + "."
	default:
		return text + ", **now**."
	}
}
