package engine

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// TestRingsAsAForgeShowsThem: no ring is a success of which something is missing,
// and a large one changes its text no more than a few hundred times.
func TestRingsAsAForgeShowsThem(t *testing.T) {
	type counts = report.RingAftermath
	for _, row := range []struct {
		ring                 counts
		stopped, over, begun bool
		refused              string
		state, text          string
	}{
		{ring: counts{Waiting: 3}, state: "pending", text: "0 of 3 healthy"},
		{ring: counts{Waiting: 1, UnderWay: 1, Healthy: 1}, state: "in_progress", text: "1 of 3 healthy"},
		{ring: counts{Healthy: 3}, state: "success", text: "3 of 3 healthy"},
		{ring: counts{Healthy: 7, RolledBack: 1}, state: "success", text: "7 of 8 healthy, 1 failed or rolled back"},
		{ring: counts{Healthy: 7, RolledBack: 1}, stopped: true, state: "failure", text: "7 of 8 healthy, 1 failed or rolled back"},
		{ring: counts{Unreached: 2}, state: "failure", text: "0 of 2 healthy"},
		{ring: counts{NotBegun: 2}, over: true, begun: true, state: "inactive", text: "0 of 2 healthy"},
		{ring: counts{Healthy: 1, NotBegun: 2}, over: true, begun: true, state: "failure", text: "1 of 3 healthy"},
		{ring: counts{Healthy: 1, UnderWay: 1}, over: true, begun: true, refused: "taken back", state: "failure", text: "1 of 2 healthy; stopped: taken back"},
		{ring: counts{Waiting: 2}, refused: "not approved", state: "inactive", text: "not carried out: not approved"},
		{ring: counts{Healthy: 200}, state: "success", text: "200 of 200 healthy"},
		{ring: counts{Healthy: 19_999, Waiting: 1}, state: "in_progress", text: "99 % of 20000 healthy"},
		{ring: counts{Healthy: 20_000}, state: "success", text: "100 % of 20000 healthy"},
	} {
		told := tale{rings: []ringEnd{{row.ring, row.stopped}}, told: &report.Aftermath{Plan: &plan.Plan{ID: "high-main-1"}, Over: row.over, Begun: row.begun, Refused: row.refused}}
		if p := told.progress(time.Time{})[0]; p.State != row.state || p.Text != row.text {
			t.Errorf("%+v is %s, %q; want %s, %q", row.ring, p.State, p.Text, row.state, row.text)
		}
	}
}
