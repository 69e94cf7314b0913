package risk

import (
	"fmt"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// peers is what became of one patch on the hosts that took it before this one,
// beside what was expected of them.
//
// A host's own risk is scaled by observed over expected failures: with b failures
// where E were expected, and a patch's factor a priori gamma with mean 1 and shape
// a, the posterior mean is
//
//	(b + a)/(E + a)
//
// whose logarithm is added to the host's log-odds. A pooled rate would hide the
// danger to some hosts among the well-being of many; a factor cannot, and where
// one trait of hosts divides those that failed from the others, hosts with it and
// hosts without are pooled apart.
type peers struct {
	shape   float64
	all     met
	traits  map[string]met
	divided string // the trait that divides best, "" where none is worth it
}

// met is outcomes and the failures expected among them.
type met struct {
	n, bad   float64
	expected float64
}

func (m met) plus(o met) met  { return met{m.n + o.n, m.bad + o.bad, m.expected + o.expected} }
func (m met) minus(o met) met { return met{m.n - o.n, m.bad - o.bad, max(m.expected-o.expected, 0)} }

// add takes one outcome of a host with these traits, of which p was expected.
func (ps *peers) add(traits []string, p float64, failed bool, weight float64) {
	one := met{n: weight, expected: float64(weight * p)}
	if failed {
		one.bad = weight
	}
	ps.all = ps.all.plus(one)
	if ps.traits == nil {
		ps.traits = map[string]met{}
	}
	for _, t := range traits {
		ps.traits[t] = ps.traits[t].plus(one)
	}
	ps.divide()
}

// worthIt is how much more likely, in logs, a division must make what was seen:
// as much as the ten or so traits that are tried, and a little.
const worthIt = 3

// divide looks for the trait that tells those that failed from the others.
func (ps *peers) divide() {
	ps.divided = ""
	if ps.all.bad < 2 {
		return
	}
	best := ps.pooled(ps.all) + worthIt
	for _, t := range inOrder(ps.traits) {
		in := ps.traits[t]
		if in.bad < 2 || in.n == ps.all.n {
			continue
		}
		if l := ps.pooled(in) + ps.pooled(ps.all.minus(in)); l > best {
			best, ps.divided = l, t
		}
	}
}

// pooled is the log of the negative binomial probability of what was met, without
// the part that does not depend on how it is pooled.
func (ps *peers) pooled(m met) float64 { return pooled(m, ps.shape) }

func pooled(m met, a float64) float64 {
	return exact.LogGamma(m.bad+a) - exact.LogGamma(a) + float64(a*exact.Log(a)) - float64((m.bad+a)*exact.Log(m.expected+a))
}

// of are the peers that tell most of a host with these traits, and what sets them
// apart.
func (ps *peers) of(traits []string) (m met, who string) {
	if ps.divided == "" {
		return ps.all, ""
	}
	in := ps.traits[ps.divided]
	if slices.Contains(traits, ps.divided) {
		return in, " with " + said(ps.divided)
	}
	return ps.all.minus(in), " without " + said(ps.divided)
}

// effect is what peers say of a host with these traits, in log-odds; 0 where none
// was met.
func (ps *peers) effect(traits []string) float64 {
	if ps.all.n == 0 {
		return 0
	}
	m, _ := ps.of(traits)
	return exact.Round5(exact.Log((m.bad + ps.shape) / (m.expected + ps.shape)))
}

// term is effect and the words for it, "" where no peer was met.
func (ps *peers) term(traits []string) (effect float64, value string) {
	if ps.all.n == 0 {
		return 0, ""
	}
	m, who := ps.of(traits)
	return ps.effect(traits), fmt.Sprintf("%s of %s hosts%s that took it failed, %.1f expected", count(math.Round(10*m.bad)/10), count(math.Round(10*m.n)/10), who, m.expected)
}

// Shapes that a patch's factor may have: from very uneven patches to much alike.
var shapes = []float64{0.25, 0.5, 1, 2, 4, 8, 16}

// usualShape is taken where too few patches failed to tell.
const usualShape = 0.5

// shapeOf is the shape under which what all patches met is likeliest.
func shapeOf(patches map[string]met) float64 {
	failed := 0
	for _, m := range patches {
		if m.bad > 0 {
			failed++
		}
	}
	if failed < 5 {
		return usualShape
	}
	best, most := usualShape, math.Inf(-1)
	for _, a := range shapes {
		sum := 0.0
		for _, key := range inOrder(patches) {
			sum += pooled(patches[key], a)
		}
		if sum > most {
			best, most = a, sum
		}
	}
	return best
}
