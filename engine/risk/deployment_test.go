package risk

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Tests fit models over and over on little data: collecting garbage a fifth as often
// is a fifth of their time.
func init() { debug.SetGCPercent(500) }

// A small year and what is learnt from it, made once.
var (
	small      *year
	smallLearn *Deployment
)

func smallYear(t testing.TB) *year {
	if small == nil {
		small = newYear(t, 0, 200, 94)
	}
	return small
}

func smallModel(t testing.TB) *Deployment {
	t.Helper()
	y := smallYear(t)
	if smallLearn == nil {
		var err error
		if smallLearn, err = FitDeployment(y.trials, y.begin.AddDate(1, 1, 0), DeploymentOptions{Commits: []string{"b", "a"}}); err != nil {
			t.Fatal(err)
		}
	}
	return smallLearn
}

// random is a random row of history that knows some things and not others.
func randomRow(r *rand.Rand, i int) outcome.Imported {
	some := func(n int64) *int64 {
		if r.Intn(3) == 0 {
			return nil
		}
		return ptr(r.Int63n(n))
	}
	yes := func() *bool {
		if r.Intn(3) == 0 {
			return nil
		}
		return ptr(r.Intn(2) == 0)
	}
	name := fmt.Sprint("pkg", r.Intn(8))
	row := outcome.Imported{
		At: hours(i), Host: inventory.HostID(fmt.Sprint("h", r.Intn(40))), Patch: fmt.Sprintf("generic:%s@%d.%d", name, 1+r.Intn(3), r.Intn(4)), Package: name,
		Vendor: []string{"Heron", "Osprey", ""}[r.Intn(3)], Event: outcome.Healthy, Kind: []string{"security", "feature", ""}[r.Intn(3)],
		SizeBytes: some(500e6), Reboot: yes(), Drift: yes(), UptimeS: some(400 * 86400), MemFreeMB: some(3000), DiskFreeMB: some(9000),
		Role: []string{"web", "db", ""}[r.Intn(3)], Env: []string{"prod", ""}[r.Intn(2)], From: "1.0",
	}
	for _, m := range []string{"hba7", "nicx"} {
		if r.Intn(3) == 0 {
			row.Modules = append(row.Modules, m)
		}
	}
	if r.Intn(2) == 0 {
		row.Components = []string{"tls", "net"}[:1+r.Intn(2)]
	}
	if r.Float64() < 0.04 || row.Vendor == "Heron" && slices.Contains(row.Modules, "hba7") && r.Float64() < 0.4 {
		row.Event = outcome.Failed
	}
	return row
}

func randomTrials(seed int64, n int) []Trial {
	r := rand.New(rand.NewSource(seed))
	var rows []outcome.Imported
	for i := range n {
		rows = append(rows, randomRow(r, i))
	}
	return Trials(nil, rows, false)
}

// The whole file again, whatever the order of trials; read and written again it
// is the same, to the byte.
func TestDeploymentBytes(t *testing.T) {
	trials := randomTrials(1, 1100)
	at := hours(100000)
	m, err := FitDeployment(trials, at, DeploymentOptions{Commits: []string{"c2", "c1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := m.Bytes()
	{
		shuffled := slices.Clone(trials)
		rand.New(rand.NewSource(2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, err := FitDeployment(shuffled, at, DeploymentOptions{Commits: []string{"c1", "c2"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("the order of trials matters: %s", cmp.Diff(string(want), string(got)))
		}
	}
	parsed, err := ParseDeployment(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := parsed.Bytes(); !bytes.Equal(got, want) {
		t.Errorf("read and written again: %s", cmp.Diff(string(want), string(got)))
	}
	if len(m.Pairs) == 0 || m.Pairs[0].Patch != "vendor Heron" || m.Pairs[0].Host != "module hba7" {
		t.Errorf("incompatibilities %v, want Heron with hba7 first", m.Pairs)
	}
}

// Reasons add up to the score, the interval holds it, and a model that was written
// and read again says the same.
func TestOutlookAddsUp(t *testing.T) {
	m := smallModel(t)
	read, err := ParseDeployment(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	y := smallYear(t)
	r := rand.New(rand.NewSource(3))
	record, err := Fit(y.trials, y.begin.AddDate(1, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	questions := 25
	if os.Getenv("RINGMASTER_LONG") != "" {
		questions = 80
	}
	for range questions {
		c := y.changes[r.Intn(len(y.changes))]
		q := Question{Patch: c.patch.Patch, Model: m, Record: record, At: c.at, History: History{Ladder: []Ladder{RulesOnly, Shadow, Advisory}[r.Intn(3)]}}
		if r.Intn(2) == 0 {
			q.Patch.Prior = []plan.Reason{{Term: "industry", Effect: 0.25}}
		}
		if r.Intn(2) == 0 {
			for _, k := range y.trials {
				if k.Patch == string(c.patch.ID) && k.At.Before(c.at) {
					q.Peers = append(q.Peers, k)
				}
			}
		}
		again := q
		again.Model = read
		places := NewPlaces()
		spot := places.Of(&c.host.Host, y.setting(c.host))
		if r.Intn(10) == 0 {
			spot = nil
		}
		o := NewOutlook(q)
		risk, reasons := o.Score(spot), o.Reasons(spot)
		if p := exact.Expit(Sum(reasons)); math.Abs(p-risk.P) > 0.500001e-5 {
			t.Errorf("reasons add up to %v, the score is %v: %v", p, risk.P, reasons)
		}
		if risk.Low > risk.P || risk.P > risk.High || risk.Low < 0 || risk.High > 1 {
			t.Errorf("interval %+v", risk)
		}
		b := NewOutlook(again)
		if diff := cmp.Diff(risk, b.Score(spot)); diff != "" {
			t.Errorf("read again, the model says something else: %s", diff)
		}
		if diff := cmp.Diff(reasons, b.Reasons(spot)); diff != "" {
			t.Errorf("read again, the model has other reasons: %s", diff)
		}
	}
}

// What is learnt from is scored as a plan scores it: the facts of a line, read
// back, give the same rules as the patch and the host they came from.
func TestKnownIsWhatWasScored(t *testing.T) {
	y := smallYear(t)
	r := rand.New(rand.NewSource(4))
	m := smallModel(t)
	for range 200 {
		c := y.changes[r.Intn(len(y.changes))]
		places := NewPlaces()
		want := NewOutlook(Question{Patch: c.patch.Patch, Model: m, History: History{Ladder: Advisory}, At: c.at}).
			Score(places.Of(&c.host.Host, y.setting(c.host)))
		k := Know(c.patch.Patch, &c.host.Host, y.setting(c.host), c.at)
		line := outcome.Line{Patch: c.patch.ID, From: c.patch.From, To: c.patch.To, Features: k.Features()}
		l := newLesson(Trial{At: c.at, Host: c.host.ID, Patch: string(c.patch.ID), recall: func() *Known { return knownOf(line) }}, NewPlaces())
		o, spot := l.ask(m)
		if got := o.Score(spot); got != want {
			t.Fatalf("%s on %s: learnt from as %+v, planned as %+v", c.patch.ID, c.host.ID, got, want)
		}
	}
}

// A change is learnt from as it stood when it was decided: outcomes that came
// later, changed in any way, change nothing of it.
func TestNoLeakage(t *testing.T) {
	trials := randomTrials(5, 1200)
	r := rand.New(rand.NewSource(5))
	for range 5 {
		cut := trials[200+r.Intn(900)].At
		turned := slices.Clone(trials)
		for i := range turned {
			if !turned[i].At.Before(cut) {
				turned[i].Failed = r.Intn(2) == 0
			}
		}
		of := func(list []Trial) []sample {
			// One and the same model: what differs are the records and peers of the time.
			l := &learner{model: &Deployment{Rules: Weight{Slope: 1}, Peers: 1}, lessons: lessonsOf(list, hours(100000))}
			return l.rows(nil)
		}
		a, b := of(trials), of(turned)
		for i := range a {
			if a[i].at.Before(cut) && (a[i].offset != b[i].offset || !slices.EqualFunc(a[i].values, b[i].values, sameValue)) {
				t.Fatalf("the change decided at %v was learnt from with what came after %v", a[i].at, cut)
			}
		}
	}
}

// The hosts of a plan in one condition share a score, and no score depends on
// which hosts were asked for before.
func TestSpotsShare(t *testing.T) {
	y, m := smallYear(t), smallModel(t)
	p := y.patches[0]
	q := Question{Patch: p.Patch, Model: m, History: History{Ladder: Advisory}, At: y.begin.AddDate(1, 0, 0)}
	together, places := NewOutlook(q), NewPlaces()
	for _, h := range y.hosts {
		got := together.Score(places.Of(&h.Host, y.setting(h)))
		want := NewOutlook(q).Score(NewPlaces().Of(&h.Host, y.setting(h)))
		if got != want {
			t.Errorf("%s: %+v among others, %+v alone", h.ID, got, want)
		}
	}
	spot := places.Of(&y.hosts[0].Host, y.setting(y.hosts[0]))
	if n := testing.AllocsPerRun(100, func() { together.Score(spot) }); n != 0 {
		t.Errorf("scoring a known spot allocates %v times", n)
	}
}

// Until the ladder's last rung the model only raises.
func TestLadder(t *testing.T) {
	y, m := smallYear(t), smallModel(t)
	record, err := Fit(y.trials, y.begin.AddDate(1, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	raised, lowered := 0, 0
	for i := range 400 {
		c := y.changes[i*len(y.changes)/400]
		spot := NewPlaces().Of(&c.host.Host, y.setting(c.host))
		at := func(l Ladder) plan.Risk {
			return NewOutlook(Question{Patch: c.patch.Patch, Model: m, Record: record, At: c.at, History: History{Ladder: l}}).Score(spot)
		}
		today, _ := newScorer(c.patch.Patch, record, History{Ladder: Shadow}, c.at).Score(&c.host.Host, c.host.role)
		shadow, led := at(Shadow), at(Advisory)
		if shadow.P < today.P || shadow.P != max(led.P, today.P) {
			t.Fatalf("in shadow %+v, by rules and record %+v, by the model %+v", shadow, today, led)
		}
		if led.P > today.P {
			raised++
		} else if led.P < today.P {
			lowered++
		}
	}
	if raised == 0 || lowered == 0 {
		t.Errorf("the model raised %d and lowered %d of 400: nothing was tried", raised, lowered)
	}
}

func TestTooFewToLearnFrom(t *testing.T) {
	_, err := FitDeployment(randomTrials(1, 19), hours(1000), DeploymentOptions{})
	if few, ok := err.(*TooFew); !ok || few.Known != 19 {
		t.Errorf("FitDeployment() of 19 = %v, want *TooFew", err)
	}
	if _, err := FitDeployment(randomTrials(1, 20), hours(1000), DeploymentOptions{}); err != nil {
		t.Errorf("FitDeployment() of 20 = %v", err)
	}
}

func TestParseDeploymentRefuses(t *testing.T) {
	good := string(smallModel(t).Bytes())
	for _, c := range []struct{ name, old, new, want string }{
		{"not JSON", "{", "[", "deployment model: "},
		{"another schema", DeploymentSchema, "ringmaster/deployment/v9", `schema "ringmaster/deployment/v9"`},
		{"share above 1", `"share": `, `"share": 7`, "share: 7"},
		{"peers", `"peers": `, `"peers": 100`, "peers: 100"},
		{"a trait of nothing", `"host":"`, `"host":"moon`, "is no trait"},
		{"more failures than trials", `"failures": `, `"failures": 99`, "failures"},
		{"a year", `"at": "20`, `"at": "19`, "the year"},
		{"bounds of another length", `"from":[`, `"from":[-99,`, "bounds: "},
		{"bounds without a spread", `"spread":`, `"spread":-`, "expected a spread of 1 or more"},
		{"the record's own", `"schema": "ringmaster/track-record/v1"`, `"schema": "x"`, `record: track record: schema "x"`},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Errorf("%s: the file has no %q", c.name, c.old)
			continue
		}
		if _, err := ParseDeployment([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzParseDeployment(f *testing.F) {
	m, err := FitDeployment(randomTrials(1, 60), hours(1000), DeploymentOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Bytes())
	f.Add([]byte(`{"schema":"ringmaster/deployment/v1","at":"2026-01-01T00:00:00Z","peers":1,"rules":{"slope":1},"bounds":{"n":60,"bad":12,"spread":1.5,"from":[-4.5,-1],"low":[0.01,0.1],"high":[0.03,0.4]}}`))
	f.Add([]byte(`{"schema":"ringmaster/deployment/v1","at":"2026-01-01T00:00:00Z","peers":1,"rules":{"slope":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseDeployment(data)
		if err != nil {
			return
		}
		again, err := ParseDeployment(m.Bytes())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(m.Bytes(), again.Bytes()) {
			t.Fatal("read and written again it differs")
		}
	})
}

func BenchmarkFitDeployment(b *testing.B) {
	y := smallYear(b)
	for b.Loop() {
		if _, err := FitDeployment(y.trials, y.begin.AddDate(1, 1, 0), DeploymentOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(y.trials)), "trials")
}

// A plan's scoring: 20 patches on 20,000 hosts of many conditions.
func BenchmarkOutlook(b *testing.B) {
	y := smallYear(b)
	m, err := FitDeployment(y.trials, y.begin.AddDate(1, 1, 0), DeploymentOptions{})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewSource(1))
	hosts := make([]*yearHost, 20000)
	for i := range hosts {
		hosts[i] = randomHost(r, i)
	}
	b.ResetTimer()
	conditions := 0
	for b.Loop() {
		places := NewPlaces()
		spots := make([]*Spot, len(hosts))
		for i, h := range hosts {
			spots[i] = places.Of(&h.Host, y.setting(h))
		}
		conditions = len(places.spots)
		for _, p := range y.patches[:20] {
			o := NewOutlook(Question{Patch: p.Patch, Model: m, History: History{Ladder: Advisory}, At: y.begin.AddDate(1, 0, 0)})
			for _, s := range spots {
				o.Score(s)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(hosts)*20), "ns/change")
	b.ReportMetric(float64(conditions), "conditions")
}

func sameValue(a, b ebm.Value) bool {
	return a.Word == b.Word && (a.Number == b.Number || math.IsNaN(a.Number) && math.IsNaN(b.Number))
}
