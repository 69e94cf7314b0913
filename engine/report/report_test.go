package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var update = flag.Bool("update", false, "rewrite golden files")

var at = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// golden compares with testdata/golden/report/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("..", "..", "testdata", "golden", "report", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func patchOf(name, to string) plan.Patch {
	return plan.Patch{
		ID: plan.PatchID("rpm:" + name + "@" + to), Type: "rpm", Package: name, To: to, Vendor: "AlmaLinux",
		Advisories: []string{"ALSA-2026:0001"}, CVEs: []string{"CVE-2026-0001"}, Class: plan.High,
		Deadline: at.Add(5 * 24 * time.Hour), Clock: "ssvc", ClockStart: at.Add(-2 * 24 * time.Hour), ClockFrom: "published",
		DeployRisk: plan.Risk{P: 0.023, Low: 0.0004, High: 0.091, Source: "rules"}, ExploitRisk: plan.Risk{P: 0.42, Low: 0.3, High: 0.5, Source: "epss"},
		Reasons: []plan.Reason{{Term: "base rate", Value: "2 % of changes on a host go wrong", Effect: -3.89}, {Term: "class", Value: "high"}},
		Test:    "canary", Feasible: true,
	}
}

// wave is hosts from first to last, each getting every patch.
func wave(start time.Time, first, last int, patches ...plan.Patch) plan.Wave {
	w := plan.Wave{Start: start, NotAfter: start.Add(2 * time.Hour), End: start.Add(time.Hour), Soak: "1d"}
	for i := first; i <= last; i++ {
		for _, p := range patches {
			w.Changes = append(w.Changes, plan.Change{Host: inventory.HostID(fmt.Sprintf("web-%04d", i)), Patch: p.ID, From: "1.0-1", DeployRisk: p.DeployRisk})
		}
	}
	return w
}

func ringOf(name string, waves ...plan.Wave) plan.Ring {
	return plan.Ring{Name: name, Soak: "1d", Gates: []string{"every host of the ring has ended, and at least one is healthy"}, Waves: waves}
}

// sample is a plan with something of everything.
func sample() *plan.Plan {
	lib, bin, late := patchOf("xz-libs", "5.2-1"), patchOf("xz", "5.2-1"), patchOf("sudo", "1.9-2")
	late.KnownExploited, late.Feasible, late.Deadline = true, false, at.AddDate(-1, 0, 0)
	late.ClockStart = late.Deadline.AddDate(0, 0, -7)
	late.Conflict = []plan.Constraint{{Kind: "clock", Name: "kev", Message: "must be done by last year"}, {Kind: "window", Name: "nights", Message: "opens at 22:00"}}
	late.WaysOut = []plan.WayOut{{Kind: "window", Message: "a window on Monday", Feasible: true}, {Kind: "accept", Message: "signed acceptance of the overrun"}}
	late.Decisions = []plan.Decision{{Rule: "reboot.warn", Effect: plan.Warn, Message: "a reboot may follow"}}
	p := &plan.Plan{
		Schema: plan.Schema, ID: "high-shop-1", At: at, Digest: "sha256:00", Expires: at.AddDate(0, 0, 9),
		Inputs: plan.Inputs{Engine: "v0.1.0", Commit: "0123456789abcdef"}, Population: plan.Population{Declared: 30, Fresh: 28, Stale: 1, Unknown: 1},
		Patches:   []plan.Patch{lib, bin, late},
		Rings:     []plan.Ring{ringOf("canary", wave(at, 1, 1, lib, bin, late)), ringOf("broad", wave(at.Add(24*time.Hour), 2, 20, lib, bin, late))},
		Approvals: []plan.Approval{{From: "team-shop", Count: 1, By: at, EscalateTo: "owners", Because: "orders: the deadline cannot be met; shop: the deadline cannot be met; shop: the history is short"}},
		Scanners:  []plan.Dispute{{Host: "web-0001", Package: "xz", CVE: "CVE-2025-1", Says: "scanner", Scanner: "5.4", Why: "the distribution fixed it in 5.2-1"}},
	}
	for i := range 12 {
		p.NotPlanned = append(p.NotPlanned, plan.Skipped{Patch: lib.ID, Host: inventory.HostID(fmt.Sprintf("db-%02d", i)), Why: "freeze.hold: stocktaking", Until: at.Add(72 * time.Hour), Deadline: lib.Deadline, Overdue: i < 2})
	}
	return p
}

func TestGolden(t *testing.T) {
	p := sample()
	golden(t, "plan.md", Files(p)["plan.md"])
	golden(t, "body.md", []byte(Body(p, 65536, Page{At: "https://git.example/acme/estate/raw/abc/plans/high-shop-1/"})))
	var b bytes.Buffer
	if err := Text(&b, p, TextOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.txt", b.Bytes())
	for name, data := range read(p).pictures() {
		golden(t, name, data)
	}
	p.Rings = nil
	golden(t, "nothing.md", Markdown(p))
}

// A ring from which every wave was taken away is shown, and has no beginning.
func TestRingWithoutWaves(t *testing.T) {
	p := sample()
	p.Rings[0].Waves = nil
	var b strings.Builder
	if err := Text(&b, p, TextOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), " nothing now\n") {
		t.Errorf("Text() =\n%s\nwant a ring in which there is nothing now", b.String())
	}
	for _, text := range []string{string(Markdown(p)), Body(p, 65536, Page{})} {
		if !strings.Contains(text, p.Rings[1].Name) {
			t.Errorf("the ring after it is not in\n%s", text)
		}
	}
	read(p).pictures()
}

// large is a plan whose every text is long and whose every list is.
func large() *plan.Plan {
	p := sample()
	p.Patches, p.Rings = nil, nil
	for i := range 50 {
		x := patchOf(fmt.Sprintf("package-%02d-%s", i, strings.Repeat("x", 150)), "1.0-2")
		x.Feasible, x.Conflict = false, []plan.Constraint{{Kind: "clock", Name: strings.Repeat("n", i), Message: strings.Repeat("m", 900)}}
		p.Patches = append(p.Patches, x)
	}
	for i := range 50 {
		p.Rings = append(p.Rings, ringOf(fmt.Sprintf("ring-%02d-%s", i, strings.Repeat("r", 50)), wave(at, i*2, i*2+1, p.Patches...)))
	}
	for i := range 100 {
		p.NotPlanned = append(p.NotPlanned, plan.Skipped{Patch: p.Patches[0].ID, Host: "db", Why: fmt.Sprintf("reason r%d %s", i, strings.Repeat("y", 2000))})
	}
	for i := range 40 {
		p.Approvals = append(p.Approvals, plan.Approval{From: fmt.Sprintf("team-%d-%s", i, strings.Repeat("t", 80)), Count: 1, By: at.Add(time.Hour), Because: strings.Repeat("b", 3000)})
	}
	return p
}

// TestBodyFits: what GitHub takes for a description, whatever a plan holds. No
// part is cut in its middle, and what is not there is named.
func TestBodyFits(t *testing.T) {
	lines := []string{strings.Repeat("z", 9000)}
	whole := Page{At: "https://git.example/raw/abc/plans/x/", Whole: "https://git.example/blob/abc/plans/x/plan.md", Since: lines, Reviewed: []Reviewed{{By: "alice", At: at, Since: lines}}, Overrides: slices.Repeat([]Hold{{Kind: "hold", What: "host web-01", Why: strings.Repeat("w", 1000), By: "alice", Until: at}}, 500)}
	for name, p := range map[string]*plan.Plan{"sample": sample(), "large": large(), "&": poison(strings.Repeat("&", 3000))} {
		s := read(p)
		for _, limit := range []int{65536, 40000, 20000, 12000, 8000} {
			body := Body(p, limit, whole)
			if got := size(body); got > limit {
				t.Errorf("Body(%s, %d) has %d characters", name, limit, got)
			}
			if !strings.HasPrefix(body, "**What** ") || !strings.Contains(body, "Every change and every reason: [`plan.md`](https://git.example/blob/abc/plans/x/plan.md).") {
				t.Errorf("Body(%s, %d) begins %.80q and does not say where the rest is", name, limit, body)
			}
			_, out, _ := strings.Cut(body, "Left out here for want of room: ")
			rest := strings.TrimPrefix(body, s.summary())
			for _, part := range append([]chapter{{"Since the last version", func(d detail) string { return since(lines, d) }}}, s.parts()...) {
				here := strings.Contains(rest, part.text(brief)) || strings.Contains(rest, part.text(short))
				if gone := strings.Contains(out, part.title); here == gone {
					t.Errorf("Body(%s, %d): part %q is there whole: %v, said to be left out: %v", name, limit, part.title, here, gone)
				}
			}
		}
	}
	if n := size(Title(large())); n > 200 {
		t.Errorf("Title has %d characters", n)
	}
}

// TestSummaryFitsAPhone: a plan's summary is a phone's screen, 24 lines of 44
// characters, and not much more whatever a plan holds.
func TestSummaryFitsAPhone(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan *plan.Plan
		most int
	}{{"a plan", sample(), 24}, {"a large plan", large(), 32}, {"long texts", poison(strings.Repeat("long ", 300)), 32}} {
		lines := 0
		text := phone(markuptest.Parse(t, read(tt.plan).summary()))
		for l := range strings.Lines(text) {
			lines += len(wrap(l, 44))
		}
		if lines > tt.most {
			t.Errorf("the summary of %s has %d lines, want %d at most:\n%s", tt.name, lines, tt.most, text)
		}
	}
}

// poison is the sample with one hostile text wherever a text comes from outside.
func poison(s string) *plan.Plan {
	p := sample()
	for i := range p.Patches {
		x := &p.Patches[i]
		x.Vendor, x.Advisories, x.CVEs = s, []string{s}, []string{s}
		x.Clock, x.ClockFrom, x.DeployRisk.Source = s, s, s
		x.Reasons = []plan.Reason{{Term: s, Value: s}}
		x.NoRollback = []plan.NoRollback{{Why: s, Instead: s, Hosts: []inventory.HostID{inventory.HostID(s), "x"}}, {Why: s, Instead: s}}
		x.Decisions = []plan.Decision{{Rule: s, Effect: plan.Effect(s), Message: s, Remedy: s}}
		for j := range x.Conflict {
			x.Conflict[j] = plan.Constraint{Kind: s, Name: s, Message: s}
		}
		for j := range x.WaysOut {
			x.WaysOut[j].Message = s
		}
		old := x.ID
		x.ID, x.Package, x.To = plan.PatchID(s+string(old)), s, s
		for _, r := range p.Rings {
			for _, w := range r.Waves {
				for k := range w.Changes {
					if w.Changes[k].Patch == old {
						w.Changes[k].Patch, w.Changes[k].From, w.Changes[k].DeployRisk.Source = x.ID, s, s
						w.Changes[k].Host = inventory.HostID(s) + w.Changes[k].Host
					}
				}
			}
		}
	}
	for i := range p.Rings {
		p.Rings[i].Name, p.Rings[i].Gates = s, []string{s}
	}
	for i := range p.NotPlanned {
		p.NotPlanned[i].Why, p.NotPlanned[i].Patch, p.NotPlanned[i].Host = s, plan.PatchID(s), inventory.HostID(s)
	}
	for i := range p.Approvals {
		p.Approvals[i].From, p.Approvals[i].EscalateTo, p.Approvals[i].Because = s, s, s
	}
	p.Scanners = []plan.Dispute{{Host: inventory.HostID(s), Package: s, CVE: s, Says: "fixed", Scanner: s, Match: s, Why: s}}
	p.Inputs.Engine, p.Inputs.Commit, p.Digest = s, s, s
	return p
}

// TestHostileTextsOnATerminal: TestTextsStayTexts is about pages.
func TestHostileTextsOnATerminal(t *testing.T) {
	for _, s := range markuptest.Hostile {
		var b bytes.Buffer
		for n := range 3 {
			long := strings.Repeat("word ", 10+n) + s // which may wrap before it
			if err := Text(&b, poison(long), TextOptions{Width: 60 + n}); err != nil {
				t.Fatal(err)
			}
			if err := board(long).Text(&b, TextOptions{Width: 60 + n}); err != nil {
				t.Fatal(err)
			}
		}
		if strings.ContainsFunc(b.String(), func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }) {
			t.Errorf("Text of %q commands the terminal: %q", s, b.String())
		}
		for l := range strings.Lines(b.String()) {
			if strings.HasPrefix(l, "::") || strings.HasPrefix(l, "##[") {
				t.Errorf("Text of %q begins a line as a workflow command does: %q", s, l)
			}
		}
	}
}

func TestBecause(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"the fleet cannot roll back", "the fleet cannot roll back"},
		{"a: late; b: late; b: new", "late (a, b); new (b)"},
		{"a: one; a: one", "one (a)"},
		{"the deadline cannot be met; approving accepts it", "the deadline cannot be met; approving accepts it"},
	} {
		if got := because(c.in, 4); got != c.want {
			t.Errorf("because(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
