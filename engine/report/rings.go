package report

import (
	"fmt"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// timeline shows rings and waves, and which hosts are in them.
func timeline(p *plan.Plan, d detail) string {
	if len(p.Rings) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Which hosts when\n\n" + clocks(p) + " A wave that has not begun by its “not after” waits for a new plan.\n\n| ring | wave | start | not after | hosts | soak |\n|---|---:|---|---|---|---|\n")
	rows, left := 0, 0
	for _, r := range p.Rings {
		for i, w := range r.Waves {
			// A ring's first wave is always shown, so that no ring goes missing.
			if rows >= d.rows && i > 0 {
				left++
				continue
			}
			rows++
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", inert(r.Name), i+1, minute(w.Start, p.At), minute(w.NotAfter, p.At), waveHosts(w, d.names), cell(w.Soak))
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "| … | | | | %s more, in `plan.md` | |\n", plural(left, "wave"))
	}
	return b.String() + "\n" + gates(p) + soaks(p) + stands(p) + "\n"
}

// stands says of which rings the hosts that go first do not stand for all others.
func stands(p *plan.Plan) string {
	var b strings.Builder
	for _, r := range p.Rings {
		if r.StandsFor == nil || *r.StandsFor >= 0.995 {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\nNot all kinds of hosts (role, packages, system, hardware, load) are met by the hosts that were chosen to go first:\n\n")
		}
		fmt.Fprintf(&b, "- %s, with the rings before it, stands for %.0f %% of all hosts\n", inert(r.Name), 100**r.StandsFor)
	}
	return b.String()
}

// gates says what must hold before the next ring begins; what holds in several
// rings is said once.
func gates(p *plan.Plan) string {
	var order []string
	in := map[string][]string{}
	for _, r := range p.Rings {
		for _, g := range r.Gates {
			if _, ok := in[g]; !ok {
				order = append(order, g)
			}
			in[g] = append(in[g], inert(r.Name))
		}
	}
	if len(order) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("Before the next ring begins:\n\n")
	for _, g := range order {
		after := ""
		if len(in[g]) < len(p.Rings) {
			after = " (after " + join(in[g]) + ")"
		}
		fmt.Fprintf(&b, "- %s%s\n", inert(g), after)
	}
	return b.String()
}

// waveHosts names a wave's hosts; its changes are sorted by them.
func waveHosts(w plan.Wave, most int) string {
	var names []string
	for i, c := range w.Changes {
		if i == 0 || c.Host != w.Changes[i-1].Host {
			names = append(names, string(c.Host))
		}
	}
	if len(names) <= most {
		return fmt.Sprintf("%d: %s", len(names), some(names, most))
	}
	return some(names, most)
}
