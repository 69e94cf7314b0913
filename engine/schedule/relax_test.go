package schedule

import (
	"slices"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// without is the input as people would change it to take constraints away.
func without(in Input, keep func(kind, name string) bool) Input {
	in.Hosts, in.Changes = slices.Clone(in.Hosts), slices.Clone(in.Changes)
	in.Rings, in.Services, in.Patches = slices.Clone(in.Rings), slices.Clone(in.Services), slices.Clone(in.Patches)
	for i := range in.Hosts {
		h := &in.Hosts[i]
		h.Windows = slices.DeleteFunc(slices.Clone(h.Windows), func(w string) bool { return !keep("window", w) })
		h.Freezes = slices.DeleteFunc(slices.Clone(h.Freezes), func(f int) bool { return !keep("freeze", in.Freezes[f].Name) })
		if !keep("capacity", "") {
			h.Lanes = 1000
		}
		if !keep("order", "") {
			h.Ring = len(in.Rings) - 1
		}
	}
	for i := range in.Rings {
		if !keep("soak", "") {
			in.Rings[i].Soak = 0
		}
		if !keep("after", "") {
			in.Rings[i].After = 0
		}
	}
	for i := range in.Services {
		if !keep("availability", "") {
			in.Services[i].Total, in.Services[i].MinAvailable = 10000, 1
		}
		if !keep("order", "") {
			in.Services[i].DependsOn = nil
		}
	}
	for i := range in.Changes {
		if !keep("after", "") {
			in.Changes[i].NotBefore = in.At
		}
	}
	if !keep("clock", "") {
		in.Patches[0].Deadline = in.At.AddDate(1, 0, 0)
	}
	return in
}

// alone is the estate with its first patch only.
func alone(in Input) Input {
	in.Patches = in.Patches[:1]
	in.Changes = slices.DeleteFunc(slices.Clone(in.Changes), func(c Change) bool { return c.Patch != 0 })
	return in
}

// The same once more from outside: the estate is changed as people would, and
// scheduled anew. Rings that keep their soaks but not their order cannot be
// written down, so such conflicts are left to TestProofsAreMinimal.
func TestConflictsFromOutside(t *testing.T) {
	tried := 0
	many(t, 500, func(t *testing.T, in Input) {
		in = alone(in)
		proof := Waves(in).Proofs[0]
		kept := map[plan.Constraint]bool{}
		order, soak := false, false
		for _, c := range proof.Conflict {
			kept[plan.Constraint{Kind: c.Kind, Name: name(c)}] = true
			order, soak = order || c.Kind == "order", soak || c.Kind == "soak"
		}
		if proof.Feasible || order || soak {
			return
		}
		tried++
		keep := func(kind, name string) bool { return kept[plan.Constraint{Kind: kind, Name: name}] }
		if Waves(without(in, keep)).Proofs[0].Feasible {
			t.Errorf("with nothing but %v the patch meets its clock", proof.Conflict)
		}
		for member := range kept {
			less := without(in, func(kind, name string) bool {
				return keep(kind, name) && member != plan.Constraint{Kind: kind, Name: name}
			})
			if !Waves(less).Proofs[0].Feasible {
				t.Errorf("of %v without %v the patch is still late", proof.Conflict, member)
			}
		}
	})
	if tried < 50 {
		t.Errorf("only %d conflicts tried", tried)
	}
	t.Logf("%d conflicts", tried)
}

// name is a constraint's name where a kind has several.
func name(c plan.Constraint) string {
	if c.Kind == "window" || c.Kind == "freeze" {
		return c.Name
	}
	return ""
}

// Lanes and lifted freezes that are said to help do, when the estate has them.
func TestWaysOutHelp(t *testing.T) {
	freezes, lanes := 0, 0
	many(t, 400, func(t *testing.T, in Input) {
		in = alone(in)
		p := newPlanner(&in)
		b := p.batches()[0]
		tr := p.pace(b)
		if p.met(b, tr, 0) {
			return
		}
		c := p.conflict(b, 0)
		for _, w := range c.thaws() {
			if !w.Feasible {
				continue
			}
			freezes++
			helped := slices.ContainsFunc(in.Freezes, func(f ring.Freeze) bool {
				return Waves(without(in, func(kind, name string) bool { return kind != "freeze" || name != f.Name })).Proofs[0].Feasible
			})
			if !helped {
				t.Errorf("%s does not help", w.Message)
			}
		}
		need, ok := c.lanesNeeded(rules{}, "")
		if !ok {
			return
		}
		lanes++
		try := func(need []int) bool {
			in := without(in, func(string, string) bool { return true })
			for i := range in.Hosts {
				in.Hosts[i].Lanes = need[slices.Index(p.fleets, in.Hosts[i].Fleet)]
			}
			return Waves(in).Proofs[0].Feasible
		}
		if !try(need) {
			t.Errorf("%v lanes do not help", need)
		}
		if len(need) == 1 {
			if need[0]--; try(need) {
				t.Errorf("%v lanes would do", need)
			}
		}
	})
	if freezes == 0 || lanes == 0 {
		t.Errorf("tried %d freezes and %d numbers of lanes", freezes, lanes)
	}
}
