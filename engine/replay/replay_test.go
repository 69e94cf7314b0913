package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/markup/markuptest"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

var at = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const patch plan.PatchID = "deb:openssl@3.0.15"

// stop is a rule that keeps a change out.
func stop(rule string, effect plan.Effect) *plan.Decision {
	return &plan.Decision{Rule: rule, Effect: effect, Message: rule + " says so"}
}

// answer is a change on a host that passes, with a wave; stop and until may
// take it out.
func answer(host string, s *plan.Decision, until time.Time) Answer {
	a := Answer{Host: inventory.HostID(host), Patch: patch, Class: plan.High, Until: until, Stop: s}
	if s == nil {
		a.Start, a.End = at.Add(time.Hour), at.Add(2*time.Hour)
	} else {
		a.Decisions = []plan.Decision{*s}
	}
	return a
}

func line(host string, event outcome.Event, after time.Duration) outcome.Line {
	return outcome.Line{Host: inventory.HostID(host), Patch: patch, Event: event, At: at.Add(after)}
}

const day = 24 * time.Hour

// Each row is one change: what both sides say, what then happened, and what the
// report counts.
func TestFlips(t *testing.T) {
	hold, deny := stop("freeze.hold", plan.Hold), stop("freeze.deny", plan.Deny)
	soon := at.Add(10 * day)
	none := time.Time{}
	tests := []struct {
		name    string
		was, is Answer
		lines   []outcome.Line
		want    Report // the counts alone
	}{
		{"as before", answer("a", nil, none), answer("a", nil, none), nil, Report{}},
		{"stopped, failed then", answer("a", nil, none), answer("a", deny, soon),
			[]outcome.Line{line("a", outcome.Applied, time.Hour), line("a", outcome.Degraded, 2*time.Hour), line("a", outcome.RolledBack, 3*time.Hour)},
			Report{Stopped: Stopped{Changes: 1, Hosts: 1, Failed: 1}}},
		{"stopped, healthy then, until a date", answer("a", nil, none), answer("a", hold, soon),
			[]outcome.Line{line("a", outcome.Healthy, 4*day)},
			Report{Stopped: Stopped{Changes: 1, Hosts: 1, Healthy: 1, Days: 6}}},
		{"stopped, healthy after the rule opens", answer("a", nil, none), answer("a", hold, soon),
			[]outcome.Line{line("a", outcome.Healthy, 11*day)},
			Report{Stopped: Stopped{Changes: 1, Hosts: 1, Healthy: 1}}},
		{"stopped, healthy then, no end named", answer("a", nil, none), answer("a", hold, none),
			[]outcome.Line{line("a", outcome.Healthy, 4*day)},
			Report{Stopped: Stopped{Changes: 1, Hosts: 1, Healthy: 1, OpenEnd: 1}}},
		{"stopped, never ran", answer("a", nil, none), answer("a", hold, soon),
			[]outcome.Line{line("a", outcome.Skipped, 4*day)},
			Report{Stopped: Stopped{Changes: 1, Hosts: 1, Never: 1}}},
		{"let pass, never healthy since", answer("a", hold, soon), answer("a", nil, none), nil,
			Report{Opened: Opened{Decisions: 1, Changes: 1, Hosts: 1, Waiting: 1}}},
		{"let pass, no room", answer("a", hold, soon), Answer{Host: "a", Patch: patch, Class: plan.High}, nil,
			Report{Opened: Opened{Decisions: 1, Changes: 1, Hosts: 1, Unplaced: 1}}},
		{"harder", answer("a", hold, soon), answer("a", deny, soon), nil, Report{Harder: 1}},
		{"softer", answer("a", deny, soon), answer("a", hold, soon), nil, Report{Softer: 1}},
		{"other rule, as hard", answer("a", deny, soon), answer("a", stop("blast.deny", plan.Deny), soon), nil, Report{}},
		{"moved", answer("a", nil, none), Answer{Host: "a", Patch: patch, Class: plan.High, Start: at.Add(day + time.Hour)}, nil, Report{Moved: 1, MovedDays: 1}},
		{"squeezed out", answer("a", nil, none), Answer{Host: "a", Patch: patch, Class: plan.High}, nil, Report{Squeezed: 1}},
		{"not asked about by the other", answer("a", nil, none), answer("b", nil, none), nil, Report{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := New()
			b.Happened("p", Fates(test.lines))
			b.Add(Plan{ID: "p", At: at, Questions: 2, Before: Side{Answers: []Answer{test.was}}, After: Side{Answers: []Answer{test.is}}})
			r := b.Report(at.Add(30 * day))
			got := Report{Stopped: r.Stopped, Opened: r.Opened, Harder: r.Harder, Softer: r.Softer, Squeezed: r.Squeezed, Moved: r.Moved, MovedDays: r.MovedDays}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Report() (-want +got):\n%s", diff)
			}
			if r.Plans != 1 || r.Decisions != 2 {
				t.Errorf("Report() = %d plans, %d decisions; want 1, 2", r.Plans, r.Decisions)
			}
		})
	}
}

// A patch that waits for a host is asked about by one plan after another: its
// days of waiting count once, from the first wave that it would have had.
func TestWaitedOnce(t *testing.T) {
	hold := stop("freeze.hold", plan.Hold)
	passes := answer("a", nil, time.Time{})
	later := passes
	later.Start, later.End = passes.Start.Add(day), passes.End.Add(day)
	fates := map[string][]Fate{"p3": Fates([]outcome.Line{line("a", outcome.Healthy, 5*day+2*time.Hour)}), "p4": Fates([]outcome.Line{line("a", outcome.Healthy, 9*day)})}
	plans := []Plan{
		{ID: "p1", At: at, Before: Side{Answers: []Answer{answer("a", hold, time.Time{})}}, After: Side{Answers: []Answer{passes}}},
		{ID: "p2", At: at.Add(day), Before: Side{Answers: []Answer{answer("a", hold, time.Time{})}}, After: Side{Answers: []Answer{later}}},
	}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		b := New()
		for id, list := range fates {
			b.Happened(id, list)
		}
		for _, i := range order {
			b.Add(plans[i])
		}
		want := Opened{Decisions: 2, Changes: 1, Hosts: 1, Days: 5, Ended: 1}
		if diff := cmp.Diff(want, b.Report(at.Add(30*day)).Opened); diff != "" {
			t.Errorf("Opened (-want +got):\n%s", diff)
		}
	}
}

// Who is asked, and by which rule, is told by team and rule.
func TestApprovalsAndRules(t *testing.T) {
	warn := plan.Decision{Rule: "people.warn", Effect: plan.Warn, Message: "look at it"}
	was, is := answer("a", nil, time.Time{}), answer("a", nil, time.Time{})
	is.Planned = []plan.Decision{warn}
	b := New()
	b.Add(Plan{ID: "p", At: at,
		Before: Side{Answers: []Answer{was}, Approvals: []plan.Approval{{From: "ops", Count: 1}, {From: "dba", Count: 1}}},
		After:  Side{Answers: []Answer{is}, Approvals: []plan.Approval{{From: "ops", Count: 3}}}})
	r := b.Report(at)
	wantTeams := []Approval{{From: "dba", Before: 1, After: 0, More: []string{}, Fewer: []string{"p"}}, {From: "ops", Before: 1, After: 3, More: []string{"p"}, Fewer: []string{}}}
	if diff := cmp.Diff(wantTeams, r.Approvals); diff != "" {
		t.Errorf("Approvals (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Rule{{Rule: "people.warn", More: 1, Says: "look at it"}}, r.Rules); diff != "" {
		t.Errorf("Rules (-want +got):\n%s", diff)
	}
}

// hostile is a report with a text wherever one comes from outside.
func hostile(s string) *Report {
	says := &plan.Decision{Rule: s, Effect: plan.Deny, Message: s}
	b := New()
	was, is := answer("a", nil, time.Time{}), answer("a", says, time.Time{})
	b.Add(Plan{ID: s, At: at, Before: Side{Answers: []Answer{was}}, After: Side{Answers: []Answer{is}, Approvals: []plan.Approval{{From: s, Count: 1}}}})
	b.Skip(s, s)
	r := b.Report(at)
	r.Candidate, r.Baseline, r.Changed = s, s, []string{s}
	return r
}

// Of one plan and host that flips, everything from outside stays text, on a page
// and on a terminal.
func TestHostileTexts(t *testing.T) {
	markuptest.Pages(t, func(s string) map[string]string { return map[string]string{"the replay": hostile(s).Markdown()} })
	for _, s := range markuptest.Hostile {
		var text strings.Builder
		if err := hostile(s).Text(&text); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(text.String(), func(r rune) bool { return r != '\n' && (r < ' ' || r == '\u202e') }); i >= 0 {
			t.Errorf("Text() of %q has a control character: %q", s, text.String()[max(0, i-20):i+1])
		}
	}
}

// What is shown is bounded, and JSON has all.
func TestBounded(t *testing.T) {
	p := Plan{ID: "p", At: at}
	for _, host := range hosts(500) {
		p.Before.Answers = append(p.Before.Answers, answer(host, nil, time.Time{}))
		p.After.Answers = append(p.After.Answers, answer(host, stop("freeze.deny", plan.Deny), time.Time{}))
	}
	b := New()
	b.Add(p)
	r := b.Report(at)
	if len(r.Flips) != 500 || len(r.Hosts) != 500 {
		t.Errorf("Report() has %d flips on %d hosts, want 500 on 500", len(r.Flips), len(r.Hosts))
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "\n"); n > 40 || !strings.Contains(text.String(), "485 more; --format json has all") {
		t.Errorf("Text() has %d lines:\n%s", n, text.String())
	}
	if n := len(r.Markdown()); n > 4000 {
		t.Errorf("Markdown() has %d bytes", n)
	}
}

func hosts(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "web-" + string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10)})
	}
	return list
}

// The last verdict counts, whatever order hosts stand in.
func TestFates(t *testing.T) {
	got := Fates([]outcome.Line{
		line("b", outcome.Intended, 0), line("b", outcome.Applied, time.Hour), line("a", outcome.Healthy, time.Hour),
		line("b", outcome.Degraded, 2*time.Hour), {Event: outcome.Held, Patch: patch, At: at}, line("b", outcome.RolledBack, 3*time.Hour), line("c", outcome.Skipped, time.Hour),
	})
	want := []Fate{{"a", patch, outcome.Healthy, at.Add(time.Hour)}, {"b", patch, outcome.RolledBack, at.Add(3 * time.Hour)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Fates() (-want +got):\n%s", diff)
	}
}

// TestIncidents: incidents that a patch caused on a host after its plan are counted
// once, however many plans had the change.
func TestIncidents(t *testing.T) {
	minutes := 90.0
	b := New()
	b.Troubled([]outcome.Incident{
		{Opened: at.Add(day), Host: "a", Patch: string(patch), Minutes: &minutes},
		{Opened: at.Add(2 * day), Host: "a", Patch: string(patch)},
		{Opened: at.Add(-day), Host: "a", Patch: string(patch), Minutes: &minutes},
		{Opened: at.Add(day), Host: "b", Patch: string(patch), Minutes: &minutes},
		{Opened: at.Add(day), Host: "a", Minutes: &minutes},
	})
	deny := stop("freeze.deny", plan.Deny)
	for _, id := range []string{"p", "q"} {
		b.Add(Plan{ID: id, At: at, Before: Side{Answers: []Answer{answer("a", nil, time.Time{}), answer("b", nil, time.Time{})}},
			After: Side{Answers: []Answer{answer("a", deny, time.Time{}), answer("b", nil, time.Time{})}}})
	}
	r := b.Report(at)
	if s := r.Stopped; s.Changes != 2 || s.Incidents != 2 || s.Minutes != 90 {
		t.Errorf("Stopped = %+v", s)
	}
	if !strings.Contains(r.Markdown(), "2 recorded incidents of these patches there followed, of 90 minutes as far as that is known") {
		t.Error(r.Markdown())
	}
}
