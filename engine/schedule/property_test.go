package schedule

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWavesKeepTheRules(t *testing.T) { many(t, 400, keepsTheRules) }

func keepsTheRules(t *testing.T, in Input) {
	got := Waves(in)
	at := where(t, in, got)
	windowsAndFreezes(t, in, at)
	lanesAndServices(t, in, got)
	restartsFit(t, in, got)
	ringsInOrder(t, in, at)
	dependentsAfter(t, in, at)
	finishes(t, in, got, at)
}

func windowsAndFreezes(t *testing.T, in Input, at []placed) {
	for c, w := range at {
		if w.wave == nil {
			continue
		}
		h := &in.Hosts[in.Changes[c].Host]
		if w.ring != h.Ring {
			t.Errorf("change %d is in ring %d, want %d", c, w.ring, h.Ring)
		}
		if w.wave.Start.Before(in.At) || w.wave.Start.Before(in.Changes[c].NotBefore) || w.wave.NotAfter.Before(w.wave.Start) {
			t.Errorf("change %d starts %v, not after %v, at %v, held until %v", c, w.wave.Start, w.wave.NotAfter, in.At, in.Changes[c].NotBefore)
		}
		turns := w.wave.End.Sub(w.wave.Start) - h.Install
		if turns != 0 && h.Restart == 0 || turns < 0 {
			t.Errorf("change %d takes %v, want %v", c, w.wave.End.Sub(w.wave.Start), h.Install)
		}
		for _, start := range []time.Time{w.wave.Start, w.wave.NotAfter} {
			allowed(t, in, h, c, start, start.Add(max(time.Hour, h.Install+h.Rollback+2*turns)))
		}
	}
}

// allowed fails unless a start leaves an hour, and time for install and
// rollback, before any of the host's windows closes or a freeze begins.
func allowed(t *testing.T, in Input, h *Host, c int, start, end time.Time) {
	for _, f := range h.Freezes {
		if in.Freezes[f].From.Before(end) && start.Before(in.Freezes[f].To) {
			t.Errorf("change %d from %v crosses %v", c, start, in.Freezes[f])
		}
	}
	for _, name := range h.Windows {
		for _, w := range in.Windows {
			if w.Name != name {
				continue
			}
			inside := false
			for _, o := range w.Between(start.Add(-time.Hour), end) {
				inside = inside || !start.Before(o.Start) && !end.After(o.End)
			}
			if !inside {
				t.Errorf("change %d from %v is not inside window %v", c, start, w)
			}
		}
	}
}

// restartsFit says whether all hosts on their way that restart can do so, one turn after
// another, before each of them is planned to be installed.
func restartsFit(t *testing.T, in Input, got Result) {
	var all []*Wave
	for _, waves := range got.Rings {
		for i := range waves {
			all = append(all, &waves[i])
		}
	}
	for _, now := range all {
		restarting := map[string]map[int32]bool{}
		for _, w := range all {
			for _, c := range w.Changes {
				if h := in.Changes[c].Host; in.Hosts[h].Restart > 0 && !w.Start.After(now.Start) && now.Start.Before(w.End) {
					if restarting[in.Hosts[h].Fleet] == nil {
						restarting[in.Hosts[h].Fleet] = map[int32]bool{}
					}
					restarting[in.Hosts[h].Fleet][h] = true
				}
			}
		}
		for _, c := range now.Changes {
			h := &in.Hosts[in.Changes[c].Host]
			if h.Restart == 0 {
				continue
			}
			turns := (len(restarting[h.Fleet]) - 1) / h.Turns
			if least := h.Install + time.Duration(turns)*h.Restart; now.End.Sub(now.Start) < least {
				t.Errorf("a visit is planned to last %s; with %d turns before its own it needs %s", now.End.Sub(now.Start), turns, least)
			}
		}
	}
}

// lanesAndServices counts what is in use at every start.
func lanesAndServices(t *testing.T, in Input, got Result) {
	var all []*Wave
	for _, waves := range got.Rings {
		for i := range waves {
			all = append(all, &waves[i])
		}
	}
	for _, now := range all {
		lanes, down, hosts := map[string]int{}, map[int]int{}, map[int32]bool{}
		for _, w := range all {
			if w.Start.After(now.Start) || !now.Start.Before(w.End) {
				continue
			}
			here := map[int32]bool{}
			for _, c := range w.Changes {
				here[in.Changes[c].Host] = true
			}
			for n := range here {
				if hosts[n] {
					t.Errorf("host %d is in two waves at %v", n, now.Start)
				}
				hosts[n] = true
				lanes[in.Hosts[n].Fleet]++
				for _, s := range in.Hosts[n].Services {
					down[s]++
				}
				if lanes[in.Hosts[n].Fleet] > in.Hosts[n].Lanes {
					t.Errorf("%d lanes of fleet %s in use at %v", lanes[in.Hosts[n].Fleet], in.Hosts[n].Fleet, now.Start)
				}
			}
		}
		for s, n := range down {
			service := in.Services[s]
			if service.Total > 1 && (n >= service.Total || service.Total-n < service.MinAvailable) {
				t.Errorf("%d of %+v down at %v", n, service, now.Start)
			}
		}
	}
}

func ringsInOrder(t *testing.T, in Input, at []placed) {
	for c, w := range at {
		for o, x := range at {
			if x.wave != nil && in.Rings[x.ring].Sandbox && in.Patches[in.Changes[o].Patch].Test != "sandbox" {
				continue
			}
			if w.wave != nil && x.wave != nil && in.Changes[c].Patch == in.Changes[o].Patch && x.ring < w.ring && w.wave.Start.Before(x.wave.End.Add(x.wave.Soak)) {
				t.Errorf("change %d of ring %d starts %v, before %d of ring %d has soaked (%v)", c, w.ring, w.wave.Start, o, x.ring, x.wave.End.Add(x.wave.Soak))
			}
		}
	}
	for c, w := range at {
		if w.wave == nil {
			continue
		}
		soak := in.Rings[w.ring].Soak
		if w.wave.Soak > soak || w.wave.Soak < min(soak, 30*time.Minute) {
			t.Errorf("change %d soaks %v of %v", c, w.wave.Soak, soak)
		}
	}
}

// closure is what each service depends on, also through others.
func closure(in Input) [][]bool {
	dep := make([][]bool, len(in.Services))
	for i, s := range in.Services {
		dep[i] = make([]bool, len(in.Services))
		for j := range in.Services {
			if slices.Contains(s.DependsOn, in.Services[j].Name) {
				dep[i][j] = true
				for k := range dep[j] {
					dep[i][k] = dep[i][k] || dep[j][k]
				}
			}
		}
	}
	return dep
}

func dependentsAfter(t *testing.T, in Input, at []placed) {
	dep := closure(in) // of services that depend on earlier ones only
	on := func(a, b *Host) bool {
		return slices.ContainsFunc(a.Services, func(s int) bool {
			return slices.ContainsFunc(b.Services, func(o int) bool { return dep[s][o] })
		})
	}
	// Services form no circle, but hosts of several services may: a path is then
	// there from each to the other.
	path := make([][]bool, len(in.Hosts))
	for i := range in.Hosts {
		path[i] = make([]bool, len(in.Hosts))
		for j := range in.Hosts {
			path[i][j] = in.Hosts[i].Ring == in.Hosts[j].Ring && on(&in.Hosts[i], &in.Hosts[j])
		}
	}
	for k := range path {
		for i := range path {
			for j := range path {
				path[i][j] = path[i][j] || path[i][k] && path[k][j]
			}
		}
	}
	for c, w := range at {
		for o, x := range at {
			if w.wave == nil || x.wave == nil || in.Changes[c].Patch != in.Changes[o].Patch || w.ring != x.ring || c == o {
				continue
			}
			a, b := &in.Hosts[in.Changes[c].Host], &in.Hosts[in.Changes[o].Host]
			if !on(a, b) || slices.Equal(a.Services, b.Services) {
				continue
			}
			if !path[in.Changes[o].Host][in.Changes[c].Host] && w.wave.Start.Before(x.wave.End) {
				t.Errorf("%s %v starts before what it depends on, %s %v", a.ID, w.wave.Start, b.ID, x.wave.End)
			}
			if w.wave.Start.Before(x.wave.End) && x.wave.Start.Before(w.wave.End) {
				t.Errorf("%s and %s, which depend on one another, are done together", a.ID, b.ID)
			}
		}
	}
}

func finishes(t *testing.T, in Input, got Result, at []placed) {
	for p := range in.Patches {
		var last time.Time
		whole := true
		for c, w := range at {
			if int(in.Changes[c].Patch) != p {
				continue
			}
			if w.wave == nil {
				whole = false
			} else if end := w.wave.End.Add(w.wave.Soak); end.After(last) {
				last = end
			}
		}
		proof := got.Proofs[p]
		want := Proof{Feasible: whole && !last.After(in.Patches[p].Deadline)}
		if whole {
			want.Finish = last
		}
		if proof.Feasible != want.Feasible || !proof.Finish.Equal(want.Finish) {
			t.Errorf("proof of %d = %v, %v; want %v, %v", p, proof.Feasible, proof.Finish, want.Feasible, want.Finish)
		}
		if proof.Feasible != (len(proof.Conflict) == 0) || proof.Feasible != (len(proof.WaysOut) == 0) {
			t.Errorf("proof of %d = %+v", p, proof)
		}
	}
}

func TestWavesSameInputSameOutput(t *testing.T) {
	many(t, 60, func(t *testing.T, in Input) {
		first := Waves(in)
		if again := Waves(in); !reflect.DeepEqual(first, again) {
			t.Errorf("Waves() differs from itself: %s", cmp.Diff(first, again))
		}
	})
}

// A circle of services is refused by validation; here it must not hang.
func TestWavesCircle(t *testing.T) {
	for seed := range uint64(50) {
		in := random(rand.New(rand.NewPCG(seed, 9)))
		for i := range in.Services {
			in.Services[i].DependsOn = []string{in.Services[(i+1)%len(in.Services)].Name}
		}
		where(t, in, Waves(in))
	}
}

// Every conflict is recomputed from a conflict's own words: with its members in
// force and nothing else the patch is late, and taking any of them away makes
// it meet its clock.
func TestProofsAreMinimal(t *testing.T) {
	late, members := 0, map[string]int{}
	many(t, 600, func(t *testing.T, in Input) {
		p := newPlanner(&in)
		res := Result{Rings: make([][]Wave, len(in.Rings)), Proofs: make([]Proof, len(in.Patches))}
		for _, b := range p.batches() {
			tr := p.pace(b)
			p.stretch(b, tr)
			for i := range b.patches {
				if p.met(b, tr, i) {
					continue
				}
				late++
				c := p.conflict(b, i)
				c.minimise()
				said := map[string]bool{}
				for _, k := range p.prove(b, tr, i).Conflict {
					said[k.Kind] = true
					members[k.Kind]++
					if k.Message == "" {
						t.Errorf("%+v says nothing", k)
					}
				}
				b.runs = map[string]*trial{} // nothing is taken from before
				if !c.impossible() {
					t.Errorf("patch %d: the conflict %v alone is feasible", b.patches[i], said)
				}
				for k, in := range c.in {
					if !in {
						continue
					}
					if !said[c.list[k].kind] {
						t.Errorf("patch %d: %s is not said", b.patches[i], c.list[k].kind)
					}
					c.in[k] = false
					if c.impossible() {
						t.Errorf("patch %d: %v without %s is still impossible", b.patches[i], said, c.list[k].kind)
					}
					c.in[k] = true
				}
			}
			p.commit(b, tr, &res)
		}
	})
	t.Logf("%d late patches, members of their conflicts: %v", late, members)
	for _, kind := range []string{"clock", "window", "freeze", "soak", "capacity", "order", "availability", "after"} {
		if members[kind] == 0 {
			t.Errorf("no conflict has a %s", kind)
		}
	}
}
