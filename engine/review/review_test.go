package review

import (
	"encoding/json"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var (
	february = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	march    = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
)

func day(n, hour int) time.Time { return time.Date(2026, 2, n, hour, 0, 0, 0, time.UTC) }

// deed is a plan of one high patch, published on the first, due on the eighth.
func deed(hosts map[inventory.HostID]float64, lines ...outcome.Line) Deed {
	w := plan.Wave{}
	for h, p := range hosts {
		w.Changes = append(w.Changes, plan.Change{Host: h, Patch: patch, DeployRisk: plan.Risk{P: p, Source: "rules"}})
	}
	return Deed{
		Plan: &plan.Plan{
			ID: "high-main-1", At: day(1, 9), Patches: []plan.Patch{{ID: patch, Class: plan.High, ClockStart: february, Deadline: day(8, 0)}},
			Rings: []plan.Ring{{Name: "canary", Waves: []plan.Wave{w}}},
		},
		Lines: lines,
	}
}

const patch = "generic:heron-web@4.2.2"

func line(at time.Time, host string, e outcome.Event) outcome.Line {
	return outcome.Line{At: at, Host: inventory.HostID(host), Patch: patch, Event: e}
}

// A month by hand: a is healthy in time, b too late, c is rolled back after 90
// minutes, d was never begun and its deadline has passed.
func month() Input {
	return Input{
		From: february, To: march,
		Deeds: []Deed{deed(map[inventory.HostID]float64{"a": 0.01, "b": 0.02, "c": 0.3, "d": 0.02},
			line(day(2, 0), "a", outcome.Applied), line(day(3, 0), "a", outcome.Healthy),
			line(day(9, 0), "b", outcome.Applied), line(day(10, 0), "b", outcome.Healthy),
			line(day(4, 0), "c", outcome.Applied), line(day(4, 1), "c", outcome.Degraded), line(day(4, 1).Add(30*time.Minute), "c", outcome.RolledBack),
		)},
		Cost: func(h inventory.HostID) (float64, bool) { return 10, true },
	}
}

func ptr(x float64) *float64 { return &x }

func TestMonth(t *testing.T) {
	r, err := Of(month())
	if err != nil {
		t.Fatal(err)
	}
	if r.Changes != 3 || r.Failed != 1 {
		t.Errorf("%d changes, %d failed; want 3 and 1", r.Changes, r.Failed)
	}
	wantClock := []Clock{{Class: plan.High, Met: 1, Missed: 3, Open: 2, Hours: ptr(216), Hours90: ptr(216), ExposureDays: 2 + 9 + 28 + 28}}
	if diff := cmp.Diff(wantClock, r.Clocks); diff != "" {
		t.Errorf("clocks (-want +got):\n%s", diff)
	}
	wantWarned := Caught{Flagged: 1, Hits: 1, Precision: ptr(1), Recall: ptr(1)}
	if diff := cmp.Diff(wantWarned, r.Predictions.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if r.Predictions.Expected != 0.33 || *r.Predictions.AUC != 1 {
		t.Errorf("expected %v, AUC %v; want 0.33 and 1", r.Predictions.Expected, *r.Predictions.AUC)
	}
	if diff := cmp.Diff(Trouble{RolledBack: 1, Minutes: ptr(90), Cost: ptr(900)}, r.Trouble); diff != "" {
		t.Errorf("trouble (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Reach{Due: 4, Done: 2, Share: ptr(0.5)}, r.Reach); diff != "" {
		t.Errorf("reach (-want +got):\n%s", diff)
	}
	if r.Saved.Failures != nil || !strings.Contains(r.Saved.Note, "declares no baseline") {
		t.Errorf("saved = %+v; nothing may be claimed without a baseline", r.Saved)
	}
}

func TestSavedAgainstTheBaseline(t *testing.T) {
	in := month()
	var err error
	in.Baseline, err = ParseBaseline(map[string]string{"high": "14d", "failure_rate": "50%", "outage_minutes": "120", "staff_minutes": "20"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Of(in)
	if err != nil {
		t.Fatal(err)
	}
	// 3 changes at 50 % are 1.5 failures of 120 minutes at 10 a minute; ours cost 900.
	if *r.Saved.Failures != 0.5 || *r.Saved.Cost != 900 || *r.Saved.StaffHours != 1 {
		t.Errorf("saved = %v failures, %v, %v staff hours; want 0.5, 900, 1", *r.Saved.Failures, *r.Saved.Cost, *r.Saved.StaffHours)
	}
	if !(*r.Saved.FailuresLow < 0.5 && 0.5 < *r.Saved.FailuresHigh) {
		t.Errorf("the interval %v to %v does not hold 0.5", *r.Saved.FailuresLow, *r.Saved.FailuresHigh)
	}
	if *r.Clocks[0].Baseline != 14*24 {
		t.Errorf("baseline = %v hours, want %d", *r.Clocks[0].Baseline, 14*24)
	}
}

// With an unpriced host among the failures, the cost of ours is not known.
func TestNoSavingWithoutPrices(t *testing.T) {
	in := month()
	in.Cost = func(h inventory.HostID) (float64, bool) { return 10, h != "c" }
	in.Baseline = Baseline{FailureRate: ptr(0.5), OutageMinutes: ptr(120)}
	r, err := Of(in)
	if err != nil {
		t.Fatal(err)
	}
	if r.Saved.Cost != nil || r.Trouble.Unpriced != 1 || r.Trouble.Cost != nil {
		t.Errorf("cost saved %v of %+v; want none claimed", r.Saved.Cost, r.Trouble)
	}
}

func TestParseBaseline(t *testing.T) {
	_, err := ParseBaseline(map[string]string{"critical": "soon", "failure_rate": "120%", "staff_minute": "3", "outage_minutes": "-1"})
	want := `baseline critical: "soon" is not a duration; expected one such as "14d" or "36h"; ` +
		`baseline failure_rate: "120%" is not a share; expected one such as "4%" or "0.04"; ` +
		`baseline outage_minutes: "-1" is not a number of minutes; ` +
		`baseline has no "staff_minute"; expected one of "critical", "high", "standard", "low", "failure_rate", "outage_minutes", "staff_minutes"`
	if err == nil || err.Error() != want {
		t.Errorf("ParseBaseline() = %v\nwant %s", err, want)
	}
}

// A person who said high of what then failed is nearer than a score of 2 %, and
// the other way round.
func TestPeople(t *testing.T) {
	for _, c := range []struct {
		said, host string
		model      float64
		nearer     string
	}{
		{"high", "c", 0.02, "person"},
		{"high", "a", 0.02, "model"},
		{"low", "a", 0.2, "person"},
		{"low", "c", 0.2, "model"},
		{"low", "d", 0.2, ""}, // nothing has ended on d: not scored
	} {
		in := month()
		in.Overrides = []outcome.Override{{At: day(1, 10), By: "ann", Kind: "risk", Patch: "generic:heron-web@*", Host: inventory.HostID(c.host), Value: c.said, Predicted: &c.model}}
		r, err := Of(in)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(r.People) == 1 {
			got = r.People[0].Nearer
		}
		if got != c.nearer {
			t.Errorf("%s about %s at %v: nearer = %q, want %q", c.said, c.host, c.model, got, c.nearer)
		}
	}
}

// The report names where people beat the score, and where they did not.
func TestPeopleAreNamed(t *testing.T) {
	in := month()
	in.Overrides = []outcome.Override{
		{At: day(1, 10), By: "ann", Kind: "risk", Patch: patch, Host: "c", Value: "high", Predicted: ptr(0.02), Reason: "seen in the lab"},
		{At: day(1, 11), By: "bob", Kind: "risk", Patch: patch, Host: "a", Value: "high", Predicted: ptr(0.02), Reason: "a feeling"},
		{At: day(1, 12), By: "eve", Kind: "risk", Patch: patch, Host: "d", Value: "low", Predicted: ptr(0.2), Reason: "not scored yet"},
	}
	r, err := Of(in)
	if err != nil {
		t.Fatal(err)
	}
	md := r.Markdown()
	for _, want := range []string{
		"People were nearer to what happened 1 times, the score 1 times.",
		"| ann | `" + patch + "` | high | 2.0 % | 1 of 1 went wrong | person | seen in the lab |",
		"| bob | `" + patch + "` | high | 2.0 % | 0 of 1 went wrong | model | a feeling |",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("the report does not say %q:\n%s", want, md)
		}
	}
	if strings.Contains(md, "eve") {
		t.Errorf("what has not ended is scored:\n%s", md)
	}
}

// What ends later is not in the month, and what has ended before is not either.
func TestOnlyTheSpan(t *testing.T) {
	in := month()
	in.From, in.To = day(4, 0), day(10, 0)
	r, err := Of(in)
	if err != nil {
		t.Fatal(err)
	}
	if r.Changes != 1 || r.Clocks[0].Met != 0 || r.Clocks[0].Missed != 3 {
		t.Errorf("%d changes, clocks %+v; want c alone, and b, c, d missed", r.Changes, r.Clocks)
	}
}

func TestNothingEnded(t *testing.T) {
	r, err := Of(Input{From: february, To: march})
	if err != nil {
		t.Fatal(err)
	}
	if r.Predictions.LogLoss != nil || r.Reach.Share != nil || r.Trouble.Minutes != nil || !strings.Contains(r.Markdown(), "No change ended") {
		t.Errorf("an empty month has figures: %s", r.Markdown())
	}
}

// The same bytes whatever the order of plans and changes.
func TestOrderDoesNotMatter(t *testing.T) {
	in := month()
	other := deed(map[inventory.HostID]float64{"x": 0.02, "y": 0.02}, line(day(5, 0), "x", outcome.Healthy), line(day(5, 0), "y", outcome.Failed))
	other.Plan.ID = "high-main-2"
	in.Deeds = append(in.Deeds, other)
	first := bytesOf(t, in)
	r := rand.New(rand.NewSource(1))
	for range 20 {
		r.Shuffle(len(in.Deeds), func(i, j int) { in.Deeds[i], in.Deeds[j] = in.Deeds[j], in.Deeds[i] })
		for _, d := range in.Deeds {
			list := d.Plan.Rings[0].Waves[0].Changes
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		if got := bytesOf(t, in); got != first {
			t.Fatalf("another order gives\n%s\nwant\n%s", got, first)
		}
	}
}

func bytesOf(t *testing.T, in Input) string {
	t.Helper()
	r, err := Of(in)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + r.Markdown()
}

// Text from outside cannot leave its cell or become markup.
func TestMarkdownIsInert(t *testing.T) {
	in := month()
	in.Overrides = []outcome.Override{{At: day(1, 10), By: "ann|x", Kind: "risk", Patch: "*", Value: "high", Predicted: ptr(0.02), Reason: "see <img src=x>\n# no @all `a`"}}
	r, err := Of(in)
	if err != nil {
		t.Fatal(err)
	}
	md := r.Markdown()
	for _, bad := range []string{"<img", "\n# no", "@all"} {
		if strings.Contains(md, bad) {
			t.Errorf("the report holds %q", bad)
		}
	}
	rows := slices.DeleteFunc(strings.Split(md, "\n"), func(l string) bool { return !strings.Contains(l, "ann") })
	if len(rows) != 1 || strings.Count(strings.ReplaceAll(rows[0], `\|`, ""), "|") != 8 {
		t.Errorf("the row is %q; want 7 cells", rows)
	}
}
