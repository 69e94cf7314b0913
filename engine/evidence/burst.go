package evidence

import (
	"cmp"
	"slices"
)

// Source is what one host, hour, run or reporter brought of recent outcomes.
type Source struct {
	Name string
	Count
	Expected float64 // failures predicted for its outcomes; used where all sources have some
}

// Burst is a source that brings an implausible share of failures, or of
// successes.
type Burst struct {
	Name      string
	Successes bool    // its share of the successes is what is implausible
	Count             // what it brought
	All       Count   // what all brought
	Expected  float64 // failures expected from it, from what all brought
	P         float64 // times the number of questions asked: a false alarm's probability
}

// Bursts are the sources of which the share of failures or successes is
// implausible beside all others, the least plausible first, ties by name. Where
// failures do not depend on the source, there is one with a probability of at most
// alpha (0 means 0.05), exactly, however few outcomes there are: Fisher's test of
// each source on either side, times the number of tests (Bonferroni).
//
// Where predictions are given for all, those are what failures depend on: a source's share
// of all failures is then binomial with its share of what was predicted. Counts
// that cannot be (more failures than outcomes) and sources without outcomes are
// passed over.
//
// A source that is found need not lie: it may be broken. What it brought should
// wait for a person before a model learns from it.
func Bursts(sources []Source, alpha float64) []Burst {
	var all Source
	var list []Source
	for _, s := range sources {
		if s.N > 0 && s.Bad >= 0 && s.Bad <= s.N {
			list = append(list, s)
			all.N += s.N
			all.Bad += s.Bad
		}
	}
	slices.SortFunc(list, func(a, b Source) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.N, b.N), cmp.Compare(a.Bad, b.Bad), cmp.Compare(a.Expected, b.Expected))
	})
	all.Expected = predicted(list)
	var found []Burst
	for _, s := range list {
		b := Burst{Name: s.Name, Count: s.Count, All: all.Count}
		bad, good := s.shares(all)
		b.Expected = bad.mean
		b.P, b.Successes = bad.p, false
		if good.p < bad.p {
			b.P, b.Successes = good.p, true
		}
		if b.P = min(float64(b.P*2*float64(len(list))), 1); b.P <= level(alpha) {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b Burst) int { return cmp.Compare(a.P, b.P) })
	return found
}

// predicted are the failures predicted for all, 0 where some source has no
// prediction that can be.
func predicted(list []Source) float64 {
	var sum float64
	for _, s := range list {
		if !(s.Expected > 0) || s.Expected >= float64(s.N) {
			return 0
		}
		sum += s.Expected
	}
	return sum
}

// share is what a source is expected to bring, and how likely that is as much as
// it brought.
type share struct{ mean, p float64 }

func (s Source) shares(all Source) (bad, good share) {
	if all.Expected == 0 {
		h := hypergeometric{all: all.N, marked: all.Bad, drawn: s.N}
		return share{h.mean(), h.atLeast(s.Bad)}, share{float64(s.N) - h.mean(), h.atMost(s.Bad)}
	}
	good = binomialShare(all.N-all.Bad, s.N-s.Bad, (float64(s.N)-s.Expected)/(float64(all.N)-all.Expected))
	return binomialShare(all.Bad, s.Bad, s.Expected/all.Expected), good
}

// binomialShare is k or more of n, each with probability p.
func binomialShare(n, k int, p float64) share {
	s := share{float64(float64(n) * p), 1}
	if k > 0 {
		s.p = above(n, k, p)
	}
	return s
}
