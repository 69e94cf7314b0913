package clock

import (
	"encoding/csv"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

const (
	totalVector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" // 9.8
	localLow    = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N" // 1.8
	medium      = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N" // 6.1
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

var published = at("2026-03-02T09:00:00Z")

// fix is an advisory with one CVE.
func fix(c advisory.CVE) *advisory.Advisory {
	c.ID = "CVE-2026-0001"
	return &advisory.Advisory{ID: "ADV-1", Kind: advisory.Security, Published: published, CVEs: []advisory.CVE{c}}
}

// nothingKnown is feeds that are there and list nothing.
func nothingKnown() *advisory.Knowledge {
	return &advisory.Knowledge{
		Exploited: map[string]advisory.Exploited{}, Forecasts: map[string]advisory.Forecast{}, Assessments: map[string]advisory.Assessment{},
	}
}

func facts(c advisory.CVE) Facts {
	return Facts{
		Advisories: []*advisory.Advisory{fix(c)}, Knowledge: nothingKnown(),
		At: at("2026-03-03T00:00:00Z"), Detected: at("2026-03-02T12:00:00Z"), Exposure: "internal", Impact: "medium",
	}
}

func rows(t *testing.T, text string, want int) [][]string {
	t.Helper()
	list, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != want+1 {
		t.Fatalf("%d rows, want %d", len(list)-1, want)
	}
	return list[1:]
}

func clockOf(v Verdict, name string) (Clock, bool) {
	i := slices.IndexFunc(v.Clocks, func(c Clock) bool { return c.Name == name })
	if i < 0 {
		return Clock{}, false
	}
	return v.Clocks[i], true
}

func reasonOf(v Verdict, term string) string {
	i := slices.IndexFunc(v.Reasons, func(r plan.Reason) bool { return r.Term == term })
	if i < 0 {
		return ""
	}
	return v.Reasons[i].Value
}

// Every row of the deployer table is answered as the table says, through Judge.
func TestSSVCTable(t *testing.T) {
	estate := map[string]string{"open": "internet", "controlled": "internal", "small": "isolated"}
	spans := map[string]time.Duration{"immediate": 24 * time.Hour, "out-of-cycle": 7 * 24 * time.Hour, "scheduled": 30 * 24 * time.Hour, "defer": 90 * 24 * time.Hour}
	for _, r := range rows(t, ssvcCSV, 72) {
		f := facts(advisory.CVE{Exploitation: r[1], Automatable: r[3], TechnicalImpact: "partial", Vectors: []string{localLow}})
		f.Exposure, f.Impact = estate[r[2]], r[4]
		v := Judge(f)
		c, ok := clockOf(v, SSVC)
		if !ok || c.Span != spans[r[5]] || c.Start != published || !strings.HasPrefix(reasonOf(v, "ssvc"), r[5]+" by row "+r[0]) {
			t.Errorf("row %q: clock %+v, reason %q", r, c, reasonOf(v, "ssvc"))
		}
		if plan.Rank(v.Class) > plan.Rank(outcomes[r[5]]) {
			t.Errorf("row %q: class %s is laxer than SSVC's", r, v.Class)
		}
	}
}

// Every row of BOD 26-04 is answered as the table says, through Judge.
func TestBODTable(t *testing.T) {
	days := map[string]time.Duration{"3 days": 72, "3 days & forensic investigation": 72, "14 days": 14 * 24, "60 days": 60 * 24}
	for _, r := range rows(t, bodCSV, 16) {
		f := facts(advisory.CVE{Exploitation: "none", Automatable: r[3], TechnicalImpact: r[4], Vectors: []string{localLow}})
		f.Exposure = map[string]string{"yes": "internet", "no": "internal"}[r[2]]
		if r[1] == "yes" {
			f.Knowledge.Exploited["CVE-2026-0001"] = advisory.Exploited{CVE: "CVE-2026-0001", Added: published}
		}
		v := Judge(f)
		c, ok := clockOf(v, BOD2604)
		if r[5] == "fix on system upgrade" {
			if ok {
				t.Errorf("row %q sets clock %+v, want none", r, c)
			}
		} else if !ok || c.Span != days[r[5]]*time.Hour || c.Deadline != published.Add(c.Span) {
			t.Errorf("row %q: clock %+v %v", r, c, ok)
		}
		if got := reasonOf(v, BOD2604); !strings.HasPrefix(got, r[5]+" by row "+r[0]) {
			t.Errorf("row %q: reason %q", r, got)
		}
		if v.KnownExploited != (r[1] == "yes") {
			t.Errorf("row %q: known exploited %v", r, v.KnownExploited)
		}
	}
}

// The worked case: a mail server's patch on five different days.
func TestWorkedCase(t *testing.T) {
	for _, day := range []string{"2026-02-28T22:00:00Z", "2026-03-01T12:00:00Z", "2026-03-02T09:00:00Z", "2026-03-04T10:00:00Z", "2026-03-06T12:00:00Z"} {
		f := facts(advisory.CVE{Vectors: []string{totalVector}, Exploitation: "public poc", Automatable: "no", TechnicalImpact: "total"})
		f.Exposure, f.Impact = "internet", "very high"
		f.Advisories[0].Published = at(day)
		f.Advisories[0].Deadline = at(day).Add(72 * time.Hour)
		f.At = at(day)
		f.SLA = map[string]time.Duration{"critical": 24 * time.Hour, "high": 7 * 24 * time.Hour, "standard": 30 * 24 * time.Hour, "low": 90 * 24 * time.Hour}
		v := Judge(f)
		if v.Class != plan.High || v.Clock != Vendor || v.Deadline != at(day).Add(72*time.Hour) || v.Start != at(day) || v.From != Published || v.KnownExploited {
			t.Errorf("%s: Judge() = %s %s by %s from %s %s", day, v.Class, v.Deadline, v.Clock, v.Start, v.From)
		}
		for name, want := range map[string]time.Duration{SSVC: 7 * 24 * time.Hour, BOD2604: 14 * 24 * time.Hour, Vendor: 72 * time.Hour, Class: 7 * 24 * time.Hour, SLA: 7 * 24 * time.Hour} {
			if c, ok := clockOf(v, name); !ok || c.Span != want {
				t.Errorf("%s: %s clock = %v, want %v", day, name, c.Span, want)
			}
		}
		for _, r := range v.Reasons {
			if strings.Contains(r.Value, "missing") && r.Term != "epss" {
				t.Errorf("%s: %s: %s; nothing is missing here", day, r.Term, r.Value)
			}
		}
	}
}

func TestClasses(t *testing.T) {
	listed := func(added string) func(*Facts) {
		return func(f *Facts) {
			f.Knowledge.Exploited["CVE-2026-0001"] = advisory.Exploited{CVE: "CVE-2026-0001", Added: at(added)}
		}
	}
	assessed := advisory.CVE{Exploitation: "none", Automatable: "no", TechnicalImpact: "partial"}
	with := func(vectors ...string) advisory.CVE {
		c := assessed
		c.Vectors = vectors
		return c
	}
	for _, c := range []struct {
		name  string
		cve   advisory.CVE
		set   func(*Facts)
		class plan.Class
		clock string
		due   time.Duration // from publication
	}{
		{"low everywhere", with(localLow), func(f *Facts) { f.Exposure, f.Impact = "isolated", "low" }, plan.Low, SSVC, 90 * day},
		{"medium severity", with(medium), func(f *Facts) { f.Exposure, f.Impact = "isolated", "low" }, plan.Standard, Class, 30 * day},
		{"high severity", with(totalVector), func(f *Facts) {}, plan.High, Class, 7 * day},
		{"no severity", with(), func(f *Facts) {}, plan.High, Class, 7 * day},
		{"forecast raises", with(localLow), func(f *Facts) {
			f.Knowledge.Forecasts["CVE-2026-0001"] = advisory.Forecast{P: 0.1, At: published}
		}, plan.High, Class, 7 * day},
		{"forecast of the future does not", with(localLow), func(f *Facts) {
			f.Knowledge.Forecasts["CVE-2026-0001"] = advisory.Forecast{P: 0.1, At: published.Add(9 * day)}
		}, plan.Standard, SSVC, 30 * day},
		{"listed and exposed", with(medium), func(f *Facts) { f.Exposure = "internet"; listed("2026-03-02T00:00:00Z")(f) }, plan.Critical, Class, day},
		{"listed, exposure unknown", with(medium), func(f *Facts) { f.Exposure = ""; listed("2026-03-02T00:00:00Z")(f) }, plan.Critical, Class, day},
		{"listed and internal", with(medium), listed("2026-03-02T00:00:00Z"), plan.High, Class, 7 * day},
		{"listed later", with(medium), func(f *Facts) {
			f.Exposure = "internet"
			f.At = published.Add(20 * day)
			listed("2026-03-12T00:00:00Z")(f)
		},
			plan.Critical, Class, 9*day + 15*time.Hour + day},
		{"listed long after a stricter clock", with(totalVector), func(f *Facts) {
			f.Exposure = "internet"
			f.At = published.Add(90 * day)
			listed("2026-05-12T00:00:00Z")(f)
		},
			plan.Critical, Class, 7 * day},
		{"listed after this plan's time", with(medium), listed("2026-03-12T00:00:00Z"), plan.Standard, SSVC, 30 * day},
		{"SLA tightens the class", with(medium), func(f *Facts) { f.SLA = map[string]time.Duration{"standard": 3 * day} }, plan.High, SLA, 3 * day},
		{"SLA of a laxer class holds", with(totalVector), func(f *Facts) {
			f.SLA = map[string]time.Duration{"critical": 20 * day, "high": 10 * day, "standard": 2 * day}
		}, plan.High, SLA, 2 * day},
		{"vendor's day is past", with(medium), func(f *Facts) { f.Advisories[0].Deadline = published.Add(-day) }, plan.Critical, Vendor, -day},
		{"vendor's date is far", with(medium), func(f *Facts) { f.Advisories[0].Deadline = published.Add(400 * day) }, plan.Standard, SSVC, 30 * day},
		{"bugfix", advisory.CVE{}, func(f *Facts) { f.Advisories[0].CVEs, f.Advisories[0].Kind = nil, advisory.Bugfix }, plan.Standard, Class, 30 * day},
		{"feature", advisory.CVE{}, func(f *Facts) { f.Advisories[0].CVEs, f.Advisories[0].Kind = nil, advisory.Feature }, plan.Low, Class, 90 * day},
		{"no advisory", advisory.CVE{}, func(f *Facts) { f.Advisories = nil }, plan.Standard, Class, 30*day + 3*time.Hour},
		{"security without a CVE", advisory.CVE{}, func(f *Facts) { f.Advisories[0].CVEs = nil }, plan.High, Class, 7 * day},
	} {
		f := facts(c.cve)
		c.set(&f)
		v := Judge(f)
		if v.Class != c.class || v.Clock != c.clock || !v.Deadline.Equal(published.Add(c.due)) {
			t.Errorf("%s: Judge() = %s by %s in %v, want %s by %s in %v\n%v", c.name, v.Class, v.Clock, v.Deadline.Sub(published), c.class, c.clock, c.due, v.Clocks)
		}
	}
}

// What is missing takes the worse value, and its reason says so.
func TestMissing(t *testing.T) {
	bare := facts(advisory.CVE{})
	bare.Exposure, bare.Impact, bare.Knowledge = "", "", nil
	v := Judge(bare)
	if v.Class != plan.Critical || v.KnownExploited {
		t.Errorf("with nothing known: %s, known exploited %v; want critical, false", v.Class, v.KnownExploited)
	}
	for _, term := range []string{"kev", "cvss", "epss", "ssvc exploitation", "ssvc exposure", "ssvc automatable", "ssvc human impact",
		"bod-26-04 in kev", "bod-26-04 exposed", "bod-26-04 automatable", "bod-26-04 technical impact"} {
		if got := reasonOf(v, term); !strings.Contains(got, "missing") {
			t.Errorf("reason %q = %q, want it to say that it is missing", term, got)
		}
	}
	if got := reasonOf(v, "kev"); !strings.Contains(got, "declare a kev feed") {
		t.Errorf("reason kev = %q, want a remedy", got)
	}

	derived := facts(advisory.CVE{Vectors: []string{totalVector}})
	v = Judge(derived)
	for term, want := range map[string]string{
		"ssvc exploitation":          "public poc (missing: not in KEV, and no assessment; taken as public poc)",
		"ssvc automatable":           "yes (derived from " + totalVector + ")",
		"bod-26-04 technical impact": "total (derived from " + totalVector + ")",
		"bod-26-04 in kev":           "no",
		"kev":                        "none of 1 listed",
	} {
		if got := reasonOf(v, term); got != want {
			t.Errorf("reason %q = %q, want %q", term, got, want)
		}
	}

	undated := facts(advisory.CVE{})
	undated.Advisories[0].Published = time.Time{}
	if v := Judge(undated); v.From != Detected || v.Start != undated.Detected {
		t.Errorf("with no date: from %s at %s, want detected", v.From, v.Start)
	}
	undated.Detected = time.Time{}
	if v := Judge(undated); v.From != Detected || v.Start != undated.At {
		t.Errorf("with no date at all: from %s at %s, want the plan's time", v.From, v.Start)
	}
}

// A second source may make it worse, never better.
func TestSourcesTakeTheWorse(t *testing.T) {
	f := facts(advisory.CVE{Exploitation: "none", Automatable: "no", TechnicalImpact: "partial"})
	f.Knowledge.Assessments["CVE-2026-0001"] = advisory.Assessment{Exploitation: "Active", Automatable: "yes", TechnicalImpact: "total", At: published}
	v := Judge(f)
	if !v.KnownExploited || reasonOf(v, "ssvc automatable") != "yes (assessed)" || reasonOf(v, "bod-26-04 technical impact") != "total (assessed)" {
		t.Errorf("an assessment that is worse is not taken: %v", v.Reasons)
	}
	f.Knowledge.Assessments["CVE-2026-0001"] = advisory.Assessment{Exploitation: "active", At: f.At.Add(time.Hour)}
	if v := Judge(f); v.KnownExploited {
		t.Error("an assessment of the future counts, want not")
	}
}

func TestHistoricProfiles(t *testing.T) {
	f := facts(advisory.CVE{Vectors: []string{totalVector}, Exploitation: "none", Automatable: "no", TechnicalImpact: "partial"})
	f.Exposure = "internet"
	f.Knowledge.Exploited["CVE-2026-0001"] = advisory.Exploited{Added: published, Due: published.Add(21 * day)}
	for _, c := range []struct {
		profile string
		clock   string
		span    time.Duration
		from    time.Time
	}{
		{"", BOD2604, 14 * day, published},
		{BOD2604, BOD2604, 14 * day, published},
		{BOD2201, BOD2201, 21 * day, published},
		{BOD1902, BOD1902, 15 * day, f.Detected},
		{"bod-99", BOD2604, 14 * day, published},
	} {
		f.Profile = c.profile
		v := Judge(f)
		got, ok := clockOf(v, c.clock)
		if !ok || got.Span != c.span || got.Start != c.from {
			t.Errorf("profile %q: %s clock = %+v %v, want %v from %v", c.profile, c.clock, got, ok, c.span, c.from)
		}
		for _, other := range []string{BOD2604, BOD2201, BOD1902} {
			if _, ok := clockOf(v, other); ok && other != c.clock {
				t.Errorf("profile %q has a clock of %s too", c.profile, other)
			}
		}
	}
	f.Profile, f.Exposure = BOD1902, "internal"
	if _, ok := clockOf(Judge(f), BOD1902); ok {
		t.Error("BOD 19-02 speaks of what the Internet cannot reach")
	}
}

// The strictest of several CVEs and advisories decides, and is named.
func TestSeveral(t *testing.T) {
	f := facts(advisory.CVE{})
	mild := &advisory.Advisory{ID: "ADV-2", Kind: advisory.Security, Published: published.Add(-40 * day),
		CVEs: []advisory.CVE{{ID: "CVE-2025-9", Vectors: []string{localLow}, Exploitation: "none", Automatable: "no", TechnicalImpact: "partial"}}}
	severe := &advisory.Advisory{ID: "ADV-3", Kind: advisory.Security, Published: published, Deadline: published.Add(10 * day),
		CVEs: []advisory.CVE{{ID: "CVE-2026-7", Vectors: []string{totalVector}, Exploitation: "public poc", Automatable: "yes", TechnicalImpact: "total"}}}
	f.Advisories = []*advisory.Advisory{severe, mild}
	v := Judge(f)
	if v.Class != plan.High {
		t.Errorf("class %s, want high", v.Class)
	}
	// The mild one was published 40 days ago: its 30 days of SSVC end first.
	if v.Clock != SSVC || !strings.Contains(reasonOf(v, "clock"), "CVE-2025-9") || !v.Deadline.Equal(published.Add(-10*day)) {
		t.Errorf("binds %s at %s: %q", v.Clock, v.Deadline, reasonOf(v, "clock"))
	}
	if got := reasonOf(v, "class"); !strings.Contains(got, "CVE-2026-7") {
		t.Errorf("reason class = %q, want the CVE that decided", got)
	}
	if c, _ := clockOf(v, Vendor); !strings.Contains(c.Because, "ADV-3") {
		t.Errorf("vendor's clock is because %q, want its advisory", c.Because)
	}
}

// Order of advisories and CVEs changes nothing; more knowledge of exploitation
// never gives more time.
func TestProperties(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	one := func(list ...string) string { return list[r.Intn(len(list))] }
	for range 2000 {
		f := Facts{At: published.Add(time.Duration(r.Intn(60)) * day), Detected: published, Exposure: one("internet", "internal", "isolated", ""),
			Impact: one("low", "medium", "high", "very high", ""), Knowledge: nothingKnown()}
		for i := range 1 + r.Intn(3) {
			a := &advisory.Advisory{ID: one("A", "B", "C") + string(rune('0'+i)), Kind: advisory.Security, Published: published.Add(time.Duration(r.Intn(30)) * day)}
			for range r.Intn(3) {
				a.CVEs = append(a.CVEs, advisory.CVE{ID: one("CVE-1-1", "CVE-1-2", "CVE-1-3"), Vectors: []string{one(totalVector, localLow, medium, "none")},
					Exploitation: one("", "none", "public poc", "active"), Automatable: one("", "yes", "no"), TechnicalImpact: one("", "total", "partial")})
			}
			if r.Intn(4) == 0 {
				a.Deadline = a.Published.Add(time.Duration(r.Intn(20)) * day)
			}
			f.Advisories = append(f.Advisories, a)
		}
		v := Judge(f)
		g := f
		g.Advisories = slices.Clone(f.Advisories)
		slices.Reverse(g.Advisories)
		if diff := cmp.Diff(v, Judge(g)); diff != "" {
			t.Fatalf("the order of advisories matters: %s", diff)
		}
		for i, c := range v.Clocks {
			if i > 0 && c.Deadline.Before(v.Clocks[i-1].Deadline) || !c.Deadline.Equal(c.Start.Add(c.Span)) {
				t.Fatalf("clocks out of order or apart: %+v", v.Clocks)
			}
		}
		if plan.Rank(v.Class) > plan.Rank(Implied(v.Clocks[0].Span)) {
			t.Fatalf("class %s, but %v bind", v.Class, v.Clocks[0].Span)
		}
		g.Knowledge = nothingKnown()
		g.Knowledge.Exploited["CVE-1-1"] = advisory.Exploited{Added: published.Add(time.Duration(r.Intn(80)) * day)}
		if w := Judge(g); w.Deadline.After(v.Deadline) || plan.Rank(w.Class) > plan.Rank(v.Class) {
			t.Fatalf("a listing loosens: %s %s, before %s %s", w.Class, w.Deadline, v.Class, v.Deadline)
		}
	}
}
