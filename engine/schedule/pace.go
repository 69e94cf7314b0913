package schedule

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// whole is all of the declared pace: how much of it is kept is counted in
// parts of it.
const whole = 256

// leastSoak is what a shortened soak never goes below, in seconds: installed
// packages need to be seen at work for a while, or a canary is no canary.
const leastSoak = 30 * 60

// paceStep is what shortened times are rounded down to, for people.
const paceStep = 5 * 60

func (p *planner) afterAt(ring int, kept int64) int64 {
	declared := p.rings[ring].after
	if kept == whole {
		return declared
	}
	a := declared * kept / whole
	return a - a%paceStep
}

func (p *planner) soakAt(ring int, kept int64) int64 {
	declared := p.rings[ring].soak
	if kept == whole {
		return declared
	}
	s := declared * kept / whole
	return max(s-s%paceStep, min(declared, leastSoak))
}

func (p *planner) soak(ring int, kept int64, r *rules) int64 {
	switch {
	case r.noSoak:
		return 0
	case r.soakMost > 0:
		return min(p.soakAt(ring, kept), r.soakMost)
	}
	return p.soakAt(ring, kept)
}

// largest returns the largest part of the pace that is right, -1 where none is.
// What is right for a part is taken to be right for less of it.
func largest(right func(kept int64) bool) int64 {
	if right(whole) {
		return whole
	}
	return int64(sort.Search(whole, func(kept int) bool { return !right(int64(kept)) })) - 1
}

// grade says how well a trial does; less is better, the first number counting
// most.
type grade [4]int64

// grade counts changes without a place, patches that are late, by how much they
// are installed late, and patches that leave less than a fifth of their clock.
// Late is late: then only the installs are hurried, and soaks as far as they
// hold those up.
func (p *planner) grade(b *batch, t *trial) grade {
	var g grade
	for i, patch := range b.patches {
		g[0] += int64(t.unplaced[i])
		if d := p.deadline(patch); t.healthy[i] > d {
			g[1]++
			g[2] += max(0, t.installed[i]-d)
		}
		if t.healthy[i] > p.goal(patch) {
			g[3]++
		}
	}
	return g
}

// pace places the batch with as much of the declared pace as its clocks allow.
func (p *planner) pace(b *batch) *trial {
	p.classes(b)
	all := p.run(b, whole, &asDeclared)
	if p.grade(b, all) == (grade{}) {
		return all
	}
	none := p.trial(b, "", &asDeclared)
	enough := p.grade(b, none)
	best := none
	largest(func(kept int64) bool {
		t := all
		if kept < whole {
			t = p.run(b, kept, &asDeclared)
		}
		if less(enough, p.grade(b, t)) || p.delays(b, t, none) {
			return false
		}
		if t.kept > best.kept {
			best = t
		}
		return true
	})
	return best
}

// trial is a run at the highest pace, remembered by a name of its rules.
func (p *planner) trial(b *batch, name string, r *rules) *trial {
	t, ok := b.runs[name]
	if !ok {
		t = p.run(b, 0, r)
		b.runs[name] = t
	}
	return t
}

// met says whether a trial meets a patch's clock.
func (p *planner) met(b *batch, t *trial, i int) bool {
	return t.unplaced[i] == 0 && t.healthy[i] <= p.deadline(b.patches[i])
}

// delays says whether a patch misses its clock in t that meets it in o.
func (p *planner) delays(b *batch, t, o *trial) bool {
	for i := range b.patches {
		if !p.met(b, t, i) && p.met(b, o, i) {
			return true
		}
	}
	return false
}

func less(a, b grade) bool { return slices.Compare(a[:], b[:]) < 0 }

// stretch gives the last ring back what it can of its declared soak, for
// nothing waits for it: up to the goal, or half of what is left to the deadline
// where that is past. Where a patch is late nothing is left.
func (p *planner) stretch(b *batch, t *trial) {
	ring := len(p.rings) - 1
	for ring >= 0 && len(b.rings[ring].classes) == 0 {
		ring--
	}
	if ring < 0 || t.soaks[ring] >= p.rings[ring].soak {
		return
	}
	soak := p.rings[ring].soak
	for i, patch := range b.patches {
		last := false
		for _, n := range b.of[i] {
			last = last || b.classes[n].ring == ring
		}
		if !last {
			continue
		}
		by := p.goal(patch)
		if t.healthy[i] > by {
			by = t.healthy[i] + max(0, p.deadline(patch)-t.healthy[i])/2
		}
		// Its installs in this ring are over by then, or were never.
		soak = min(soak, by-t.installed[i])
	}
	if soak != p.rings[ring].soak {
		soak -= ((soak % paceStep) + paceStep) % paceStep
	}
	t.soaks[ring] = max(t.soaks[ring], soak)
	t.sum(p, b)
}

// describe is the pace for the record.
func (p *planner) describe(b *batch, t *trial) Pace {
	d := Pace{Patches: slices.Clone(b.patches), Kept: float64(t.kept) / whole}
	short := false
	for r := range p.rings {
		d.After = append(d.After, time.Duration(t.afters[r])*time.Second)
		d.Soaks = append(d.Soaks, time.Duration(t.soaks[r])*time.Second)
		short = short || t.soaks[r] < p.rings[r].soak && len(b.rings[r].classes) > 0 || t.afters[r] < p.rings[r].after && len(b.rings[r].classes) > 0
	}
	slices.Sort(d.Patches)
	if short {
		d.Why = p.because(b, t)
	}
	return d
}

// commit takes the batch's places and writes its waves.
func (p *planner) commit(b *batch, t *trial, res *Result) {
	for i, patch := range b.patches {
		proof := &res.Proofs[patch]
		proof.Feasible = p.met(b, t, i)
		if t.unplaced[i] == 0 {
			proof.Finish = instant(t.healthy[i])
		}
	}
	waves := map[waveKey]int{}
	for n := range b.classes {
		c, done := &b.classes[n], 0
		for _, at := range t.places[n] {
			w := p.wave(waves, c, at, t, res)
			for _, v := range c.visits[done : done+at.n] {
				w.Changes = append(w.Changes, v.changes...)
				p.busy[v.host] = append(p.busy[v.host], span{at.start, at.start + c.install})
			}
			p.take(taking{span{at.start, at.start + c.install}, c.fleet, c.set, at.n, c.restarts}, 1)
			done += at.n
		}
		for _, v := range c.visits[done:] {
			why, until := p.whyNot(c)
			for _, change := range v.changes {
				res.Unplaced = append(res.Unplaced, Unplaced{change, why, until})
			}
		}
	}
	for key, i := range waves {
		slices.Sort(res.Rings[key.ring][i].Changes)
	}
}

type waveKey struct {
	ring       int
	start, end int64
}

// wave returns the batch's wave of that ring, start and end.
func (p *planner) wave(waves map[waveKey]int, c *class, at place, t *trial, res *Result) *Wave {
	key := waveKey{c.ring, at.start, at.start + c.install}
	last := instant(min(at.last, at.start+day))
	i, ok := waves[key]
	if !ok {
		i = len(res.Rings[c.ring])
		waves[key] = i
		res.Rings[c.ring] = append(res.Rings[c.ring], Wave{
			Start: instant(key.start), NotAfter: last, End: instant(key.end), Soak: time.Duration(t.soaks[c.ring]) * time.Second,
		})
	}
	w := &res.Rings[c.ring][i]
	if cmp.Compare(last.Unix(), w.NotAfter.Unix()) < 0 {
		w.NotAfter = last
	}
	return w
}
