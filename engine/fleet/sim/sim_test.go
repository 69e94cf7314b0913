package sim

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/fleettest"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

var now = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)

var heron = fleet.Package{Type: "generic", Name: "heron-web", From: "4.2.1", To: "4.2.2", Patch: "generic:heron-web@4.2.2"}

func list(packages ...inventory.Package) *inventory.List { return inventory.NewPool().List(packages) }

// hosts is a world in which every name but "…absent" and "nowhere" is a host.
func hosts(id inventory.HostID) (inventory.Host, bool) {
	h := inventory.Host{ID: id, Labels: map[string]string{}, Facts: &inventory.Facts{Host: id, At: now.Add(-24 * time.Hour)}, Packages: list(
		inventory.Package{Type: "generic", Name: "heron-web", Version: "4.2.1"}, inventory.Package{Type: "generic", Name: "heron-db", Version: "1"})}
	if id == "web-1" {
		h.Facts.Modules = []string{"hba7"}
	}
	if strings.HasPrefix(string(id), "queue-") {
		h.Labels["role"] = "queue"
	}
	return h, !strings.Contains(string(id), "absent") && id != "nowhere"
}

func truth(t *testing.T) Truth {
	t.Helper()
	data, err := os.ReadFile("testdata/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	tr, problems := ParseTruth(data)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return tr
}

func step(host inventory.HostID, key string) fleet.Step {
	return fleet.Step{Key: key, Host: host, Packages: []fleet.Package{heron}}
}

func back(host inventory.HostID, key string) fleet.Step {
	p := heron
	p.From, p.To = p.To, p.From
	return fleet.Step{Key: key, Host: host, Packages: []fleet.Package{p}}
}

func TestPromises(t *testing.T) {
	var last *Fleet // what the process before did, as ledgers would tell it
	fleettest.Test(t, fleettest.Fixture{
		Open: func() (fleet.Fleet, error) {
			o := Options{Seed: 7, Host: hosts}
			if last != nil {
				o.Past = last.Steps()
			}
			last = New(o)
			return last, nil
		},
		Hosts:   []inventory.HostID{"web-1", "web-2", "web-3"},
		Package: heron,
		Now:     now,
	})
}

func TestFaultsOfInstalls(t *testing.T) {
	f := New(Options{Seed: 7, Truth: truth(t), Host: hosts})
	for _, tc := range []struct {
		host    inventory.HostID
		state   fleet.State
		version string
		detail  string
	}{
		{"web-1", fleet.Succeeded, "4.2.2", ""},
		{"db-1", fleet.Failed, "4.2.1", "no space left on device"},
		{"queue-1", fleet.Failed, "4.2.2", "the install failed"},
	} {
		j, err := f.Apply(t.Context(), now, step(tc.host, "k/"+string(tc.host)))
		if err != nil || j.State != tc.state || j.Detail != tc.detail || j.Packages["heron-web"] != tc.version {
			t.Errorf("Apply(%s) = %+v, %v, want state %q, version %q, detail %q", tc.host, j, err, tc.state, tc.version, tc.detail)
		}
		got, err := f.Installed(t.Context(), now, []inventory.HostID{tc.host}, []string{"heron-web"})
		if err != nil || got[tc.host]["heron-web"] != tc.version {
			t.Errorf("Installed(%s) = %v, %v, want %q", tc.host, got, err, tc.version)
		}
	}
	dark := 0
	for i := range 10 {
		_, err := f.Apply(t.Context(), now, step(inventory.HostID(fmt.Sprintf("far-%d", i)), fmt.Sprintf("far/%d", i)))
		if e := (*fleet.Error)(nil); errors.As(err, &e) && e.Code == "unreachable" {
			dark++
		}
	}
	if dark < 1 || dark > 9 {
		t.Errorf("%d of 10 hosts are unreachable, want about half", dark)
	}
	_, err := f.Apply(t.Context(), now.Add(-55*time.Minute), step("web-3", "k/web-3"))
	if e := (*fleet.Error)(nil); !errors.As(err, &e) || e.Code != "unreachable" {
		t.Errorf("a host without power answered: %v", err)
	}
}

func measure(t *testing.T, f *Fleet, at time.Time, host inventory.HostID, from, to time.Time) map[string][]telemetry.Point {
	t.Helper()
	s, err := f.Probe().Measure(t.Context(), at, []inventory.HostID{host, "nowhere"}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if len(s) > 1 {
		t.Fatalf("Measure() invented a host: %v", s)
	}
	return s[host]
}

func level(points []telemetry.Point) float64 {
	m, _ := telemetry.Mean(telemetry.Finite(points))
	return m
}

func TestFaultShowsInTelemetryUntilRolledBack(t *testing.T) {
	f := New(Options{Seed: 7, Truth: truth(t), Host: hosts})
	at := func(m int) time.Time { return now.Add(time.Duration(m) * time.Minute) }
	if _, err := f.Apply(t.Context(), now, step("web-1", "k1")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Rollback(t.Context(), at(60), back("web-1", "k2")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		from, to  int
		low, high float64
	}{{-60, 4, 0, 0.02}, {5, 59, 0.3, 0.4}, {60, 120, 0, 0.02}} {
		points := measure(t, f, at(200), "web-1", at(tc.from), at(tc.to))["error_ratio"]
		if got := level(points); len(points) != tc.to-tc.from+1 || got < tc.low || got > tc.high {
			t.Errorf("error ratio from %d to %d is %v over %d points, want %v to %v", tc.from, tc.to, got, len(points), tc.low, tc.high)
		}
	}
	if got := measure(t, f, at(10), "web-1", at(0), at(60))["up"]; len(got) != 11 {
		t.Errorf("%d points by minute 10, want 11: the future cannot be measured", len(got))
	}
	crash := New(Options{Truth: truth(t), Host: hosts, Past: []Done{{Key: "k", Host: "edge-1", Packages: []fleet.Package{heron}, At: now}}})
	signals := measure(t, crash, at(30), "edge-1", at(1), at(10))
	if level(signals["up"]) != 0 || len(signals["error_ratio"]) != 0 {
		t.Errorf("a host that is down reports %v", signals)
	}
	slow := level(measure(t, f, at(60), "web-2", at(10), at(30))["latency_seconds"]) / level(measure(t, f, at(60), "web-2", at(-20), at(0))["latency_seconds"])
	if slow < 3 {
		t.Errorf("the background made web-2 %v times slower, want about 5", slow)
	}
}

// The same calls by one process, or by a later one told of the past by ledgers,
// find the same world.
func TestLaterProcessFindsTheSameWorld(t *testing.T) {
	one := New(Options{Seed: 3, Truth: truth(t), Host: hosts})
	lines := []outcome.Line{}
	for i, host := range []inventory.HostID{"web-1", "db-1", "queue-1", "web-5"} {
		at := now.Add(time.Duration(i) * time.Minute)
		key := fmt.Sprintf("p/%s/1", host)
		j, err := one.Apply(t.Context(), at, step(host, key))
		if err != nil {
			t.Fatal(err)
		}
		event := outcome.Applied
		if j.State == fleet.Failed {
			event = outcome.Failed
		}
		lines = append(lines, outcome.Line{At: at, Host: host, Patch: heron.Patch, Key: key, Event: outcome.Intended},
			outcome.Line{At: at, Host: host, Patch: heron.Patch, Key: key, From: heron.From, To: heron.To, Event: event, Detail: j.Detail})
	}
	if _, err := one.Rollback(t.Context(), now.Add(time.Hour), back("web-1", "p/web-1/back")); err != nil {
		t.Fatal(err)
	}
	lines = append(lines, outcome.Line{At: now.Add(time.Hour), Host: "web-1", Patch: heron.Patch, Key: "p/web-1/back", Event: outcome.RolledBack, From: "4.2.2", To: "4.2.1"})
	two := New(Options{Seed: 3, Truth: truth(t), Host: hosts, Past: Past(lines)})
	if diff := cmp.Diff(one.Steps(), two.Steps()); diff != "" {
		t.Errorf("steps (-one process +two):\n%s", diff)
	}
	all := []inventory.HostID{"web-1", "db-1", "queue-1", "web-5", "nowhere"}
	later := now.Add(2 * time.Hour)
	a, _ := one.Probe().Measure(t.Context(), later, all, now, later)
	b, _ := two.Probe().Measure(t.Context(), later, all, now, later)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("telemetry (-one +two):\n%s", diff)
	}
	x, _ := one.Installed(t.Context(), later, all, []string{"heron-web", "heron-db", "none"})
	y, _ := two.Installed(t.Context(), later, all, []string{"heron-web", "heron-db", "none"})
	if diff := cmp.Diff(x, y); diff != "" || x["web-1"]["heron-web"] != "4.2.1" || x["web-5"]["heron-web"] != "4.2.2" {
		t.Errorf("installed %v (-one +two):\n%s", x, diff)
	}
	again, err := two.Apply(t.Context(), later, step("web-5", "p/web-5/1"))
	first, _ := one.Apply(t.Context(), later, step("web-5", "p/web-5/1"))
	if diff := cmp.Diff(first, again); err != nil || diff != "" {
		t.Errorf("first answer, %v (-one +two):\n%s", err, diff)
	}
}

func TestPast(t *testing.T) {
	line := func(m int, key string, e outcome.Event, from, to string) outcome.Line {
		return outcome.Line{At: now.Add(time.Duration(m) * time.Minute), Host: "web-1", Patch: "deb:lib@x@1:2.0-1", Key: key, Event: e, From: from, To: to}
	}
	pkg := func(from, to string) []fleet.Package {
		return []fleet.Package{{Type: "deb", Name: "lib@x", From: from, To: to, Patch: "deb:lib@x@1:2.0-1"}}
	}
	done := func(m int, key, from, to string) Done {
		return Done{Key: key, Host: "web-1", Packages: pkg(from, to), At: now.Add(time.Duration(m) * time.Minute)}
	}
	got := Past([]outcome.Line{
		line(0, "a", outcome.Intended, "1", "1:2.0-1"),
		line(1, "a", outcome.Applied, "1", "1:2.0-1"),
		line(1, "a", outcome.Applied, "1", "1:2.0-1"),
		line(2, "a", outcome.Degraded, "", ""),
		line(3, "r1", outcome.Failed, "", ""),
		line(4, "r2", outcome.RolledBack, "1", "1:2.0-1"),
		line(5, "b", outcome.Failed, "1", "1:2.0-1"),
		{At: now, Event: outcome.Completed},
	})
	failedBack := done(3, "r1", "1:2.0-1", "1")
	failedBack.Rollback, failedBack.Failed = true, true
	rolledBack := done(4, "r2", "1:2.0-1", "1")
	rolledBack.Rollback = true
	failed := done(5, "b", "1", "1:2.0-1")
	failed.Failed = true
	if diff := cmp.Diff([]Done{done(1, "a", "1", "1:2.0-1"), failedBack, rolledBack, failed}, got); diff != "" {
		t.Errorf("Past() (-want +got):\n%s", diff)
	}
}

func TestNewerFactsKnowBetter(t *testing.T) {
	old := Done{Key: "k", Host: "web-9", Packages: []fleet.Package{{Name: "heron-web", From: "4.2.0", To: "4.2.1-rc"}}, At: now.Add(-48 * time.Hour)}
	f := New(Options{Host: hosts, Past: []Done{old}})
	got, err := f.Installed(t.Context(), now, []inventory.HostID{"web-9"}, []string{"heron-web"})
	if err != nil || got["web-9"]["heron-web"] != "4.2.1" {
		t.Errorf("Installed() = %v, %v, want the version of the newer facts", got, err)
	}
}

func TestSourcePackages(t *testing.T) {
	packages := list(
		inventory.Package{Type: "deb", Name: "libssl3", Version: "3.0.11-1+b1", Source: "openssl", SourceVersion: "3.0.11-1"},
		inventory.Package{Type: "deb", Name: "curl", Version: "7.88-1", Source: "curl"}, inventory.Package{Type: "deb", Name: "libcurl4", Version: "7.88-2", Source: "curl"})
	f := New(Options{Host: func(id inventory.HostID) (inventory.Host, bool) {
		return inventory.Host{ID: id, Facts: &inventory.Facts{}, Packages: packages}, true
	}})
	got, err := f.Installed(t.Context(), now, []inventory.HostID{"a"}, []string{"openssl", "curl", "libssl3", "bash"})
	want := map[inventory.HostID]map[string]string{"a": {"openssl": "3.0.11-1", "curl": "7.88-1", "libssl3": "3.0.11-1+b1", "bash": ""}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Installed() = %v (-want +got):\n%s", err, diff)
	}
}

func TestHealthyNoise(t *testing.T) {
	f := New(Options{Seed: 1, Host: hosts})
	for i := range 50 {
		id := inventory.HostID(fmt.Sprintf("web-%d", i))
		s := measure(t, f, now, id, now.Add(-24*time.Hour), now)
		if len(s["up"]) != 1441 || level(s["up"]) != 1 {
			t.Fatalf("up of %s: %d points", id, len(s["up"]))
		}
		if e := level(s["error_ratio"]); e < 0.001 || e > 0.008 {
			t.Errorf("error ratio of %s is %v", id, e)
		}
		if l := level(s["load_ratio"]); l < 0.1 || l > 0.6 {
			t.Errorf("load of %s is %v", id, l)
		}
	}
}

func TestStrayFaults(t *testing.T) {
	f := New(Options{Seed: 1, Host: hosts, Truth: Truth{Noise: Noise{FaultsPerDay: 0.2}}})
	bad := 0
	for i := range 500 {
		id := inventory.HostID(fmt.Sprintf("web-%d", i))
		for m := range 24 * 6 {
			if _, ok := f.stray(id, now.Add(time.Duration(m*10)*time.Minute)); ok {
				bad++
			}
		}
	}
	// 0.2 a day of 40 minutes each is 0.8 looks of 144.
	if got := float64(bad) / 500; got < 0.6 || got > 1 {
		t.Errorf("%v of 144 looks a day find a stray fault, want about 0.8", got)
	}
}

// The world is the same on every machine and in every version: the hash is a
// format.
func TestHashIsFixed(t *testing.T) {
	if got, want := hash(7, "fault", "driver", "web-1"), uint64(3614646998753273207); got != want {
		t.Errorf("hash = %d, want %d", got, want)
	}
}

func TestWorldIsFixed(t *testing.T) {
	f := New(Options{Seed: 7, Host: hosts})
	got := fmt.Sprint(f.at(inventory.Host{ID: "web-1"}, nil, now.Unix()/60, now))
	if want := "map[error_ratio:0.003458276422988634 latency_seconds:0.08647154132036723 load_ratio:0.25595418653248697 up:1]"; got != want {
		t.Errorf("signals are %s, want %s", got, want)
	}
}

func TestConcurrency(t *testing.T) {
	f := New(Options{Seed: 7, Truth: truth(t), Host: hosts})
	var wg sync.WaitGroup
	for i := range 50 {
		id := inventory.HostID(fmt.Sprintf("web-%d", i%5+10))
		wg.Go(func() { f.Apply(t.Context(), now, step(id, "k/"+string(id))) })
		wg.Go(func() {
			f.Probe().Measure(t.Context(), now.Add(time.Hour), []inventory.HostID{id}, now, now.Add(time.Hour))
		})
		wg.Go(func() { f.Installed(t.Context(), now, []inventory.HostID{id}, []string{"heron-web"}) })
	}
	wg.Wait()
	if got := len(f.Steps()); got != 5 {
		t.Errorf("%d steps were taken, want one a host", got)
	}
}

func TestParseTruthReportsEveryFault(t *testing.T) {
	_, problems := ParseTruth([]byte(`{
  "schema": "ringmaster/sim/v2",
  "noise": {"error_ratio": 2},
  "faults": [
    {"kind": "instal_fails"},
    {"kind": "errors", "p": -1,
     "hostz": ["x"]},
    {"kind": "errors", "p": 1.5, "after_s": -1}
  ],
  "background": [
    {"kind": "unreachable", "at": "2026-03-03T23:10:00Z"},
    {"kind": "down"}
  ]
}`))
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := []string{
		`1: schema is "ringmaster/sim/v2", expected "ringmaster/sim/v1"`,
		`3: noise.error_ratio is 2, expected 0 to 1`,
		`5: faults[0].kind: "instal_fails" is not a kind; expected one of ["install_fails" "install_half" "rollback_fails" "unreachable" "errors" "slow" "load" "down"]`,
		`6: faults[1]: unknown field "hostz"`,
		`8: faults[2].p is 1.5, expected 0 to 1`,
		`8: faults[2]: after_s and for_s are seconds, from 0 to ten years`,
		`11: background[0].kind: "unreachable" is not a kind of background; expected one of ["errors" "slow" "load" "down"]`,
		`12: background[1].at is missing, expected a time as 2026-03-03T23:00:00Z`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ParseTruth() (-want +got):\n%s", diff)
	}
	if _, problems := ParseTruth([]byte("{\n\n]")); len(problems) != 1 || problems[0].Line != 3 {
		t.Errorf("ParseTruth() of no JSON = %v, want one problem on line 3", problems)
	}
}

func FuzzParseTruth(f *testing.F) {
	data, err := os.ReadFile("testdata/truth.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema":"ringmaster/sim/v1","faults":[{"kind":"errors"},{"kind":"errors"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, problems := ParseTruth(data)
		for _, p := range problems {
			if p.Line < 1 {
				t.Errorf("problem %q has no line", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		sim := New(Options{Truth: tr, Host: hosts})
		if _, err := sim.Probe().Measure(t.Context(), now, []inventory.HostID{"web-1"}, now.Add(-5*time.Minute), now); err != nil {
			t.Error(err)
		}
	})
}
