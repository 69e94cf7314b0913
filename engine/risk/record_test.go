package risk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// trialsOf makes n trials of a package, the first bad of them failed.
func trialsOf(pkg, role string, n, bad int) []Trial {
	var list []Trial
	for i := range n {
		list = append(list, Trial{
			At: hours(i), Host: inventory.HostID(fmt.Sprint(role, i)), Patch: "deb:" + pkg + "@" + fmt.Sprint(i),
			Vendor: "Debian", Package: pkg, Role: role, Failed: i < bad, Weight: 1,
		})
	}
	return list
}

func fit(t *testing.T, trials []Trial) *TrackRecord {
	t.Helper()
	m, err := Fit(trials, hours(1e5))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFitNeedsTrials(t *testing.T) {
	_, err := Fit(trialsOf("openssl", "web", 40, 2), hours(11))
	const want = "track record: 12 finished changes are known at 2026-01-01T11:00:00Z; 20 are needed"
	if err == nil || err.Error() != want {
		t.Errorf("Fit() = %v, want %s", err, want)
	}
}

// "82 %" of 11 and of 110 are different facts.
func TestIntervalsTellEvidence(t *testing.T) {
	ordinary := trialsOf("bash", "web", 400, 8)
	few := fit(t, append(trialsOf("exchange", "mail", 11, 2), ordinary...)).Packages["exchange"]
	many := fit(t, append(trialsOf("exchange", "mail", 110, 20), ordinary...)).Packages["exchange"]
	t.Logf("9 of 11 good: %.3f [%.3f, %.3f]; 90 of 110 good: %.3f [%.3f, %.3f]", few.P, few.Low, few.High, many.P, many.Low, many.High)
	if few.P >= many.P || few.High/few.Low <= 2*many.High/many.Low {
		t.Errorf("few %+v, many %+v: want few nearer to what is usual, and much less sure", few, many)
	}
	if many.Low > 20.0/110 || many.High < 20.0/110 {
		t.Errorf("many %+v: want what was seen within the interval", many)
	}
	// The same rates where nothing else is known of the estate.
	few = fit(t, trialsOf("exchange", "mail", 22, 4)).Packages["exchange"]
	many = fit(t, trialsOf("exchange", "mail", 220, 40)).Packages["exchange"]
	t.Logf("alone, 18 of 22 good: %.3f [%.3f, %.3f]; 180 of 220 good: %.3f [%.3f, %.3f]", few.P, few.Low, few.High, many.P, many.Low, many.High)
	if few.High-few.Low <= 1.5*(many.High-many.Low) || few.Low > 4.0/22 || few.High < 4.0/22 {
		t.Errorf("alone: few %+v, many %+v: want few much less sure, and what was seen within", few, many)
	}
}

// Empirical Bayes is nearer to the truth than raw rates, on groups as small as
// those of a real estate.
func TestShrinkageBeatsRawRates(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	var raw, shrunk, n float64
	for range 10 {
		truth := map[string]float64{}
		var trials []Trial
		for i := range 200 {
			pkg := fmt.Sprint("p", i)
			truth[pkg] = betaDraw(r, 2, 48) // mean 4 %, as in public notices
			for k := range 3 + r.Intn(38) {
				trials = append(trials, Trial{At: hours(k), Host: inventory.HostID(fmt.Sprint("h", k)), Patch: pkg, Package: pkg, Vendor: "Debian", Failed: r.Float64() < truth[pkg], Weight: 1})
			}
		}
		m := fit(t, trials)
		for pkg, p := range truth {
			rec := m.Packages[pkg]
			raw += math.Pow(rec.Bad/rec.N-p, 2)
			shrunk += math.Pow(rec.P-p, 2)
			n++
		}
	}
	raw, shrunk = math.Sqrt(raw/n), math.Sqrt(shrunk/n)
	t.Logf("RMSE over %v packages: shrunk %.4f, raw %.4f", n, shrunk, raw)
	if shrunk > 0.6*raw || shrunk > 0.03 {
		t.Errorf("RMSE shrunk %v, raw %v; want at most 0.6 of it and 0.030", shrunk, raw)
	}
}

// A thousand failures from one host do not make a package's record.
func TestBurstFromOneHost(t *testing.T) {
	var imported []outcome.Imported
	add := func(host string, n int, e outcome.Event) {
		for i := range n {
			imported = append(imported, outcome.Imported{At: hours(i), Host: inventory.HostID(host), Patch: fmt.Sprintf("deb:openssl@%d", len(imported)), Vendor: "Debian", Event: e})
		}
	}
	for h := range 30 {
		add(fmt.Sprint("web-", h), 5, outcome.Healthy)
	}
	add("broken", 1000, outcome.Failed)
	m := fit(t, Trials(nil, imported, false))
	got := m.Packages["openssl"]
	t.Logf("%+v of %d trials, %d failures", got, m.Trials, m.Failures)
	if got.P > 0.2 || got.N > 188 {
		t.Errorf("the package's record is %+v, want at most a fifth from one host", got)
	}
}

// betaDraw draws from a beta distribution with a whole number of failures and
// successes: the a-th smallest of a+b-1 uniform numbers.
func betaDraw(r *rand.Rand, a, b int) float64 {
	list := make([]float64, a+b-1)
	for i := range list {
		list[i] = r.Float64()
	}
	for i := range a {
		for k := i + 1; k < len(list); k++ {
			if list[k] < list[i] {
				list[i], list[k] = list[k], list[i]
			}
		}
	}
	return list[a-1]
}

// Ninety of a hundred intervals hold the true rate.
func TestIntervalsHoldTheTruth(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	held, n := 0, 0
	for range 10 {
		truth := map[string]float64{}
		var trials []Trial
		for i := range 150 {
			pkg := fmt.Sprint("p", i)
			truth[pkg] = betaDraw(r, 3, 27)
			for k := range 5 + r.Intn(40) {
				trials = append(trials, Trial{At: hours(k), Host: inventory.HostID(fmt.Sprint("h", k)), Patch: pkg, Package: pkg, Vendor: "Debian", Failed: r.Float64() < truth[pkg], Weight: 1})
			}
		}
		m := fit(t, trials)
		for pkg, p := range truth {
			n++
			if rec := m.Packages[pkg]; rec.Low <= p && p <= rec.High {
				held++
			}
		}
	}
	part := float64(held) / float64(n)
	t.Logf("%d of %d intervals hold the truth (%.3f)", held, n, part)
	if part < 0.86 || part > 0.95 {
		t.Errorf("%.3f of the 90 %% intervals hold the truth", part)
	}
}

func someTrials(seed int64, n int) []Trial {
	r := rand.New(rand.NewSource(seed))
	var list []Trial
	for range n {
		list = append(list, Trial{
			At: hours(r.Intn(5000)), Host: inventory.HostID(fmt.Sprint("h", r.Intn(40))), Patch: fmt.Sprint("deb:p@", r.Intn(99)),
			Vendor: []string{"Debian", "Heron", ""}[r.Intn(3)], Package: fmt.Sprint("p", r.Intn(12)), Role: []string{"web", "db", ""}[r.Intn(3)],
			Failed: r.Intn(9) == 0, Imported: r.Intn(2) == 0, Weight: float64(1+r.Intn(3)) / 3,
		})
	}
	return list
}

// The same trials make the same bytes, whatever their order, and bytes read
// and written again are the same.
func TestFitIsDeterministic(t *testing.T) {
	trials := someTrials(7, 3000)
	want := fit(t, trials).Bytes()
	r := rand.New(rand.NewSource(8))
	for range 10 {
		r.Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
		if got := fit(t, trials).Bytes(); !bytes.Equal(got, want) {
			t.Fatalf("the order of trials matters: %s", cmp.Diff(string(want), string(got)))
		}
	}
	parsed, err := ParseTrackRecord(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := parsed.Bytes(); !bytes.Equal(got, want) {
		t.Errorf("read and written again: %s", cmp.Diff(string(want), string(got)))
	}
	if diff := cmp.Diff(fit(t, trials), parsed); diff != "" {
		t.Errorf("what is read is not what was fitted: %s", diff)
	}
	if !json.Valid(want) || !bytes.HasSuffix(want, []byte("}\n")) {
		t.Error("the bytes are not JSON and a newline")
	}
}

// What happened after a time changes nothing of the record at that time.
func TestFitKnowsNoFuture(t *testing.T) {
	trials := someTrials(9, 500)
	at := hours(2500)
	want, err := Fit(trials, at)
	if err != nil {
		t.Fatal(err)
	}
	var past []Trial
	for _, k := range trials {
		if !k.At.After(at) {
			past = append(past, k)
		}
	}
	got, err := Fit(past, at)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("later trials matter: %s", diff)
	}
}

// More failures never lower a group's rate.
func TestFitIsMonotone(t *testing.T) {
	last := 0.0
	for bad := range 31 {
		p := fit(t, append(trialsOf("exchange", "mail", 30, bad), trialsOf("bash", "web", 300, 9)...)).Roles[roleKey("exchange", "mail")].P
		if p < last {
			t.Errorf("%d of 30 failures: %v, below %v of one fewer", bad, p, last)
		}
		last = p
	}
}

func TestParseTrackRecordRefuses(t *testing.T) {
	good := string(fit(t, someTrials(10, 50)).Bytes())
	for _, c := range []struct{ name, old, new, want string }{
		{"schema", Schema, "other/v1", `schema "other/v1"; expected "ringmaster/track-record/v1"`},
		{"counts", `"trials": 50`, `"trials": 1`, "among 1 trials"},
		{"prior", `"prior": {"A":`, `"prior": {"A":-`, "prior: A -"},
		{"record", `"n":`, `"p":2,"n":`, "expected 0 ≤ bad ≤ n"},
		{"year", `"at": "2026`, `"at": "0001`, "the year 1"},
		{"cut", "}\n", "", "unexpected end of JSON input"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if c.name == "cut" {
			text = good[:len(good)-2]
		}
		if c.name == "record" {
			text = strings.Replace(good, `"high":`, `"high":-`, 1)
		}
		_, err := ParseTrackRecord([]byte(text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: ParseTrackRecord() = %v, want %q", c.name, err, c.want)
		}
	}
	more := strings.Replace(good, "{\n", "{\n  \"later\": [1],\n", 1)
	if _, err := ParseTrackRecord([]byte(more)); err != nil {
		t.Errorf("an unknown field: %v, want it passed over", err)
	}
}

func FuzzParseTrackRecord(f *testing.F) {
	m, err := Fit(someTrials(11, 60), hours(1e5))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Bytes())
	f.Add([]byte(`{"schema":"ringmaster/track-record/v1","at":"2026-01-01T00:00:00Z","prior":{"A":1,"B":20},"strengths":{"vendor":2,"package":2,"role":2}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseTrackRecord(data)
		if err != nil {
			return
		}
		once := m.Bytes()
		again, err := ParseTrackRecord(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice := again.Bytes(); !bytes.Equal(once, twice) {
			t.Fatalf("written %s, and again %s", once, twice)
		}
		deploy(Patch{ID: "deb:p1@2", Package: "p1", Vendor: "Debian"}, nil, "web", m, History{Ladder: Advisory}, time.Time{})
	})
}
