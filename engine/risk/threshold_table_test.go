package risk

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// The table says where classes change, and Weigh changes them there.
func TestThresholdsAgreeWithWeigh(t *testing.T) {
	tiers := []inventory.Tier{
		{Name: "gold", DowntimeCostPerMinute: 5600, RiskTolerance: 0.01},
		{Name: "silver", DowntimeCostPerMinute: 100, RiskTolerance: 0.05},
		{Name: "bronze", DowntimeCostPerMinute: 3, RiskTolerance: 0.2},
	}
	rows := Economy{}.Thresholds(tiers, 0.02)
	if len(rows) != 9 {
		t.Fatalf("%d rows, want 9", len(rows))
	}
	for _, r := range rows {
		s := shop()
		s.Tier, s.Tolerance, s.Exposure = r.Tier, r.Tolerance, r.Exposure
		for _, edge := range []struct {
			q     float64
			class plan.Class
		}{{r.Standard, plan.Standard}, {r.High, plan.High}, {r.Critical, plan.Critical}} {
			if edge.q < 1e-4 || edge.q > 0.9999 {
				continue // rounded to nothing
			}
			above := Economy{}.Weigh([]Stake{s}, likelihood(0.02), likelihood(edge.q+1e-5), false).Class
			below := Economy{}.Weigh([]Stake{s}, likelihood(0.02), likelihood(edge.q-1e-5), false).Class
			if plan.Rank(above) > plan.Rank(edge.class) || plan.Rank(below) <= plan.Rank(edge.class) {
				t.Errorf("%+v: around %v: %s below, %s above; want %s from there on", r, edge.q, below, above, edge.class)
			}
		}
	}
}

// By hand, for silver on the Internet: D = 0.02·75 = 1.5 min, an exploitation is
// 1440 min; 720 h·D/(720 h·1440) = 0.0010417 expected in 30 d at break-even, and
// with tolerance 0.05 0.0208333 for high, a third of it for standard, 30/7 of it
// for critical.
func TestThresholdsTable(t *testing.T) {
	tiers := []inventory.Tier{{Name: "silver", DowntimeCostPerMinute: 100, RiskTolerance: 0.05}, {Name: "free", RiskTolerance: 0.1}, {Name: "silent", DowntimeCostPerMinute: 10}}
	rows := Economy{}.Thresholds(tiers, 0.02)
	want := []Threshold{
		{Tier: "silver", Exposure: "internet", Tolerance: 0.05, Minutes: 75, Fails: 7500, Exploited: 144000, BreakEven: 0.00104, Standard: 0.00692, High: 0.02062, Critical: 0.08542},
		{Tier: "silver", Exposure: "internal", Tolerance: 0.05, Minutes: 75, Fails: 7500, Exploited: 14400, BreakEven: 0.01036, Standard: 0.06709, High: 0.18806, Critical: 0.59052},
		{Tier: "silver", Exposure: "isolated", Tolerance: 0.05, Minutes: 75, Fails: 7500, Exploited: 1440, BreakEven: 0.09892, Standard: 0.50065, High: 0.87549, Critical: 0.99987},
		{Tier: "free", Exposure: "internet", Tolerance: 0.1, Minutes: 75, Why: "missing: no downtime_cost_per_minute; the rules' class stands"},
	}
	if d := cmp.Diff(want, rows[:4]); d != "" {
		t.Error(d)
	}
	if r := rows[6]; r.Why != "missing: no risk_tolerance; taken as 1" || r.High != r.BreakEven {
		t.Errorf("without tolerance %+v; want high where waiting breaks even", r)
	}
}

func TestCosts(t *testing.T) {
	tiers := []inventory.Tier{{Name: "gold", DowntimeCostPerMinute: 100}, {Name: "silver", DowntimeCostPerMinute: 10}, {Name: "free"}}
	got := Costs([]inventory.Service{
		{Name: "db", Tier: "silver"},
		{Name: "shop", Tier: "gold", DependsOn: []string{"db"}},
		{Name: "mobile", Tier: "gold", DependsOn: []string{"shop", "db"}},
		{Name: "wiki", Tier: "free", DependsOn: []string{"db"}},
		{Name: "lost", Tier: "nowhere", DependsOn: []string{"wiki"}},
		{Name: "a", Tier: "silver", DependsOn: []string{"b"}},
		{Name: "b", Tier: "silver", DependsOn: []string{"a"}}, // a cycle is a fault of the estate, and no endless loop here
	}, tiers)
	want := map[string]Cost{
		"db":     {PerMinute: 210, Dependent: []string{"lost", "mobile", "shop", "wiki"}, Missing: []string{"lost", "wiki"}},
		"shop":   {PerMinute: 200, Dependent: []string{"mobile"}},
		"mobile": {PerMinute: 100},
		"wiki":   {Dependent: []string{"lost"}, Missing: []string{"wiki"}},
		"lost":   {Missing: []string{"lost"}},
		"a":      {PerMinute: 20, Dependent: []string{"b"}},
		"b":      {PerMinute: 20, Dependent: []string{"a"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPastDowntime(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	minutes := func(x float64) *float64 { return &x }
	hours := func(n int) time.Time { return at.Add(time.Duration(n) * time.Hour) }
	past := PastDowntime([]inventory.Service{{Name: "shop", Tier: "gold"}, {Name: "db", Tier: "gold"}, {Name: "wiki", Tier: "free"}}, []outcome.Incident{
		{Opened: hours(-90), Service: "shop", Patch: "deb:a@1", Minutes: minutes(180)},
		{Opened: hours(-80), Closed: hours(-79), Service: "db", Patch: "deb:a@1"},
		{Opened: hours(-70), Service: "shop", Minutes: minutes(999)},                   // no patch caused it
		{Opened: hours(-60), Service: "shop", Patch: "deb:a@1"},                        // nobody knows how long
		{Opened: hours(-50), Service: "gone", Patch: "deb:a@1", Minutes: minutes(999)}, // no such service
		{Opened: hours(-1), Closed: hours(1), Service: "shop", Patch: "deb:a@1"},       // not over yet
		{Opened: hours(1), Service: "wiki", Patch: "deb:a@1", Minutes: minutes(5)},     // not yet
	}, at)
	if d := cmp.Diff(map[string]Downtime{"gold": {2, 240}}, past); d != "" {
		t.Error(d)
	}
	// (4·75 + 240)/6
	s := shop()
	if got := (Economy{Past: past}).minutes(s); got != 90 {
		t.Errorf("minutes = %v, want 90", got)
	}
	b := Economy{Past: past}.Weigh([]Stake{s}, likelihood(0.02), likelihood(0.05), false)
	if want := `tier "gold": 2 past incidents of patches took 120 min on average`; !slices.Contains(values(b.Reasons), want) {
		t.Errorf("says %q, want %q", values(b.Reasons), want)
	}
	near(t, "Deploying", b.Deploying, 180)
}

// What an estate declares of losses is said wherever a class rests on it, and
// what it leaves out stays as it is.
func TestDeclaredEconomy(t *testing.T) {
	e := Economy{Detection: 5 * time.Minute, Compromise: 72 * time.Hour, Reach: map[string]float64{"internet": 0.5, "isolated": 0}}
	want := "a failed change is noticed after 5 min, a compromise takes a service down for 3 d, exploitation reaches what is on the Internet by 0.5, what is internal by 0.1 and what is isolated by 0"
	if got := e.Taken(); got != want {
		t.Errorf("Taken() = %q, want %q", got, want)
	}
	for exposure, want := range map[string]float64{"internet": 0.5, "internal": 0.1, "isolated": 0, "": 1, "moon": 1} {
		if got := e.reach(exposure); got != want {
			t.Errorf("reach(%q) = %v, want %v", exposure, got, want)
		}
	}
	isolated := Stake{Service: "vault", Tolerance: 0.01, Cost: Cost{PerMinute: 100}, Exposure: "isolated", Hosts: 1, Of: 1}
	if b := e.Weigh([]Stake{isolated}, plan.Risk{P: 0.02}, plan.Risk{P: 0.9, Source: "epss"}, false); b.Class != plan.Low || b.Waiting != 0 {
		t.Errorf("Weigh() = %+v, want low and nothing lost by waiting where nothing is reached", b)
	}
}
