package engine

import (
	"fmt"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func (d *demo) title(format string, args ...any) {
	d.step++
	text := fmt.Sprintf("%d. %s", d.step, fmt.Sprintf(format, args...))
	if d.Color {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	fmt.Fprintf(d.Out, "\n%s\n", text)
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.Out, "   "+format+"\n", args...)
}

// tell sums up a run's lines: what happened in each ring, and whatever went wrong.
func (d *demo) tell(lines []outcome.Line) {
	type key struct {
		event outcome.Event
		ring  string
		patch plan.PatchID
	}
	counts := map[key]int{}
	for _, l := range lines {
		counts[key{l.Event, l.Ring, l.Patch}]++
	}
	told := map[key]bool{}
	for _, l := range lines {
		k := key{l.Event, l.Ring, l.Patch}
		if told[k] || k.event == outcome.Intended {
			continue
		}
		told[k] = true
		d.say("%s", d.line(l, counts[k]))
	}
}

func (d *demo) line(l outcome.Line, n int) string {
	when := d.at.In(d.zone).Format("Mon 2 15:04")
	what := strings.ReplaceAll(string(l.Event), "_", " ")
	who := fmt.Sprintf("%d hosts", n)
	if n == 1 {
		who = string(l.Host)
	}
	color := ""
	switch l.Event {
	case outcome.Degraded, outcome.Failed, outcome.RolledBack:
		color = "\x1b[31m"
	case outcome.Held:
		color = "\x1b[33m"
	case outcome.Promoted, outcome.Healthy, outcome.Completed:
		color = "\x1b[32m"
	}
	word := fmt.Sprintf("%-11s", what)
	if d.Color && color != "" {
		word = color + word + "\x1b[0m"
	}
	text := fmt.Sprintf("%-12s %s %s", when, word, strings.TrimSpace(fmt.Sprintf("%-8s %s %s", l.Ring, l.Patch, who)))
	switch {
	case l.Event == outcome.Completed:
		text = fmt.Sprintf("%-12s %s %s: %s", when, word, l.Plan, l.Detail)
	case l.Detail != "" && (l.Host == "" || l.Event == outcome.RolledBack) || l.Event == outcome.Degraded || l.Event == outcome.Failed:
		text = fmt.Sprintf("%-12s %s %-8s %s %s: %s", when, word, l.Ring, l.Patch, l.Host, l.Detail)
	}
	return text
}

// compare tells a patch's risk now and what it was for the build before.
func (d *demo) compare(x plan.Patch, was plan.Risk) {
	d.say("%s may break with %s; the build before it was taken for %s", x.ID, percent(x.DeployRisk), percent(was))
	for _, reason := range x.Reasons {
		if reason.Effect > 0.05 || reason.Term == "track record" {
			d.say("   because %s: %s", reason.Term, reason.Value)
		}
	}
}

// notPlanned tells each reason once, with how many hosts it is for.
func (d *demo) notPlanned(p *plan.Plan) {
	type cause struct {
		patch plan.PatchID
		why   string
	}
	counts := map[cause]int{}
	for _, s := range p.NotPlanned {
		counts[cause{s.Patch, s.Why}]++
	}
	for _, s := range p.NotPlanned {
		c := cause{s.Patch, s.Why}
		where := fmt.Sprintf("on %d hosts", counts[c])
		switch {
		case counts[c] == 0:
			continue // told already
		case s.Host == "":
			where = "on every host that needs it"
		case counts[c] == 1:
			where = "on " + string(s.Host)
		}
		d.say("not planned: %s %s: %s", s.Patch, where, s.Why)
		counts[c] = 0
	}
}

func percent(r plan.Risk) string {
	return fmt.Sprintf("%.1f %% (%.1f–%.1f %%)", 100*r.P, 100*r.Low, 100*r.High)
}
