package risk

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var now = hours(24 * 365)

// deploy scores one host by rules and track record.
func deploy(p Patch, host *inventory.Host, role string, model *TrackRecord, h History, at time.Time) (plan.Risk, []plan.Reason) {
	return newScorer(p, model, h, at).Score(host, role)
}

func ptr[T any](v T) *T { return &v }

func quiet() Patch {
	return Patch{
		ID: "deb:openssl@3.0.15-1~deb12u1", Package: "openssl", Vendor: "Debian", From: "3.0.15-1", To: "3.0.15-1~deb12u1",
		Advisories: []*advisory.Advisory{{ID: "DSA-1", Kind: advisory.Security, Published: now.AddDate(0, 0, -60)}},
	}
}

func healthy() *inventory.Host {
	return &inventory.Host{ID: "web-01", Facts: &inventory.Facts{
		Drift: ptr(false), RebootPending: ptr(false), UptimeS: ptr(int64(86400)), DiskFreeMB: ptr(int64(9000)), DiskMB: ptr(int64(40000)),
		MemFreeMB: ptr(int64(2048)), MemMB: ptr(int64(8192)), Modules: []string{"hba7"},
	}}
}

func find(reasons []plan.Reason, term string) (plan.Reason, bool) {
	i := slices.IndexFunc(reasons, func(r plan.Reason) bool { return r.Term == term })
	if i < 0 {
		return plan.Reason{}, false
	}
	return reasons[i], true
}

func TestDeployByRules(t *testing.T) {
	r, reasons := deploy(quiet(), healthy(), "web", nil, History{Ladder: RulesOnly}, now)
	want := plan.Risk{P: 0.02, Low: 0.00014, High: 0.08154, Source: FromRules}
	if r.P != want.P || r.Source != want.Source || r.Low > 0.001 || r.High < 0.05 || r.High > 0.12 {
		t.Errorf("deploy() = %+v, want about %+v", r, want)
	}
	if len(reasons) != 2 {
		t.Errorf("reasons %v, want the base rate and the interval alone", reasons)
	}
}

// Each term by itself: what sets it, and by how much.
func TestTerms(t *testing.T) {
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	issue := func(k advisory.KnownIssue) func(*Patch, *inventory.Host) {
		return func(p *Patch, _ *inventory.Host) { p.Advisories[0].KnownIssues = []advisory.KnownIssue{k} }
	}
	cves := func(n int) func(*Patch, *inventory.Host) {
		return func(p *Patch, _ *inventory.Host) {
			for i := range n {
				p.Advisories[0].CVEs = append(p.Advisories[0].CVEs, advisory.CVE{ID: fmt.Sprint("CVE-1-", i)})
			}
		}
	}
	for _, c := range []struct {
		name   string
		set    func(*Patch, *inventory.Host)
		term   string
		effect float64
	}{
		{"feature", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Kind = advisory.Feature }, "kind", 0.5},
		{"bugfix", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Kind = advisory.Bugfix }, "kind", 0.1},
		{"major of a distribution", func(p *Patch, _ *inventory.Host) { p.From = "2.9-1" }, "version jump", 0.3},
		{"epoch", func(p *Patch, _ *inventory.Host) { p.From = "1:3.0.15-1~deb12u1" }, "version jump", 0.3},
		{"minor elsewhere", func(p *Patch, _ *inventory.Host) { p.ID, p.From, p.To = "generic:x@4.2.2", "v4.1.9", "4.2.2" }, "version jump", 0.3},
		{"major elsewhere", func(p *Patch, _ *inventory.Host) { p.ID, p.From, p.To = "generic:x@4.2.2", "3.9", "4.2.2" }, "version jump", 0.9},
		{"no version to move from", func(p *Patch, _ *inventory.Host) { p.From = "" }, "version jump", 0.1},
		{"revision", func(p *Patch, _ *inventory.Host) { p.From = "3.0.15-0" }, "version jump", 0},
		{"reboot", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Reboot = ptr(true) }, "reboot", 0.4},
		{"no reboot", func(p *Patch, _ *inventory.Host) { p.Package = "linux"; p.Advisories[0].Reboot = ptr(false) }, "reboot", 0},
		{"kernel", func(p *Patch, _ *inventory.Host) { p.Package = "linux-image-amd64" }, "reboot", 0.4},
		{"windows", func(p *Patch, _ *inventory.Host) { p.ID = "windows:KB5034441@KB5034441" }, "reboot", 0.4},
		{"large", func(p *Patch, _ *inventory.Host) { p.Advisories[0].SizeBytes = 200_000_000 }, "size", 0.3},
		{"four CVEs", cves(4), "cves at once", 0.4},
		{"two CVEs", cves(2), "cves at once", 0},
		{"components", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Components = []string{"a", "b", "c", "d"} }, "components", 0.2},
		{"fresh", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Published = day(1) }, "age", 0.3},
		{"two weeks old", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Published = day(14) }, "age", 0.15},
		{"undated", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Published = time.Time{} }, "age", 0.3},
		{"reports", func(p *Patch, _ *inventory.Host) { p.Advisories[0].Reports = 4 }, "reports", 0.8},
		{"issue of everybody", issue(advisory.KnownIssue{Text: "breaks"}), "known issue", 1.5},
		{"issue of this module", issue(advisory.KnownIssue{Text: "breaks", Module: "HBA7"}), "known issue", 3},
		{"issue of another module", issue(advisory.KnownIssue{Text: "breaks", Module: "hba8"}), "known issue", 0},
		{"issue of this role", issue(advisory.KnownIssue{Text: "breaks", Role: "web"}), "known issue", 3},
		{"issue of this module on another role", issue(advisory.KnownIssue{Text: "breaks", Module: "hba7", Role: "db"}), "known issue", 0},
		{"issue of a module, modules unknown", func(p *Patch, h *inventory.Host) {
			h.Facts.Modules = nil
			issue(advisory.KnownIssue{Text: "breaks", Module: "hba7"})(p, h)
		}, "known issue", 1.5},
		{"issue resolved", issue(advisory.KnownIssue{Text: "broke", Resolved: ptr(day(1))}), "known issue", 0},
		{"issue of the future", issue(advisory.KnownIssue{Text: "breaks", At: day(-1)}), "known issue", 0},
		{"drift", func(_ *Patch, h *inventory.Host) { h.Facts.Drift = ptr(true) }, "drift", 0.5},
		{"little disk", func(_ *Patch, h *inventory.Host) { h.Facts.DiskFreeMB = ptr(int64(1500)) }, "disk", 0.6},
		{"little memory", func(_ *Patch, h *inventory.Host) { h.Facts.MemFreeMB = ptr(int64(100)) }, "memory", 0.3},
		{"reboot pending", func(_ *Patch, h *inventory.Host) { h.Facts.RebootPending = ptr(true) }, "reboot pending", 0.4},
		{"long up", func(_ *Patch, h *inventory.Host) { h.Facts.UptimeS = ptr(int64(200 * 86400)) }, "uptime", 0.3},
		{"a year up", func(_ *Patch, h *inventory.Host) { h.Facts.UptimeS = ptr(int64(400 * 86400)) }, "uptime", 0.5},
		{"two facts missing", func(_ *Patch, h *inventory.Host) { h.Facts.Drift, h.Facts.MemFreeMB = nil, nil }, "host facts", 0.2},
		{"all facts missing", func(_ *Patch, h *inventory.Host) { h.Facts = nil }, "host facts", 0.5},
	} {
		p, h := quiet(), healthy()
		c.set(&p, h)
		r, reasons := deploy(p, h, "web", nil, History{Ladder: RulesOnly}, now)
		got, ok := find(reasons, c.term)
		if got.Effect != c.effect || ok != (c.effect != 0) {
			t.Errorf("%s: %s = %+v, want effect %v", c.name, c.term, got, c.effect)
		}
		extra := 0.0
		for _, x := range reasons {
			if x.Term != "base rate" && x.Term != c.term {
				extra += x.Effect
			}
		}
		if c.term != "version jump" && c.term != "reboot" && extra != 0 {
			t.Errorf("%s: other terms add %v: %v", c.name, extra, reasons)
		}
		if want := exact.Round5(exact.Expit(Sum(reasons))); r.P != want {
			t.Errorf("%s: p %v, want %v", c.name, r.P, want)
		}
	}
}

// The patch as a whole says that some hosts are in danger, before any is known.
func TestDeployAsAWhole(t *testing.T) {
	p := quiet()
	p.Advisories[0].KnownIssues = []advisory.KnownIssue{{Text: "breaks", Module: "hba7"}}
	whole, _ := deploy(p, nil, "", nil, History{}, now)
	hit, _ := deploy(p, healthy(), "web", nil, History{}, now)
	other := healthy()
	other.Facts.Modules = []string{}
	miss, _ := deploy(p, other, "web", nil, History{}, now)
	if !(miss.P < whole.P && whole.P < hit.P) {
		t.Errorf("without the module %v, as a whole %v, with it %v: want them in this order", miss.P, whole.P, hit.P)
	}
}

// risky is a random patch, host and role.
func risky(r *rand.Rand) (Patch, *inventory.Host, string) {
	maybe := func() *bool { return []*bool{nil, ptr(true), ptr(false)}[r.Intn(3)] }
	mb := func() *int64 { return []*int64{nil, ptr(int64(100)), ptr(int64(5000))}[r.Intn(3)] }
	p := Patch{ID: "deb:p1@2", Package: fmt.Sprint("p", r.Intn(14)), Vendor: []string{"Debian", "Heron", "Other"}[r.Intn(3)], From: "1.2.3", To: "1.3"}
	for i := range r.Intn(3) {
		a := &advisory.Advisory{ID: fmt.Sprint("A", i), Kind: []advisory.Kind{advisory.Security, advisory.Feature}[r.Intn(2)], Reboot: maybe(), Reports: r.Intn(12),
			SizeBytes: int64(r.Intn(3)) * 60_000_000, Published: now.AddDate(0, 0, -r.Intn(40))}
		for k := range r.Intn(6) {
			a.KnownIssues = append(a.KnownIssues, advisory.KnownIssue{Text: fmt.Sprint("issue ", k), Module: []string{"", "hba7"}[r.Intn(2)], Role: []string{"", "db"}[r.Intn(2)]})
			a.CVEs = append(a.CVEs, advisory.CVE{ID: fmt.Sprint("CVE-1-", k)})
		}
		p.Advisories = append(p.Advisories, a)
	}
	role := []string{"", "web", "db"}[r.Intn(3)]
	switch r.Intn(6) {
	case 0:
		return p, nil, role
	case 1:
		return p, &inventory.Host{ID: "silent"}, role
	}
	return p, &inventory.Host{ID: "h", Facts: &inventory.Facts{Drift: maybe(), RebootPending: maybe(), DiskFreeMB: mb(), MemFreeMB: mb(), UptimeS: mb(),
		Modules: [][]string{nil, {}, {"hba7"}}[r.Intn(3)]}}, role
}

// Reasons add up to the score; intervals hold it; until the record is trusted it
// only adds caution; and a scorer says what Deploy says.
func TestDeployProperties(t *testing.T) {
	r := rand.New(rand.NewSource(12))
	mixed := fit(t, someTrials(13, 900))
	imported := *mixed
	imported.Own = 0
	for range 1000 {
		p, h, role := risky(r)
		model := []*TrackRecord{nil, mixed, &imported}[r.Intn(3)]
		history := History{Ladder: []Ladder{RulesOnly, Shadow, Advisory}[r.Intn(3)], Months: 4}
		rules, _ := deploy(p, h, role, nil, history, now)
		got, reasons := deploy(p, h, role, model, history, now)

		logOdds := exact.Logit(exact.Expit(Sum(reasons)))
		if math.Abs(Sum(reasons)-logOdds) > 1e-12*math.Max(1, math.Abs(logOdds)) || got.P != exact.Round5(exact.Expit(Sum(reasons))) {
			t.Fatalf("reasons add up to %v, the score's log-odds are %v, p %v", Sum(reasons), logOdds, got.P)
		}
		if !(0 <= got.Low && got.Low <= got.P && got.P <= got.High && got.High <= 1) {
			t.Fatalf("interval %+v", got)
		}
		trusted := history.Ladder == Advisory && model != nil && model.Own > 0
		if !trusted && (got.P < rules.P || got.High < rules.High) {
			t.Fatalf("an untrusted record lowers %+v to %+v", rules, got)
		}
		_, told := find(reasons, "shadow")
		if told != (model != nil && !trusted) {
			t.Fatalf("shadow told: %v; ladder %s, model %v", told, history.Ladder, model != nil)
		}
		source := FromRules
		if _, used := find(reasons, "track record"); used {
			source = map[bool]string{true: FromPrior, false: FromModel}[model.Own == 0]
		}
		if got.Source != source {
			t.Fatalf("source %s, want %s", got.Source, source)
		}
		scorer := newScorer(p, model, history, now)
		for range 2 {
			again, why := scorer.Score(h, role)
			if again != got || cmp.Diff(why, reasons) != "" {
				t.Fatalf("scorer says %+v, Deploy %+v", again, got)
			}
		}
		slices.Reverse(p.Advisories)
		if again, _ := deploy(p, h, role, model, history, now); again != got {
			t.Fatalf("the order of advisories matters: %+v, %+v", again, got)
		}
	}
}

// A trusted record may lower the score as well, and both intervals tell how much
// is behind it.
func TestDeployWithRecord(t *testing.T) {
	own := History{Ladder: Advisory, Months: 8, Outcomes: 300}
	good := fit(t, append(trialsOf("openssl", "web", 300, 0), trialsOf("exchange", "mail", 22, 4)...))
	r, reasons := deploy(quiet(), healthy(), "web", good, own, now)
	if r.P >= 0.01 || r.High >= 0.05 || r.Source != FromModel {
		t.Errorf("300 of 300 good: %+v %v, want below the rules' 2 %%", r, reasons)
	}
	exchange := Patch{ID: "windows:exchange@KB1", Package: "exchange", Vendor: "Debian", Advisories: quiet().Advisories}
	few, reasons := deploy(exchange, nil, "mail", good, own, now)
	many, _ := deploy(exchange, nil, "mail", fit(t, append(trialsOf("openssl", "web", 300, 0), trialsOf("exchange", "mail", 220, 40)...)), own, now)
	t.Logf("18 of 22 good: %+v; 180 of 220 good: %+v", few, many)
	if few.P < 0.04 || many.P <= few.P || many.High/many.Low >= few.High/few.Low {
		t.Errorf("few %+v, many %+v: want many higher and surer", few, many)
	}
	if got, _ := find(reasons, "track record"); !strings.Contains(got.Value, "exchange on mail: 4 of 22 failed") || !strings.Contains(got.Value, "weight 0.52") {
		t.Errorf("track record = %q, want counts and weight", got.Value)
	}
	unseen := quiet()
	unseen.Package, unseen.Vendor = "nginx", "Debian"
	if _, reasons := deploy(unseen, nil, "", good, own, now); !slices.ContainsFunc(reasons, func(r plan.Reason) bool { return strings.Contains(r.Value, "other packages of Debian") }) {
		t.Errorf("reasons %v, want the vendor's record", reasons)
	}
}

func TestTest(t *testing.T) {
	issue := plan.Reason{Term: "known issue", Effect: 1.5}
	for _, c := range []struct {
		r         plan.Risk
		tolerance float64
		reasons   []plan.Reason
		want      string
	}{
		{plan.Risk{P: 0.2, Low: 0.1, High: 0.3, Source: FromModel}, 0.03, nil, "sandbox"},
		{plan.Risk{P: 0.2, Low: 0.1, High: 0.3, Source: FromModel}, 0.05, nil, "canary"},
		{plan.Risk{P: 0.001, Low: 0, High: 0.009, Source: FromModel}, 0.01, nil, "fast"},
		{plan.Risk{P: 0.001, Low: 0, High: 0.009, Source: FromRules}, 0.01, nil, "canary"},
		{plan.Risk{P: 0.001, Low: 0, High: 0.009, Source: FromModel}, 0.01, []plan.Reason{issue}, "sandbox"},
		{plan.Risk{P: 0.2, Low: 0.1, High: 0.3, Source: FromRules}, 0, nil, "canary"},
	} {
		if got := Test(c.r, c.tolerance, c.reasons...); got != c.want {
			t.Errorf("Test(%+v, %v, %v) = %s, want %s", c.r, c.tolerance, c.reasons, got, c.want)
		}
	}
}

func BenchmarkScorer(b *testing.B) {
	m, err := Fit(someTrials(14, 900), now)
	if err != nil {
		b.Fatal(err)
	}
	s := newScorer(quiet(), m, History{Ladder: Advisory}, now)
	h := healthy()
	b.ReportAllocs()
	for b.Loop() {
		s.Score(h, "web")
	}
}

func BenchmarkDeploy(b *testing.B) {
	m, err := Fit(someTrials(14, 900), now)
	if err != nil {
		b.Fatal(err)
	}
	h := healthy()
	b.ReportAllocs()
	for b.Loop() {
		deploy(quiet(), h, "web", m, History{Ladder: Advisory}, now)
	}
}
