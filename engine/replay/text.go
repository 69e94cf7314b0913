package replay

import (
	"fmt"
	"io"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/markup"
)

// How much is shown; JSON has all.
const (
	mostRules = 12
	mostHosts = 15
	mostPlans = 8
	mostFiles = 6
	mostTeams = 10
)

// Text writes the report for a terminal: totals first, then by rule, then hosts.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, against %s\n", markup.Line(r.Candidate), markup.Line(r.Baseline))
	if len(r.Changed) > 0 {
		fmt.Fprintf(&b, "differing: %s\n", some(r.Changed, mostFiles, markup.Line))
	}
	fmt.Fprintf(&b, "%s\n\n", r.replayed())
	for _, l := range r.totals(markup.Line) {
		fmt.Fprintf(&b, "%-24s  %s\n", l.what, l.says)
	}
	r.textRules(&b)
	r.textHosts(&b)
	if len(r.NotReplayed) > 0 {
		b.WriteString("\nnot replayed, and not counted\n")
		for _, n := range r.NotReplayed[:min(mostPlans, len(r.NotReplayed))] {
			fmt.Fprintf(&b, "  %s: %s\n", markup.Line(n.Plan), markup.Line(n.Why))
		}
		r.more(&b, len(r.NotReplayed), mostPlans)
	}
	for _, u := range r.Unread[:min(mostPlans, len(r.Unread))] {
		fmt.Fprintf(&b, "\nwhat became of %s cannot be read: %s\n", markup.Line(u.Plan), markup.Line(u.Why))
	}
	fmt.Fprintf(&b, "\n%s\n", r.limits(markup.Line))
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) more(b *strings.Builder, n, most int) {
	if n > most {
		fmt.Fprintf(b, "  %d more; --format json has all\n", n-most)
	}
}

// replayed says how much of history was made again.
func (r *Report) replayed() string {
	s := fmt.Sprintf("%s, %s", count(r.Plans, "plan"), count(r.Decisions, "decision"))
	switch {
	case r.Plans == 0 && len(r.NotReplayed) == 0:
		return "no plan in history yet: there is nothing to replay"
	case len(r.NotReplayed) == 0:
		return s + ", all reproduced under their own policies"
	}
	return fmt.Sprintf("%s, reproduced under their own policies; %s could not be, see below", s, count(len(r.NotReplayed), "plan"))
}

// total is one line of what differs in all.
type total struct{ what, says string }

// totals are what differs in all. name shows a name from outside.
func (r *Report) totals(name func(string) string) []total {
	var list []total
	add := func(what, says string) { list = append(list, total{what, says}) }
	if s := &r.Stopped; s.Changes > 0 {
		add("would have been stopped", fmt.Sprintf("%s on %s: of these %s", count(s.Changes, "change"), count(s.Hosts, "host"),
			parts(fmt.Sprintf("%s failed then", thousands(s.Failed)), counted(s.Healthy, "were healthy"), counted(s.Never, "had no result"))))
		if s.Incidents > 0 {
			add("", fmt.Sprintf("%s of these patches there followed, of %.0f minutes as far as that is known", count(s.Incidents, "recorded incident"), s.Minutes))
		}
		if s.Healthy > 0 {
			add("", "exposure "+parts(fmt.Sprintf("at least %.1f host-days longer, from when they were healthy until the rule opens", s.Days), counted(s.OpenEnd, "of them with no end that the rule names, and not in it")))
		}
	}
	if o := &r.Opened; o.Decisions > 0 {
		add("would have been let pass", fmt.Sprintf("%s on %s (%s); what would have come of them is not known", count(o.Changes, "change"), count(o.Hosts, "host"), count(o.Decisions, "decision")))
		if o.Ended > 0 {
			add("", fmt.Sprintf("exposure at most %.1f host-days shorter, over %s that had to wait", o.Days, count(o.Ended, "change")))
		}
		if s := parts(counted(o.Waiting, "not healthy there up to now"), counted(o.Unplaced, "would have had no wave")); s != "" {
			add("", s)
		}
	}
	r.Gates.totals(add)
	if s := parts(counted(r.Harder, "held then, denied now"), counted(r.Softer, "denied then, held now")); s != "" {
		add("stopped either way", s)
	}
	if s := parts(counted(r.Moved, fmt.Sprintf("in another wave (%+.1f days together)", r.MovedDays)), counted(r.Squeezed, "left without a wave")); s != "" {
		add("let pass either way", s)
	}
	for i, c := range r.Reclassed {
		if i == mostPlans {
			add("", fmt.Sprintf("%d more; --format json has all", len(r.Reclassed)-i))
			break
		}
		add("another class", fmt.Sprintf("%s of %s: %s → %s, %s", name(string(c.Patch)), name(c.Plan), name(string(c.Was)), name(string(c.Is)), count(c.Hosts, "host")))
	}
	for i, a := range r.Approvals {
		if i == mostTeams {
			add("", fmt.Sprintf("%d more teams; --format json has all", len(r.Approvals)-i))
			break
		}
		more, fewer := "", ""
		if len(a.More) > 0 {
			more = fmt.Sprintf("more for %s", some(a.More, mostPlans, name))
		}
		if len(a.Fewer) > 0 {
			fewer = fmt.Sprintf("fewer for %s", some(a.Fewer, mostPlans, name))
		}
		add("approvals of "+name(a.From), fmt.Sprintf("%d → %d over all plans: %s", a.Before, a.After, parts(more, fewer)))
	}
	if len(list) == 0 && r.Plans > 0 {
		add("nothing flips", "every change is stopped or let pass as before, and as many people are asked")
	}
	return list
}

func (r *Report) textRules(b *strings.Builder) {
	if len(r.Rules) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%-28s %8s %12s %13s %9s %10s\n", "by rule", "stops", "failed then", "healthy then", "lets pass", "speaks")
	for _, x := range r.Rules[:min(mostRules, len(r.Rules))] {
		fmt.Fprintf(b, "  %-26s %8s %12s %13s %9s %10s\n", markup.Line(x.Rule), thousands(x.Stops), thousands(x.Failed), thousands(x.Healthy), thousands(x.Opens), x.speaks())
		if due := x.due(); due != "" {
			fmt.Fprintf(b, "    when due: %s\n", due)
		}
		if x.Says != "" {
			fmt.Fprintf(b, "    says, as an example: %s\n", clip(markup.Line(x.Says), 150))
		}
	}
	r.more(b, len(r.Rules), mostRules)
}

// due is what a rule would have done to changes when their wave was due.
func (x *Rule) due() string {
	return parts(counted(x.DueStops, "held"), counted(x.DueOpens, "let begin"))
}

// speaks is about how many changes a rule says something now and did not, and
// the other way round.
func (x *Rule) speaks() string {
	switch {
	case x.More > 0 && x.Less > 0:
		return fmt.Sprintf("+%s −%s", thousands(x.More), thousands(x.Less))
	case x.Less > 0:
		return "−" + thousands(x.Less)
	case x.More > 0:
		return "+" + thousands(x.More)
	}
	return "0"
}

func (r *Report) textHosts(b *strings.Builder) {
	if len(r.Hosts) == 0 {
		return
	}
	b.WriteString("\nhosts\n")
	for _, h := range r.Hosts[:min(mostHosts, len(r.Hosts))] {
		fmt.Fprintf(b, "  %-26s %s\n", markup.Line(string(h.Host)), h.says())
	}
	r.more(b, len(r.Hosts), mostHosts)
}

func (h *Host) says() string {
	failed, exposure := "", ""
	if h.Failed > 0 {
		failed = fmt.Sprintf(" (%s failed then)", thousands(h.Failed))
	}
	if h.Days != 0 {
		exposure = fmt.Sprintf("%+.1f days of exposure", h.Days)
	}
	stopped := counted(h.Stopped, "stopped")
	if stopped != "" {
		stopped += failed
	}
	return parts(stopped, counted(h.Opened, "let pass"), exposure)
}

// limits says what the figures do not.
func (r *Report) limits(name func(string) string) string {
	s := "Each plan is judged by itself, as things stood when it was made, and each wave as they stood when it was due:\n" +
		"what a stopped change would have altered later is not followed."
	switch {
	case r.Models:
		s += "\nWhat is asked when a wave is due rests on the plan's own scores, and is not asked again."
	case r.Plans > 0:
		s += "\n" + r.Gates.limit(name)
	}
	if r.Edits {
		s += "\nWhat is said of pull requests that edit the estate may differ: it rests on approvals, which the forge has, and\nis not asked again."
	}
	if r.Imported > 0 {
		s += fmt.Sprintf("\nNo policy decided the %s that were imported, and they are not counted.", count(r.Imported, "outcome"))
	}
	return s
}
