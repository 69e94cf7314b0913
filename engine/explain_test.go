package engine

import (
	"context"
	"io"

	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	starter "github.com/ringmaster-dev/ringmaster"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// demoEnv is the demo's estate before its first plan.
func demoEnv(t *testing.T) *Env {
	t.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	d := &demo{DemoOptions: DemoOptions{Dir: t.TempDir(), Starter: starter.Files, At: DemoAt, Log: log, Out: io.Discard}, ctx: context.Background(), at: DemoAt}
	if err := d.estate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.repo.Close() })
	return d.env()
}

// TestExplainHolds: on the demo's estate, when it plans and when its facts have
// grown old, every host that needs a patch is told once, what rules said is what
// the plan has, and every change of facts that is said to alter a decision does,
// and no part of one.
func TestExplainHolds(t *testing.T) {
	flips, kinds := 0, map[string]int{}
	for _, days := range []int{0, 10} {
		e := demoEnv(t)
		e.At = DemoAt.Add(time.Duration(days) * 24 * time.Hour)
		r, err := e.Plan(context.Background(), PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if days == 0 {
			e.unknown(t)
		}
		for _, made := range r.Plans {
			p := made.Plan
			for _, patch := range p.Patches {
				x, err := e.Explain(ExplainOptions{Plan: p.ID, Patch: string(patch.ID), Budget: times(20, 40)})
				if err != nil {
					t.Fatal(err)
				}
				if len(x.Notes) > 0 {
					t.Errorf("Explain() notes %q, want none of the same engine's plan", x.Notes)
				}
				s, err := e.scene(p, patch.ID)
				if err != nil {
					t.Fatal(err)
				}
				if told := hostsTold(x); !slices.Equal(told, s.needing()) && x.More == 0 {
					t.Errorf("%s %s: told are %v, needed by %v", p.ID, patch.ID, told, s.needing())
				}
				for _, c := range x.Cases {
					kinds[caseKind(&c)]++
					flips += s.reevaluated(t, p, &c)
				}
			}
		}
	}
	t.Logf("%d flips, cases: %v", flips, kinds)
	if flips < 20 || kinds["planned"] == 0 || kinds["not planned"] == 0 {
		t.Errorf("too little was tried")
	}
}

func caseKind(c *Case) string {
	if c.Skipped != nil {
		return "not planned"
	}
	return "planned"
}

func hostsTold(x *Explanation) []inventory.HostID {
	var list []inventory.HostID
	for _, c := range x.Cases {
		list = append(list, c.Hosts...)
	}
	slices.Sort(list)
	return list
}

// reevaluated asks the policies again about each flip of a case and its parts,
// and returns how many flips there were.
func (s *scene) reevaluated(t *testing.T, p *plan.Plan, c *Case) int {
	t.Helper()
	x := s.decider.est.Exceptions
	n := 0
	for _, q := range c.Asked {
		in := s.input(q.Point, c.Hosts[0])
		said := s.decider.policies.Decide(in, x)
		if policy.Stops(said) != q.Search.Stopped {
			t.Errorf("%s: told stopped %v, policies say %v", q.About, q.Search.Stopped, said)
		}
		if c.Skipped != nil && q.Search.Stopped && !strings.HasPrefix(c.Skipped.Why, said[0].Rule+": "+said[0].Message) {
			t.Errorf("%s: the plan says %q, policies %v", q.About, c.Skipped.Why, said[0])
		}
		for _, f := range q.Search.Flips {
			n++
			for mask := range 1 << len(f.Changes) {
				var part []policy.Alteration
				for i := range f.Changes {
					if mask&(1<<i) != 0 {
						part = append(part, f.Changes[i])
					}
				}
				then, err := s.decider.policies.Then(in, x, part)
				if err != nil {
					t.Fatal(err)
				}
				whole := mask == 1<<len(f.Changes)-1
				if (policy.Stops(then) != q.Search.Stopped) != whole {
					t.Errorf("%s of plan %s: with %v of %v it says %v", q.About, p.ID, part, f.Changes, then)
				}
				if whole && !cmp.Equal(then, f.Decisions) {
					t.Error(cmp.Diff(then, f.Decisions))
				}
			}
		}
	}
	return n
}

// input is what policies were asked about a host at a point.
func (s *scene) input(point policy.Point, host inventory.HostID) *policy.Input {
	if point == policy.Change {
		return s.changeInput(s.placeOf(host))
	}
	i := slices.IndexFunc(s.waves, func(w waveAsked) bool { return w.hosts[host] })
	return s.waves[i].input
}

// unknown: what is not there is told with what is.
func (e *Env) unknown(t *testing.T) {
	t.Helper()
	tests := []struct {
		plan, patch, host string
		want              string
	}{
		{"high-payment-1", "x", "", `did you mean "high-payments-1"?`},
		{"high-payments-1", "heron", "", `plan high-payments-1 has no patch "heron"; expected "generic:heron-web@4.2.2"`},
		{"high-payments-1", "generic:*", "web-99", `is not needed by host "web-99"`},
	}
	for _, tt := range tests {
		if _, err := e.Explain(ExplainOptions{Plan: tt.plan, Patch: tt.patch, Host: tt.host}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Explain(%s %s %s) = %v, want %s", tt.plan, tt.patch, tt.host, err, tt.want)
		}
	}
}
