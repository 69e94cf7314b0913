package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// told is what a search found, a flip a line.
func toldFlips(r Search) string {
	var lines []string
	flips := r.Flips
	if r.Exception != nil {
		flips = append(flips, *r.Exception)
	}
	for _, f := range flips {
		var parts []string
		for _, c := range f.Changes {
			parts = append(parts, fmt.Sprintf("%s %s→%s (%s)", strings.TrimPrefix(c.Attribute, "input."), Brief(c.From, 60), Brief(c.To, 60), c.By))
		}
		lines = append(lines, strings.Join(parts, " + "))
	}
	return strings.Join(lines, "\n")
}

// TestFlipsOfLibrary: what would alter what the shipped policies say.
func TestFlipsOfLibrary(t *testing.T) {
	s := shipped(t)
	tests := []struct {
		name string
		in   *Input
		set  func(*Input)
		want []string // lines that are among those told
	}{
		{"a full disk", change(), func(in *Input) { in.Host.DiskFreeMB = ptr(int64(500)) }, []string{
			`host.disk_free_mb 500→1024 (report)`, `host.disk_free_mb 500→null (report)`,
			`exception null→4 attributes (exception)`}},
		{"too new", change(), func(in *Input) { in.Patch.Published, in.Patch.AgeSeconds = now.Add(-time.Hour), ptr(int64(3600)) }, []string{
			`at "2026-03-02T09:00:00Z"→"2026-03-05T08:00:00Z" (time)`, `patch.known_exploited false→true (feed)`}},
		{"old facts on a full disk", change(), func(in *Input) { in.Host.AgeSeconds, in.Host.DiskFreeMB = ptr(int64(8*86400)), ptr(int64(500)) }, []string{
			`host.age_seconds 691200→604799 (report) + host.disk_free_mb 500→1024 (report)`}},
		{"a person's hold that ends", change(), func(in *Input) {
			in.Host.Holds = []Override{{Kind: "hold", By: "ann", Reason: "incident", Until: now.Add(2 * time.Hour)}}
		}, []string{`at "2026-03-02T09:00:00Z"→"2026-03-02T11:00:00Z" (time)`, `host.holds[0] 4 attributes→null (override)`}},
		{"a change like any", change(), func(in *Input) {}, []string{
			`host.disk_free_mb 9000→1023 (report)`, `at "2026-03-02T09:00:00Z"→"2026-03-09T08:00:00Z" (time)`, `host.known true→false (report)`}},
		{"more likely to fail than not", change(), func(in *Input) { in.Host.DeployRisk.P, in.Host.DeployRisk.High = 0.7, 0.9 }, []string{
			`host.deploy_risk.p 0.7→0.5 (score)`}},
		{"too few hosts up", aWave(), func(in *Input) { in.Wave.Services[0].Down = 4 }, []string{
			`wave.services[0].down 4→2 (report)`, `wave.services[0].min_available 8→6 (inventory)`}},
		{"a wave in a freeze", aWave(), func(in *Input) {
			in.Wave.Freezes = []FreezeInput{{Name: "board", From: now, To: now.Add(48 * time.Hour), Reason: "board meeting"}}
		}, []string{`wave.start "2026-03-02T23:00:00Z"→"2026-03-04T09:00:00Z" (schedule)`, `wave.freezes[0] 4 attributes→null (inventory)`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.set(tt.in)
			r, err := s.Flips(tt.in, nil, FlipOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := toldFlips(r)
			for _, want := range tt.want {
				if !strings.Contains("\n"+got+"\n", "\n"+want+"\n") {
					t.Errorf("Flips() lacks %s; it has %d of %d facts, %d tried, %d more:\n%s", want, len(r.Flips), r.Facts, r.Tried, r.More, got)
				}
			}
		})
	}
}

// TestFlipsHold: the property. Every flip really flips when the policies are
// asked about the altered input in the plainest way, and no part of one does,
// for random policies over random inputs.
func TestFlipsHold(t *testing.T) {
	policies, flips, pairs, both := 0, 0, 0, [2]int{}
	x := Exceptions{inventoryException("all")}
	for seed := range uint64(rounds(12, 16)) {
		r := rand.New(rand.NewPCG(seed, 9))
		text := strings.ReplaceAll(randomPolicy(r), "\nhold contains", "\n"+exceptable+"hold contains")
		s, faults := Compile(bytesOf(map[string]string{"policies/x/x.rego": text}))
		if len(faults) > 0 {
			continue
		}
		policies++
		v := newVaried(r)
		var ins []*Input
		for range 3 {
			in := *change()
			v.vary(r, &in)
			ins = append(ins, &in)
		}
		for i, in := range ins {
			given := []Exceptions{nil, x}[i%2]
			found, err := s.Flips(in, given, FlipOptions{Budget: 150, Observed: ins})
			if err != nil {
				t.Fatal(err)
			}
			stopped := Stops(s.Decide(in, given))
			if found.Stopped != stopped {
				t.Fatalf("Flips() says stopped %v, Decide() %v", found.Stopped, stopped)
			}
			if found.Exception != nil {
				held(t, s, in, given, *found.Exception, stopped, text)
			}
			for _, f := range found.Flips {
				flips++
				both[boolean(stopped)]++
				if len(f.Changes) > 1 {
					pairs++
				}
				held(t, s, in, given, f, stopped, text)
			}
		}
	}
	t.Logf("%d policies, %d flips, %d of more than one change, %d of what is let through and %d of what is stopped", policies, flips, pairs, both[0], both[1])
	if policies < 5 || flips < 20 || pairs < 1 || both[0] < 5 || both[1] < 5 {
		t.Errorf("too little was tried")
	}
}

// held checks a flip and all its parts.
func held(t *testing.T, s *Set, in *Input, x Exceptions, f Flip, stopped bool, text string) {
	t.Helper()
	doc, err := documentOf(in)
	if err != nil {
		t.Fatal(err)
	}
	for mask := range 1 << len(f.Changes) {
		var part []Alteration
		for i := range f.Changes {
			if mask&(1<<i) != 0 {
				part = append(part, f.Changes[i])
			}
		}
		then, given, err := (&finder{doc: doc, exceptions: x, odd: !in.possible()}).altered(part)
		if err != nil {
			t.Fatal(err)
		}
		then.Estate.Exceptions = exceptionInputs(newWaiver(given).exceptions)
		said := naive(t, s, then)
		if len(given) > 0 {
			said = s.Decide(then, given) // what exceptions do is Decide's
		}
		if whole := mask == 1<<len(f.Changes)-1; Stops(said) == stopped == whole {
			t.Fatalf("of %v, %v has %v, stopped before: %v\n%s", f.Changes, part, said, stopped, text)
		} else if whole && !cmp.Equal(said, f.Decisions) {
			t.Fatalf("decisions differ: %s", cmp.Diff(said, f.Decisions))
		}
	}
}

// TestFlipsRepeat: the same question, the same answer.
func TestFlipsRepeat(t *testing.T) {
	s := one(t, `hold contains {"msg": "a"} if {
	input.host.labels.role == "web"
	not input.host.exposed
}
deny contains {"msg": "b"} if input.host.labels.site == "fra1"`)
	in := change()
	in.Host.Labels = map[string]string{"role": "web", "site": "fra1", "c": "d"}
	in.Host.Exposed = ptr(false)
	first, err := s.Flips(in, nil, FlipOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := s.Flips(in, nil, FlipOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first.Flips, again.Flips, cmp.AllowUnexported(Alteration{}), cmp.FilterValues(func(a, b []plan.Decision) bool { return true }, cmp.Ignore())); d != "" {
			t.Fatal(d)
		}
	}
	if first.Whole != 2 || len(first.Flips[0].Changes) != 2 {
		t.Errorf("Flips() = %+v, want two changes after every single one", first)
	}
}

// TestFlipsBudget: a search that ends early says so.
func TestFlipsBudget(t *testing.T) {
	s := one(t, `hold contains {"msg": "always"} if input.host.known
hold contains {"msg": "too"} if not input.host.known`)
	r, err := s.Flips(change(), nil, FlipOptions{Budget: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Flips) != 0 || r.Whole != 0 || r.Tried != 3 || r.Budget != 3 || !r.Stopped {
		t.Errorf("Flips() = %+v, want nothing after 3", r)
	}
	r, err = s.Flips(change(), nil, FlipOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Flips) != 0 || r.Whole != 3 {
		t.Errorf("Flips() = %+v, want nothing of all that was considered", r)
	}
}
