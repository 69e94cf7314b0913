package risk

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/clock"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// shop is a service of 12 hosts, all of which need the patch: 75 minutes down
// when it fails, 100 a minute.
func shop() Stake {
	return Stake{Service: "shop", Tier: "gold", Tolerance: 0.05, Cost: Cost{PerMinute: 100}, Exposure: "internet",
		Hosts: 12, Of: 12, Install: 30 * time.Minute, Rollback: 30 * time.Minute}
}

func likelihood(p float64) plan.Risk {
	return plan.Risk{P: p, Low: p / 2, High: min(1, 2*p), Source: FromEPSS}
}

func TestSpansAreTheClocks(t *testing.T) {
	for _, c := range plan.Classes {
		if got, want := spans[c], clock.Span(c).Hours(); got != want {
			t.Errorf("spans[%s] = %v, want clock's %v", c, got, want)
		}
	}
}

// The figures are by hand: D = p·M·C·a, w = -ln(1-q)/720·r·24·60·C, limits D/τ.
func TestWeigh(t *testing.T) {
	with := func(change func(*Stake)) Stake { s := shop(); change(&s); return s }
	for _, c := range []struct {
		name      string
		stake     Stake
		deploy, q float64
		known     bool
		waiting   float64 // money per hour
		deploying float64
		hours     float64
		class     plan.Class
	}{
		// λ = 0.544727/720; w = λ·144000 = 108.95; D = 0.02·75·100 = 150; limit 3000 ≥ 24·w = 2615, < 168·w
		{"likely, internet", shop(), 0.02, 0.42, false, 108.94544, 150, 1.37684, plan.Critical},
		// λ = 0.0512933/720; w = 10.2587; 168·w = 1723 ≤ 3000 < 720·w = 7386
		{"one in twenty", shop(), 0.02, 0.05, false, 10.25866, 150, 14.62180, plan.High},
		// w = 1.40492; 720·w = 1012 ≤ 3000 < 2160·w = 3035
		{"less than one in a hundred", shop(), 0.02, 0.007, false, 1.40492, 150, 106.76762, plan.Standard},
		// w = 0.10003; 2160·w = 216 ≤ 3000
		{"hardly ever", shop(), 0.02, 0.0005, false, 0.10003, 150, 1499.62498, plan.Low},
		// internal: a tenth of the first; w = 10.8945; 168·w = 1830 ≤ 3000 < 720·w; isolated: 2160·w = 2353 ≤ 3000
		{"likely, internal", with(func(s *Stake) { s.Exposure = "internal" }), 0.02, 0.42, false, 10.89454, 150, 13.76836, plan.High},
		{"likely, isolated", with(func(s *Stake) { s.Exposure = "isolated" }), 0.02, 0.42, false, 1.08945, 150, 137.68359, plan.Low},
		{"exposure unknown", with(func(s *Stake) { s.Exposure = "" }), 0.02, 0.42, false, 108.94544, 150, 1.37684, plan.Critical},
		// known: q = 0.9, λ = 2.302585/720; w = 460.517; limit 3000 < 24·w = 11052: critical all the same
		{"known exploited", shop(), 0.02, 0.0005, true, 460.51702, 150, 0.32572, plan.Critical},
		// half of the hosts: D = 75, limit 1500 < 168·w = 1723
		{"half of the hosts", with(func(s *Stake) { s.Hosts = 6 }), 0.02, 0.05, false, 10.25866, 75, 7.31090, plan.Critical},
		// a careful tier waits five times longer: limit 15000 ≥ 720·w = 7386, < 2160·w
		{"tolerance 1 %", with(func(s *Stake) { s.Tolerance = 0.01 }), 0.02, 0.05, false, 10.25866, 150, 14.62180, plan.Standard},
		// no tolerance: limit is D itself: 24·w = 246 > 150
		{"no tolerance", with(func(s *Stake) { s.Tolerance = 0 }), 0.02, 0.05, false, 10.25866, 150, 14.62180, plan.Critical},
		// riskier to deploy: D = 750, limit 15000
		{"one in ten fails", shop(), 0.1, 0.05, false, 10.25866, 750, 73.10902, plan.Standard},
		{"nothing to be exploited", shop(), 0.02, 0, false, 0, 150, longest, plan.Low},
		// a hundred times the money on both sides: the same class
		{"dear", with(func(s *Stake) { s.Cost.PerMinute = 10000 }), 0.02, 0.05, false, 1025.86589, 15000, 14.62180, plan.High},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Economy{}.Weigh([]Stake{c.stake}, likelihood(c.deploy), likelihood(c.q), c.known)
			near(t, "Waiting", b.Waiting, c.waiting)
			near(t, "Deploying", b.Deploying, c.deploying)
			near(t, "BreakEven", b.BreakEven.H, c.hours)
			if b.Class != c.class {
				t.Errorf("Class = %s, want %s", b.Class, c.class)
			}
			if b.BreakEven.Low > b.BreakEven.H || b.BreakEven.H > b.BreakEven.High {
				t.Errorf("BreakEven = %+v, want low ≤ h ≤ high", b.BreakEven)
			}
		})
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 2e-5*max(1, math.Abs(want)) {
		t.Errorf("%s = %.5f, want %.5f", what, got, want)
	}
}

func values(list []plan.Reason) []string {
	var texts []string
	for _, r := range list {
		texts = append(texts, r.Value)
	}
	return texts
}

func TestWeighSays(t *testing.T) {
	got := values(Economy{Currency: "USD"}.Weigh([]Stake{shop()}, likelihood(0.02), likelihood(0.05), false).Reasons)
	want := []string{
		"waiting costs 10 USD/h on 12 hosts; deploying now risks 150 USD once: break-even after 14.6 h (3.6 h to 2.5 d)",
		`for "shop" waiting 30 days costs more than deploying now above an exploit probability of 0.104 %; it is 5.0 %`,
		`high follows for "shop": 7 d of waiting cost 1,723 USD, within 3,000 USD (what deploying risks / risk tolerance 0.05); 30 d would cost 7,386 USD; it may only tighten the rules' class`,
		"taken: a failed change is noticed after 15 min, a compromise takes a service down for 24 h, exploitation reaches what is internal by 0.1 and what is isolated by 0.01",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got = values(Economy{}.Weigh([]Stake{shop()}, likelihood(0.02), likelihood(0.05), true).Reasons)
	if want := `critical follows for "shop": even 24 h of waiting cost 11,052, more than 3,000`; !strings.HasPrefix(got[2], want) {
		t.Errorf("says %q, want %q…", got[2], want)
	}
}

// The example of the design: 41 an hour against 310 once is 7.6 hours.
func TestBreakEvenIsTheQuotient(t *testing.T) {
	s := shop()
	s.Cost.PerMinute = 310 / (0.02 * 75)
	q := within(41 / (s.Cost.PerMinute * 1440))
	got := values(Economy{Currency: "USD"}.Weigh([]Stake{s}, likelihood(0.02), likelihood(q), false).Reasons)[0]
	if want := "waiting costs 41 USD/h on 12 hosts; deploying now risks 310 USD once: break-even after 7.6 h"; !strings.HasPrefix(got, want) {
		t.Errorf("says %q, want %q…", got, want)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	with := func(change func(*Stake)) Stake { s := shop(); change(&s); return s }
	free := with(func(s *Stake) { s.Service, s.Cost = "wiki", Cost{Missing: []string{"wiki"}} })
	for _, c := range []struct {
		name   string
		stakes []Stake
		deploy plan.Risk
		exp    plan.Risk
		class  plan.Class
		says   string
	}{
		{"no service", nil, likelihood(0.02), likelihood(0.9), "", "missing: the hosts are in no service"},
		{"no cost", []Stake{free}, likelihood(0.02), likelihood(0.9), "", `missing: what a minute's downtime of "wiki" costs; no money is stated and the rules' class stands`},
		{"one of two without cost", []Stake{free, shop()}, likelihood(0.02), likelihood(0.9), plan.Critical, `missing: what a minute's downtime of "wiki" costs; left out of the money`},
		{"no tolerance", []Stake{with(func(s *Stake) { s.Tolerance = 0 })}, likelihood(0.02), likelihood(0.9), plan.Critical, `missing: tier "gold" has no risk_tolerance; taken as 1`},
		{"no exposure", []Stake{with(func(s *Stake) { s.Exposure = "" })}, likelihood(0.02), likelihood(0.9), plan.Critical, `missing: the exposure of "shop"; taken as internet`},
		{"a dependent's cost", []Stake{with(func(s *Stake) { s.Cost.Missing = []string{"blog"} })}, likelihood(0.02), likelihood(0.9), plan.Critical, `missing: what downtime of "blog" costs, which depends on "shop": money is at least this`},
		{"no vulnerability", []Stake{shop()}, likelihood(0.02), plan.Risk{Source: FromNone}, "", "fixes no vulnerability"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Economy{}.Weigh(c.stakes, c.deploy, c.exp, false)
			if b.Class != c.class {
				t.Errorf("Class = %q, want %q", b.Class, c.class)
			}
			if !slices.ContainsFunc(values(b.Reasons), func(s string) bool { return strings.HasPrefix(s, c.says) }) {
				t.Errorf("says %q, want %q…", values(b.Reasons), c.says)
			}
			if b.Class == "" && (b.Waiting != 0 || b.Deploying != 0) {
				t.Errorf("states money: %+v", b)
			}
		})
	}
}

func TestSeveralServices(t *testing.T) {
	inner := shop()
	inner.Service, inner.Exposure, inner.Tolerance, inner.Hosts, inner.Of = "ledger", "isolated", 0.001, 3, 3
	b := Economy{}.Weigh([]Stake{shop(), inner}, likelihood(0.02), likelihood(0.05), false)
	if b.Class != plan.High || b.Service != "shop" {
		t.Errorf("Class = %s by %q; want shop's own, high: what the ledger risks is no reason for it to wait", b.Class, b.Service)
	}
	near(t, "Waiting", b.Waiting, 10.25866*1.01)
	near(t, "Deploying", b.Deploying, 300)
	if got, want := b.Reasons[0].Value, "on 15 hosts of 2 services"; !strings.Contains(got, want) {
		t.Errorf("says %q, want %q", got, want)
	}
	swapped := Economy{}.Weigh([]Stake{inner, shop()}, likelihood(0.02), likelihood(0.05), false)
	if d := cmp.Diff(b, swapped); d != "" {
		t.Errorf("the order of services matters: %s", d)
	}
}

func TestTightenNeverLoosens(t *testing.T) {
	for _, rules := range plan.Classes {
		for _, own := range append([]plan.Class{""}, plan.Classes...) {
			got := Balance{Class: own}.Tighten(rules)
			if plan.Rank(got) > plan.Rank(rules) {
				t.Errorf("Tighten(%s) with %q = %s, which is later", rules, own, got)
			}
			if own != "" && plan.Rank(got) > plan.Rank(own) {
				t.Errorf("Tighten(%s) with %q = %s, want the stricter", rules, own, got)
			}
		}
	}
}

// Each input moves the class, the money and the break-even time one way only.
func TestWeighIsMonotone(t *testing.T) {
	dice := rand.New(rand.NewPCG(7, 11))
	type world struct {
		economy   Economy
		stake     Stake
		deploy, q float64
	}
	draw := func() world {
		s := shop()
		s.Tolerance = math.Exp(-8 * dice.Float64())
		s.Cost.PerMinute = math.Exp(12*dice.Float64() - 3)
		s.Exposure = []string{"internet", "internal", "isolated"}[dice.IntN(3)]
		s.Of = 1 + dice.IntN(50)
		s.Hosts = 1 + dice.IntN(s.Of)
		s.Install = time.Duration(dice.IntN(120)) * time.Minute
		return world{Economy{Compromise: time.Duration(1+dice.IntN(300)) * time.Hour}, s, math.Exp(-9 * dice.Float64()), math.Exp(-9 * dice.Float64())}
	}
	weigh := func(w world) Balance {
		return w.economy.Weigh([]Stake{w.stake}, likelihood(w.deploy), likelihood(w.q), false)
	}
	more := func(x float64) float64 { return x + dice.Float64()*(1-x) }
	for name, up := range map[string]struct {
		change  func(*world)
		earlier bool // the class, else later
	}{
		"exploit risk":     {func(w *world) { w.q = more(w.q) }, true},
		"reach":            {func(w *world) { w.stake.Exposure = "internet" }, true},
		"unknown exposure": {func(w *world) { w.stake.Exposure = "" }, true},
		"compromise":       {func(w *world) { w.economy.Compromise *= time.Duration(1 + dice.IntN(5)) }, true},
		"tolerance":        {func(w *world) { w.stake.Tolerance = more(w.stake.Tolerance) }, true},
		"no tolerance":     {func(w *world) { w.stake.Tolerance = 0 }, true},
		"deploy risk":      {func(w *world) { w.deploy = more(w.deploy) }, false},
		"install":          {func(w *world) { w.stake.Install += time.Duration(dice.IntN(600)) * time.Minute }, false},
		"rollback":         {func(w *world) { w.stake.Rollback += time.Duration(dice.IntN(600)) * time.Minute }, false},
		"detection":        {func(w *world) { w.economy.Detection = detection + time.Duration(dice.IntN(600))*time.Minute }, false},
		"long incidents":   {func(w *world) { w.economy.Past = map[string]Downtime{"gold": {3, 3 * 2000}} }, false},
		"hosts":            {func(w *world) { w.stake.Hosts += dice.IntN(50) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			moved := 0
			for range 500 {
				w := draw()
				before := weigh(w)
				up.change(&w)
				after := weigh(w)
				change := plan.Rank(after.Class) - plan.Rank(before.Class)
				if up.earlier && change > 0 || !up.earlier && change < 0 {
					t.Fatalf("class went from %s to %s for %+v", before.Class, after.Class, w)
				}
				if hours := after.BreakEven.H - before.BreakEven.H; up.earlier && hours > 1e-5 || !up.earlier && hours < -1e-5 {
					t.Fatalf("break-even went from %v to %v h for %+v", before.BreakEven, after.BreakEven, w)
				}
				if change != 0 {
					moved++
				}
			}
			if moved == 0 {
				t.Errorf("no class moved: the test sees nothing")
			}
		})
	}
	t.Run("cost", func(t *testing.T) {
		for range 500 {
			w := draw()
			before := weigh(w)
			w.stake.Cost.PerMinute *= 1 + 9*dice.Float64()
			after := weigh(w)
			if after.Class != before.Class || after.Waiting < before.Waiting || after.Deploying < before.Deploying {
				t.Fatalf("from %+v to %+v as costs rise", before, after)
			}
		}
	})
}

// A known exploited vulnerability never waits longer than one that is not.
func TestKnownExploitedTightens(t *testing.T) {
	for q := 0.0; q <= 1; q += 0.01 {
		for p := 0.001; p < 1; p *= 1.5 {
			a := Economy{}.Weigh([]Stake{shop()}, likelihood(p), likelihood(q), false)
			b := Economy{}.Weigh([]Stake{shop()}, likelihood(p), likelihood(q), true)
			if plan.Rank(b.Class) > plan.Rank(a.Class) || b.Waiting < a.Waiting {
				t.Fatalf("p %v, q %v: known exploited %+v is later than %+v", p, q, b, a)
			}
		}
	}
}

// Whatever the numbers, the answer is finite and never later than the rules.
func FuzzWeigh(f *testing.F) {
	f.Add(0.02, 0.42, 0.05, 100.0, int64(time.Hour), 12, 12)
	f.Add(0.0, 0.0, 0.0, 0.0, int64(0), 0, 0)
	f.Add(math.NaN(), math.Inf(1), -1.0, 1e300, int64(-5), -3, 7)
	f.Add(1.0, 1.0, 1.0, 1e12, int64(math.MaxInt64), 1, 1)
	f.Fuzz(func(t *testing.T, p, q, tolerance, cost float64, install int64, hosts, of int) {
		if !(p >= 0 && p <= 1) || !(q >= 0 && q <= 1) {
			return // no risk has such a value
		}
		s := Stake{Service: "s", Tolerance: tolerance, Exposure: "internet", Hosts: hosts, Of: of, Install: time.Duration(install)}
		if affordable(cost) {
			s.Cost.PerMinute = cost
		}
		b := Economy{}.Weigh([]Stake{s}, likelihood(p), likelihood(q), false)
		for name, x := range map[string]float64{"Waiting": b.Waiting, "Deploying": b.Deploying, "BreakEven": b.BreakEven.H, "Low": b.BreakEven.Low, "High": b.BreakEven.High, "Above": b.Above} {
			if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
				t.Errorf("%s = %v", name, x)
			}
		}
		if plan.Rank(b.Tighten(plan.Standard)) > plan.Rank(plan.Standard) {
			t.Errorf("Tighten(standard) is later with %q", b.Class)
		}
	})
}
