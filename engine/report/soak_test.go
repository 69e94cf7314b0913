package report

import (
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Each ring says who said how long it soaks, and what is seen by its end.
func TestSoaks(t *testing.T) {
	wave := func(soak string, hosts ...inventory.HostID) plan.Wave {
		w := plan.Wave{Soak: soak}
		for _, h := range hosts {
			w.Changes = append(w.Changes, plan.Change{Host: h})
		}
		return w
	}
	p := &plan.Plan{Rings: []plan.Ring{
		{Name: "canary", Soak: "1d", Waves: []plan.Wave{wave("30m", "a"), wave("1d", "b", "b")}, Watch: &plan.Watch{Signals: []string{}}},
		{Name: "broad", Soak: "1d", MaxFailures: 3, Waves: []plan.Wave{wave("1d", "c")},
			Watch: &plan.Watch{Signals: []string{"error_ratio"}, Step: "1m", Points: 9, Rise: 0.02}},
	}}
	const want = `
What a soak sees, 19 times in 20:

- canary soaks 30m where the clock leaves no more of the 1d that is declared. By then 2 hosts: what breaks 78 % of such hosts, or more, has shown and stopped it. Some of its hosts are not measured in any way that others are: without a verdict they hold.
- broad soaks 1d, as declared. Its failures stop nothing: 3 hosts by then, and as many may fail. A point each 1m is 9 points of each signal of a host: too few to be sure of any trouble, which holds where it may be chance. A rise of the error ratio by less than 0.02 is not blamed. How many requests a host must serve is not declared (` + "`min_requests`" + `): of one with little traffic this says little.
`
	if got := soaks(p); got != want {
		t.Errorf("soaks() = %s\nwant %s", got, want)
	}

	p.Rings[0].Watch = p.Rings[1].Watch
	const once = `
What a soak sees, 19 times in 20:

- canary soaks 30m where the clock leaves no more of the 1d that is declared. By then 2 hosts: what breaks 78 % of such hosts, or more, has shown and stopped it.
- broad soaks 1d, as declared. Its failures stop nothing: 3 hosts by then, and as many may fail.

A point each 1m is 9 points of each signal of a host: too few to be sure of any trouble, which holds where it may be chance. A rise of the error ratio by less than 0.02 is not blamed. How many requests a host must serve is not declared (` + "`min_requests`" + `): of one with little traffic this says little.
`
	if got := soaks(p); got != once {
		t.Errorf("soaks() of rings that are watched alike = %s\nwant %s", got, once)
	}
}
