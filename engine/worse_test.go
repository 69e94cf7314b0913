package engine

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// approvedVersion is a plan of two patches in three rings, as somebody approved it.
func approvedVersion() *plan.Plan {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	risk := plan.Risk{P: 0.1, Low: 0.05, High: 0.2, Source: "rules"}
	decisions := func() []plan.Decision {
		return []plan.Decision{
			{Rule: "a.require", Effect: plan.Require, Message: "history is 2 months", Facts: map[string]any{"from": "team"}, Remedy: "r"},
			{Rule: "b.warn", Effect: plan.Warn, Message: "a vendor of 3", Facts: map[string]any{}, Remedy: "r"},
		}
	}
	patch := func(id plan.PatchID, name string) plan.Patch {
		return plan.Patch{ID: id, Type: "deb", Package: name, To: "1", Vendor: "v", Advisories: []string{"A-1", "A-2"}, CVEs: []string{"CVE-1", "CVE-2"}, Class: plan.High, Deadline: at.AddDate(0, 0, 7),
			Clock: "ssvc", ClockStart: at, ClockFrom: "published", KnownExploited: true, DeployRisk: risk, ExploitRisk: risk, Reasons: []plan.Reason{{Term: "t", Value: "v", Effect: 1}},
			Decisions: decisions(), Test: "canary", Feasible: false, Conflict: []plan.Constraint{{Kind: "clock", Name: "n", Message: "m"}}, WaysOut: []plan.WayOut{{Kind: "window", Message: "m"}}}
	}
	change := func(host string, id plan.PatchID) plan.Change {
		return plan.Change{Host: inventory.HostID(host), Patch: id, From: "0", DeployRisk: risk, Decisions: []plan.Decision{{Rule: "c.warn", Effect: plan.Warn, Message: "m"}}}
	}
	wave := func(day int, hosts ...string) plan.Wave {
		w := plan.Wave{Start: at.AddDate(0, 0, day), NotAfter: at.AddDate(0, 0, day).Add(2 * time.Hour), End: at.AddDate(0, 0, day).Add(3 * time.Hour), Soak: "2h"}
		for _, h := range hosts {
			w.Changes = append(w.Changes, change(h, "deb:x@1"), change(h, "deb:y@1"))
		}
		return w
	}
	ring := func(name string, waves ...plan.Wave) plan.Ring {
		return plan.Ring{Name: name, Soak: "1d", MaxFailures: 1, Gates: []string{"no more than 1 failed", "asked again"}, Waves: waves}
	}
	p := &plan.Plan{
		Schema: plan.Schema, ID: "high-main-1", At: at, Digest: "sha256:x", Expires: at.AddDate(0, 0, 9), Inputs: plan.Inputs{Engine: "v1"},
		Patches:   []plan.Patch{patch("deb:x@1", "x"), patch("deb:y@1", "y")},
		Rings:     []plan.Ring{ring("canary", wave(1, "c1", "c2")), ring("early", wave(2, "e1", "e2")), ring("broad", wave(3, "b1", "b2"), wave(4, "b3", "b4", "b5"))},
		Approvals: []plan.Approval{{From: "team", Count: 2, By: at.AddDate(0, 0, 1), EscalateTo: "owners", Because: "history is 2 months; tier gold recommends only"}},
	}
	p.Patches[1].Feasible, p.Patches[1].Conflict = true, nil
	p.Rings[0].Watch = &plan.Watch{Signals: []string{"up", "error_ratio"}, Step: "15s", Points: 8, Within: "90s", Rise: 0.1, MinRequests: 50}
	p.Patches[1].NoRollback = []plan.NoRollback{{Why: "a kernel", Instead: "boot the former one", Hosts: []inventory.HostID{"c1"}}}
	return p
}

// drop takes a host out of a plan, and what is then empty.
func drop(p *plan.Plan, host inventory.HostID) {
	for i := range p.Rings {
		for j := range p.Rings[i].Waves {
			w := &p.Rings[i].Waves[j]
			w.Changes = slices.DeleteFunc(w.Changes, func(c plan.Change) bool { return c.Host == host })
		}
		p.Rings[i].Waves = slices.DeleteFunc(p.Rings[i].Waves, func(w plan.Wave) bool { return len(w.Changes) == 0 })
	}
	p.Rings = slices.DeleteFunc(p.Rings, func(r plan.Ring) bool { return len(r.Waves) == 0 })
}

// shove takes a host from where it is into another wave.
func shove(p *plan.Plan, host inventory.HostID, ring, wave int) {
	var list []plan.Change
	for i := range p.Rings {
		for j := range p.Rings[i].Waves {
			w := &p.Rings[i].Waves[j]
			w.Changes = slices.DeleteFunc(w.Changes, func(c plan.Change) bool {
				if c.Host == host {
					list = append(list, c)
				}
				return c.Host == host
			})
		}
	}
	to := &p.Rings[ring].Waves[wave]
	to.Changes = append(to.Changes, list...)
	drop(p, "") // and what is empty
}

// An approval survives what is provably no worse than what was approved, and
// nothing else; what is worse is named.
func TestWorse(t *testing.T) {
	day := 24 * time.Hour
	for _, row := range []struct {
		name string
		edit func(p *plan.Plan)
		want string // "": the approval stands
	}{
		{"nothing", func(p *plan.Plan) {}, ""},
		{"a host leaves", func(p *plan.Plan) { drop(p, "b5") }, ""},
		{"a last ring leaves", func(p *plan.Plan) { p.Rings = p.Rings[:2] }, ""},
		{"a patch leaves", func(p *plan.Plan) {
			for i := range p.Rings {
				for j := range p.Rings[i].Waves {
					p.Rings[i].Waves[j].Changes = slices.DeleteFunc(p.Rings[i].Waves[j].Changes, func(c plan.Change) bool { return c.Patch == "deb:y@1" })
				}
			}
			p.Patches = p.Patches[:1]
		}, ""},
		{"lower risk", func(p *plan.Plan) {
			p.Patches[0].DeployRisk.P, p.Rings[0].Waves[0].Changes[0].DeployRisk.High = 0.01, 0.1
		}, ""},
		{"a host that came late moves to a wave of its own", func(p *plan.Plan) {
			p.Rings[2].Waves = append(p.Rings[2].Waves, p.Rings[2].Waves[1])
			p.Rings[2].Waves[2].Changes = nil
			shove(p, "b5", 2, 2)
			feasible(p, true)
		}, ""},
		{"everything a day later", func(p *plan.Plan) { shift(p, day); feasible(p, true) }, ""},
		{"it became feasible", func(p *plan.Plan) { feasible(p, true) }, ""},
		{"longer soak", func(p *plan.Plan) { p.Rings[1].Soak, p.Rings[1].Waves[0].Soak = "48h", "3h" }, ""},
		{"fewer failures allowed", func(p *plan.Plan) {
			p.Rings[2].MaxFailures, p.Rings[2].Gates[0] = 0, "no more than 0 failed"
		}, ""},
		{"one person more", func(p *plan.Plan) { p.Approvals[0].Count = 3 }, ""},
		{"another team too", func(p *plan.Plan) { p.Approvals = append(p.Approvals, plan.Approval{From: "owners", Count: 1}) }, ""},
		{"a month later", func(p *plan.Plan) {
			p.Approvals[0].Because = "history is 3 months; tier gold recommends only"
			p.Patches[0].Decisions[0].Message = "history is 3 months"
		}, ""},
		{"a warning goes", func(p *plan.Plan) { p.Patches[0].Decisions = p.Patches[0].Decisions[:1] }, ""},
		{"a requirement comes", func(p *plan.Plan) {
			p.Patches[0].Decisions = append(p.Patches[0].Decisions, plan.Decision{Rule: "c.require", Effect: plan.Require, Message: "m"})
		}, ""},
		{"more is fixed", func(p *plan.Plan) { p.Patches[0].CVEs = append(p.Patches[0].CVEs, "CVE-3") }, ""},
		{"it can be rolled back after all", func(p *plan.Plan) { p.Patches[1].NoRollback = nil }, ""},
		{"watched for longer", func(p *plan.Plan) { p.Rings[0].Watch.Points, p.Rings[0].Watch.Rise = 16, 0.05 }, ""},
		{"watched where it was not", func(p *plan.Plan) { p.Rings[1].Watch = p.Rings[0].Watch }, ""},
		{"tested in a sandbox first", func(p *plan.Plan) { p.Patches[0].Test = "sandbox" }, ""},

		{"a host comes", func(p *plan.Plan) { p.Rings[1].Waves[0].Changes[0].Host = "new" }, "changes that were not in it: deb:x@1 on new"},
		{"a patch comes", func(p *plan.Plan) {
			x := p.Patches[0]
			x.ID = "deb:z@1"
			p.Patches, p.Rings[2].Waves[0].Changes[0].Patch = append(p.Patches, x), x.ID
		}, "patches that were not in it: deb:z@1; changes that were not in it: deb:z@1 on b1"},
		{"a signal is not measured any more", func(p *plan.Plan) { p.Rings[0].Watch.Signals = []string{"up"} }, "rings that are watched less: canary"},
		{"nobody knows how it is watched", func(p *plan.Plan) { p.Rings[0].Watch = nil }, "rings that are watched less: canary"},
		{"trouble need not be seen any more", func(p *plan.Plan) { p.Rings[0].Watch.Within = "" }, "rings that are watched less: canary"},
		{"it can no longer be rolled back", func(p *plan.Plan) { p.Patches[0].NoRollback = p.Patches[1].NoRollback }, "changes that cannot be rolled back, or for another reason: deb:x@1 on c1"},
		{"nor on other hosts", func(p *plan.Plan) { p.Patches[1].NoRollback[0].Hosts = nil }, "changes that cannot be rolled back, or for another reason: deb:y@1 on c2, deb:y@1 on e1, deb:y@1 on e2 and 5 more"},
		{"something else is done instead", func(p *plan.Plan) { p.Patches[1].NoRollback[0].Instead = "reinstall" }, "changes that cannot be rolled back, or for another reason: deb:y@1 on c1"},
		{"a newer version", func(p *plan.Plan) { p.Patches[0].To = "2" }, "patches that install something else: deb:x@1"},
		{"all a minute earlier", func(p *plan.Plan) { shift(p, -time.Minute) }, "changes that begin earlier: deb:x@1 on c1, deb:y@1 on c1, deb:x@1 on c2 and 15 more"},
		{"a later overrun", func(p *plan.Plan) { shift(p, day) }, "changes that miss their deadline by more: deb:x@1 on c1, deb:x@1 on c2, deb:x@1 on e1 and 6 more"},
		{"half a canary", func(p *plan.Plan) { drop(p, "c1") }, "rings that come after fewer hosts: broad, early"},
		{"half a canary for one patch", func(p *plan.Plan) { p.Rings[0].Waves[0].Changes = p.Rings[0].Waves[0].Changes[1:] }, "rings that come after fewer hosts: broad, early"},
		{"no canary", func(p *plan.Plan) { drop(p, "c1"); drop(p, "c2") }, "rings that come after fewer hosts: broad, early"},
		{"a canary that is skipped", func(p *plan.Plan) { shove(p, "c1", 1, 0); shove(p, "c2", 1, 0); feasible(p, true) }, "changes at once with others than before: deb:x@1 on c1, deb:y@1 on c1, deb:x@1 on c2 and 1 more; rings that come after fewer hosts: early"},
		{"a canary that comes later", func(p *plan.Plan) { shove(p, "c1", 1, 0); feasible(p, true) }, "changes at once with others than before: deb:x@1 on c1, deb:y@1 on c1; rings that come after fewer hosts: early"},
		{"the small wave leaves", func(p *plan.Plan) { drop(p, "b1"); drop(p, "b2") }, "changes in an earlier ring or wave: deb:x@1 on b3, deb:y@1 on b3, deb:x@1 on b4 and 3 more"},
		{"an earlier ring", func(p *plan.Plan) { shove(p, "b5", 0, 0) }, "changes at once with others than before: deb:x@1 on b5, deb:y@1 on b5; changes in an earlier ring or wave: deb:x@1 on b5, deb:y@1 on b5; changes that begin earlier: deb:x@1 on b5, deb:y@1 on b5"},
		{"other hosts at once, as many", func(p *plan.Plan) { drop(p, "b4"); shove(p, "b2", 2, 1); feasible(p, true) }, "changes at once with others than before: deb:x@1 on b2, deb:y@1 on b2"},
		{"many at once", func(p *plan.Plan) { shove(p, "c1", 2, 1); feasible(p, true) }, "changes at once with others than before: deb:x@1 on c1, deb:y@1 on c1; rings that come after fewer hosts: broad, early"},
		{"rings in another order", func(p *plan.Plan) { p.Rings[0].Name, p.Rings[1].Name = "early", "canary" }, "rings that were not in it, or stood later: canary"},
		{"a new deadline problem", func(p *plan.Plan) { p.Patches[0].Conflict[0].Name = "other" }, "deadlines that can no longer be met: deb:x@1"},
		{"a warning worsens", func(p *plan.Plan) { p.Patches[0].Decisions[1].Message = "a vendor of 4" }, "policy now says b.warn: "},
		{"a requirement becomes a warning", func(p *plan.Plan) { p.Patches[0].Decisions[0].Effect = plan.Warn }, "policy no longer says a.require: "},
		{"nobody is asked", func(p *plan.Plan) { p.Approvals = nil }, "fewer people are asked: team"},
		{"asked for something else", func(p *plan.Plan) { p.Approvals[0].Because += "; the deadline cannot be met" }, "people who are asked for another reason: team"},
		{"another engine", func(p *plan.Plan) { p.Inputs.Engine = "v2" }, "another engine made it"},
		{"an older plan", func(p *plan.Plan) { p.At = p.At.Add(-time.Second) }, "it is older than what was approved"},
	} {
		was, now := approvedVersion(), approvedVersion()
		row.edit(now)
		got := strings.Join(worse(was, now), "; ")
		if row.want == "" && got != "" || !strings.HasPrefix(got, row.want) {
			t.Errorf("%s: worse() = %q, want %q", row.name, got, row.want)
		}
		if row.want == "" && row.name != "nothing" && row.name != "a month later" && len(worse(now, was)) == 0 {
			t.Errorf("%s: taken back, it is as good: the row shows nothing", row.name)
		}
	}
}

func shift(p *plan.Plan, d time.Duration) {
	for i := range p.Rings {
		for j := range p.Rings[i].Waves {
			w := &p.Rings[i].Waves[j]
			w.Start, w.NotAfter, w.End = w.Start.Add(d), w.NotAfter.Add(d), w.End.Add(d)
		}
	}
}

func feasible(p *plan.Plan, yes bool) {
	for i := range p.Patches {
		p.Patches[i].Feasible = yes
	}
}

// free are the members of a plan that an approval does not hang on, with why.
// Whoever adds a member to the plan decides it here.
var free = map[string]string{
	"Plan.Digest": "it follows from the rest", "Plan.Expires": "waves have ends of their own", "Plan.Population": "hosts that are not seen are not touched", "Plan.NotPlanned": "less is done",
	"Plan.Scanners": "a dispute changes nothing that is done", "Plan.Timezone": "times are the same in any", "Inputs.Commit": "outcomes count", "Inputs.Inventory": "outcomes count",
	"Inputs.Rings": "outcomes count", "Inputs.Policies": "outcomes count", "Inputs.Models": "outcomes count", "Inputs.Advisories": "outcomes count", "Inputs.Outcomes": "outcomes count",
	"Patch.Deadline": "what it means for waves and feasibility counts", "Patch.Clock": "the same", "Patch.ClockStart": "the same", "Patch.ClockFrom": "the same", "Patch.Reasons": "the score counts",
	"Patch.WaysOut": "nobody took one", "Risk.Low": "the high end counts", "Decision.Facts": "the message tells them", "Decision.Remedy": "advice", "Constraint.Message": "kind and name count",
	"Watch.Step": "what it means for points and Within counts", "Approval.By": "a day to answer by", "Approval.EscalateTo": "whom to wake",
}

// Any one member of a plan that gets worse costs the approval: every member is
// changed on its own, up and down, and unless it is free one of the two is refused.
func TestWorseSeesEveryMember(t *testing.T) {
	refused := map[string]int{}
	var walk func(path string, get func(*plan.Plan) reflect.Value)
	walk = func(path string, get func(*plan.Plan) reflect.Value) {
		v := get(approvedVersion())
		if v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct {
			if !v.IsNil() {
				walk(path, func(p *plan.Plan) reflect.Value { return get(p).Elem() })
			}
			return
		}
		if _, isTime := v.Interface().(time.Time); v.Kind() == reflect.Struct && !isTime {
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				if free[name] == "" {
					walk(path+" "+name, func(p *plan.Plan) reflect.Value { return get(p).Field(i) })
				}
			}
			return
		}
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
			for i := range v.Len() {
				walk(path, func(p *plan.Plan) reflect.Value { return get(p).Index(i) })
			}
			return
		}
		for _, up := range []bool{true, false} {
			now := approvedVersion()
			nudge(get(now), up)
			refused[path] += min(1, len(worse(approvedVersion(), now)))
		}
	}
	walk("", func(p *plan.Plan) reflect.Value { return reflect.ValueOf(p).Elem() })
	for _, path := range sortedKeys(refused) {
		if refused[path] == 0 {
			t.Errorf("%q may be anything, and is not free", path)
		}
	}
	if len(refused) < 45 {
		t.Errorf("%d members were changed, want every one of the plan", len(refused))
	}
}

// nudge makes a value more or less.
func nudge(v reflect.Value, up bool) {
	sign := 1
	if !up {
		sign = -1
	}
	switch x := v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(x.Add(time.Duration(sign) * time.Second)))
		return
	case []inventory.HostID:
		if up {
			v.Set(reflect.ValueOf(append(slices.Clone(x), "more")))
		} else {
			v.Set(reflect.ValueOf(x[1:]))
		}
		return
	case []string:
		if up {
			v.Set(reflect.ValueOf(append(slices.Clone(x), "more")))
		} else {
			v.Set(reflect.ValueOf(x[1:]))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x" + v.String())
	case reflect.Int:
		v.SetInt(v.Int() + int64(sign))
	case reflect.Float64:
		v.SetFloat(v.Float() + float64(sign)*0.001)
	case reflect.Bool:
		v.SetBool(up)
	case reflect.Pointer:
		some := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			some.Elem().Set(v.Elem())
		}
		nudge(some.Elem(), up)
		v.Set(some)
	default:
		panic("no more of " + v.Type().String())
	}
}

// What is better in many ways stands, and one thing worse among them is refused:
// plans are bettered at random, and then worsened once.
func TestWorseOfMany(t *testing.T) {
	better := []func(*rand.Rand, *plan.Plan){
		func(r *rand.Rand, p *plan.Plan) { drop(p, inventory.HostID(fmt.Sprintf("b%d", 3+r.Intn(3)))) },
		func(r *rand.Rand, p *plan.Plan) { p.Patches[r.Intn(2)].DeployRisk.P -= r.Float64() / 20 },
		func(r *rand.Rand, p *plan.Plan) { p.Patches[r.Intn(2)].ExploitRisk.High -= r.Float64() / 20 },
		func(r *rand.Rand, p *plan.Plan) { feasible(p, true); shift(p, time.Duration(r.Intn(100))*time.Hour) },
		func(r *rand.Rand, p *plan.Plan) { p.Rings[r.Intn(len(p.Rings))].Soak = "3d" },
		func(r *rand.Rand, p *plan.Plan) { p.Approvals[0].Count += r.Intn(2) },
		func(r *rand.Rand, p *plan.Plan) { p.Rings[0].Waves[0].Soak = "9h" },
	}
	bad := []func(*plan.Plan){
		func(p *plan.Plan) { p.Rings[0].Waves[0].Changes[0].Host = "new" },
		func(p *plan.Plan) { p.Rings[0].Waves[0].Changes[0].From = "00" },
		func(p *plan.Plan) { p.Rings[0].Waves[0].Start = p.Rings[0].Waves[0].Start.AddDate(0, 0, -9) },
		func(p *plan.Plan) { p.Rings[0].Waves[0].Changes[0].DeployRisk.High = 0.21 },
		func(p *plan.Plan) { p.Rings[0].MaxFailures = 2 },
		func(p *plan.Plan) { p.Rings = p.Rings[1:] },
		func(p *plan.Plan) { p.Approvals[0].Count = 1 },
		func(p *plan.Plan) { p.Patches[0].Decisions = p.Patches[0].Decisions[1:] },
		func(p *plan.Plan) { p.Patches[0].KnownExploited = false },
		func(p *plan.Plan) {
			p.Rings[0].Waves[0].NotAfter = p.Rings[0].Waves[0].NotAfter.Add(time.Second)
		},
	}
	r := rand.New(rand.NewSource(1))
	for n := range 300 {
		p := approvedVersion()
		for range 1 + r.Intn(4) {
			better[r.Intn(len(better))](r, p)
		}
		if why := worse(approvedVersion(), p); len(why) > 0 {
			t.Fatalf("case %d: worse() = %q of a plan that was only bettered", n, why)
		}
		i := r.Intn(len(bad))
		if bad[i](p); len(worse(approvedVersion(), p)) == 0 {
			t.Fatalf("case %d: worse() finds nothing in worsening %d", n, i)
		}
	}
}

// FuzzNumbersOut: only numbers that stand alone go, so that names with digits
// never become one another.
func FuzzNumbersOut(f *testing.F) {
	for _, s := range []string{"history is 0.3 months, and nothing before 6 (shop)", "web-01 and CVE-2026-1", "(12%)", "a  b\n1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		was, got := strings.Fields(s), strings.Fields(numbersOut(s))
		if len(was) != len(got) {
			t.Fatalf("numbersOut(%q) has %d words, want %d", s, len(got), len(was))
		}
		for i := range was {
			if got[i] != was[i] && (got[i] != "#" || strings.Trim(was[i], "0123456789.(),;:%") != "") {
				t.Errorf("numbersOut(%q): %q became %q", s, was[i], got[i])
			}
		}
	})
}
