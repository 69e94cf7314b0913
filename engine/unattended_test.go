package engine

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// A person merges a plan unless everything speaks for doing without.
func TestAttended(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(p *plan.Plan, o *standingOrders)
		want string
	}{
		{"everything speaks for it", func(*plan.Plan, *standingOrders) {}, ""},
		{"autonomous", func(_ *plan.Plan, o *standingOrders) { o.autonomy["silver"] = "autonomous" }, ""},
		{"policy asks", func(p *plan.Plan, _ *standingOrders) { p.Approvals = []plan.Approval{{From: "x", Count: 1}} }, "policy asks for approvals"},
		{"five months", func(_ *plan.Plan, o *standingOrders) { o.own.Months = 5.9 }, "the estate's own history is 5.9 months, and nothing goes unattended before 6"},
		{"imported history", func(_ *plan.Plan, o *standingOrders) { o.own = risk.History{Imported: 1000} }, "the estate's own history is 0.0 months"},
		{"a deadline that cannot be met", func(p *plan.Plan, _ *standingOrders) { p.Patches[1].Feasible = false }, "deb:y@1 cannot be done in time"},
		{"a patch that cannot be rolled back", func(p *plan.Plan, _ *standingOrders) { p.Patches[1].NoRollback = []plan.NoRollback{{Why: "a kernel"}} }, "deb:y@1 cannot be rolled back"},
		{"a tier that recommends", func(_ *plan.Plan, o *standingOrders) { o.autonomy["silver"] = "recommend" }, `c1 serves shop, whose tier "silver" recommends only`},
		{"one host of such a tier", func(_ *plan.Plan, o *standingOrders) { o.services["b3"] = []string{"shop", "db"} }, `b3 serves db, whose tier "gold" recommends only`},
		{"an autonomy that nobody knows", func(_ *plan.Plan, o *standingOrders) { o.autonomy["silver"] = "yolo" }, `c1 serves shop, whose tier "silver" recommends only`},
		{"a tier that is not there", func(_ *plan.Plan, o *standingOrders) { o.tiers["shop"] = "" }, `c1 serves shop, whose tier "" recommends only`},
		{"a host in no service", func(_ *plan.Plan, o *standingOrders) { o.services["e1"] = nil }, "e1 is in no service"},
	} {
		p := approvedVersion()
		p.Approvals = nil
		feasible(p, true)
		for i := range p.Patches {
			p.Patches[i].NoRollback = nil
		}
		o := &standingOrders{own: risk.History{Months: 6}, services: map[inventory.HostID][]string{}, tiers: map[string]string{"shop": "silver", "db": "gold"}, autonomy: map[string]string{"silver": "semi-autonomous", "gold": "recommend"}}
		for w := range spots(p) {
			o.services[w.host] = []string{"shop"}
		}
		row.edit(p, o)
		if got := o.attended(p); row.want == "" && got != "" || !strings.HasPrefix(got, row.want) {
			t.Errorf("%s: attended() = %q, want %q", row.name, got, row.want)
		}
	}
}
