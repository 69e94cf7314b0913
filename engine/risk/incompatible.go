package risk

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Incompatible is a trait of patches and a trait of hosts that fail together far
// more often than both do apart. Only changes that no stronger incompatibility
// explains are counted in it.
type Incompatible struct {
	Patch    string  `json:"patch"`    // a patch's trait: "vendor Heron"
	Host     string  `json:"host"`     // a host's: "module hba7"
	N        float64 `json:"n"`        // changes with both
	Bad      float64 `json:"bad"`      // those that failed
	Expected float64 `json:"expected"` // the rate that both apart let expect
	P        float64 `json:"p"`        // of so many failures by chance
	Effect   float64 `json:"effect"`   // shrunk log-odds on top of the rest of the score
}

// String is the incompatibility in words: "hba7 with Heron: 9 of 31 failed, 2 %
// elsewhere".
func (i Incompatible) String() string {
	return fmt.Sprintf("%s with %s: %s of %s failed, %s elsewhere", said(i.Host), said(i.Patch), count(i.Bad), count(i.N), short(i.Expected))
}

// short is a percentage as people say it: 2 %, 0.4 %.
func short(p float64) string {
	digits := 0
	if p < 0.0095 {
		digits = 1
	}
	return strconv.FormatFloat(float64(100*p), 'f', digits, 64) + " %"
}

// What an incompatibility takes.
const (
	leastFailures = 3    // failures, on as many hosts
	discovery     = 0.05 // of those found, so many are chance (Benjamini and Hochberg 1995)
	mostPairs     = 40
	doubt         = 20 // changes that the estate's own rate counts for in the rate of a trait
	twice         = 2  // times as many failures as expected, at least
)

// traced is a finished change and its traits.
type traced struct {
	host      inventory.HostID
	update    []string
	place     []string
	failed    bool
	weight    float64
	explained int // 1 + the index of the incompatibility that explains it, 0 none
}

type pairing struct{ patch, host string }

// tally is what a pair of traits, or a trait, showed.
type tally struct {
	share
	hosts map[inventory.HostID]bool // that failed
}

// incompatibilities finds the pairs, in the order found, and marks the
// changes that each explains. It takes the pair that explains most, sets its changes
// aside, and looks again: what one pair explains is no evidence for another, and
// does not blacken its traits elsewhere. Their Effect is left to the caller.
//
// Under the null hypothesis traits add up in log-odds. With the shrunk rates a
// and b of the patch's trait without the host's and the other way round, and r of
// neither, a change with both fails with
//
//	logit e = logit a + logit b - logit r
//
// and no less than with r (that both are well-behaved apart is no reason to expect
// more of them than of others), and p is the upper tail of a beta-binomial with the mean e, as firm as the
// changes behind a and b. A pair stands while p ≤ discovery·k/m, k the pairs
// found so far with it and m all that could be.
func incompatibilities(list []lesson) []Incompatible {
	for i := range list {
		list[i].explained = 0
	}
	candidates, m := pairsOf(list)
	var found []Incompatible
	for len(found) < mostPairs {
		best, ok := strongest(list, candidates, float64(discovery*float64(len(found)+1))/m)
		if !ok {
			break
		}
		found = append(found, best)
		for i := range list {
			if c := &list[i]; c.explained == 0 && c.has(best.Patch, best.Host) {
				c.explained = len(found)
			}
		}
	}
	return found
}

func (c *traced) has(patch, host string) bool {
	_, a := slices.BinarySearch(c.update, patch)
	_, b := slices.BinarySearch(c.place, host)
	return a && b
}

// pairsOf are the pairs that failed often enough to be looked at, sorted, and how
// many pairs there are to find anything among: all of frequent enough traits.
func pairsOf(list []lesson) ([]pairing, float64) {
	failed := map[pairing]*tally{}
	patches, hosts := map[string]int{}, map[string]int{}
	for i := range list {
		c := &list[i].traced
		for _, a := range c.update {
			patches[a]++
		}
		for _, b := range c.place {
			hosts[b]++
		}
		if !c.failed {
			continue
		}
		for _, a := range c.update {
			for _, b := range c.place {
				p := pairing{a, b}
				if failed[p] == nil {
					failed[p] = &tally{hosts: map[inventory.HostID]bool{}}
				}
				failed[p].hosts[c.host] = true
			}
		}
	}
	var candidates []pairing
	for p, t := range failed {
		if len(t.hosts) >= leastFailures {
			candidates = append(candidates, p)
		}
	}
	slices.SortFunc(candidates, func(a, b pairing) int { return cmp.Or(cmp.Compare(a.patch, b.patch), cmp.Compare(a.host, b.host)) })
	return candidates, max(float64(frequent(patches)*frequent(hosts)), 1)
}

func frequent(counts map[string]int) float64 {
	n := 0
	for _, c := range counts {
		if c >= 2*leastFailures {
			n++
		}
	}
	return float64(n)
}

// strongest is, of the pairs with a p of at most level among what nothing explains
// yet, the one that explains most: the largest log-likelihood ratio, ties by name.
func strongest(list []lesson, candidates []pairing, level float64) (Incompatible, bool) {
	var all share
	patches, hosts := map[string]share{}, map[string]share{}
	both := make(map[pairing]*tally, len(candidates))
	partners := map[string][]string{}
	for _, p := range candidates {
		both[p] = &tally{hosts: map[inventory.HostID]bool{}}
		partners[p.patch] = append(partners[p.patch], p.host)
	}
	for i := range list {
		c := &list[i].traced
		if c.explained > 0 {
			continue
		}
		all.add(c)
		for _, a := range c.update {
			s := patches[a]
			s.add(c)
			patches[a] = s
		}
		for _, b := range c.place {
			s := hosts[b]
			s.add(c)
			hosts[b] = s
		}
		for _, a := range c.update {
			for _, b := range partners[a] {
				if _, ok := slices.BinarySearch(c.place, b); ok {
					t := both[pairing{a, b}]
					t.add(c)
					if c.failed {
						t.hosts[c.host] = true
					}
				}
			}
		}
	}
	var best Incompatible
	most := 0.0
	for _, p := range candidates {
		t := both[p]
		if len(t.hosts) < leastFailures {
			continue
		}
		i := weighed(p, t.share, patches[p.patch], hosts[p.host], all)
		if i.Bad < float64(twice*float64(i.Expected*i.N)) {
			continue
		}
		if g := i.gain(); i.P <= level && g > most {
			best, most = i, g
		}
	}
	return best, most > 0
}

// gain is the log-likelihood ratio of what a pair showed against what was expected
// of it.
func (i Incompatible) gain() float64 {
	good, q := i.N-i.Bad, 1-i.Expected
	g := float64(i.Bad * exact.Log(i.Bad/float64(i.N*i.Expected)))
	if good > 0 {
		g += float64(good * exact.Log(good/float64(i.N*q)))
	}
	return g
}

func (s *share) add(c *traced) {
	s.n += c.weight
	if c.failed {
		s.bad += c.weight
	}
}

func (s share) without(o share) share { return share{max(s.n-o.n, 0), max(s.bad-o.bad, 0)} }

// rate is shrunk to r.
func (s share) rate(r float64) float64 { return (s.bad + float64(doubt*r)) / (s.n + doubt) }

// weighed weighs a pair that showed both, among traits that showed patch and host.
func weighed(p pairing, both, patch, host, all share) Incompatible {
	r := share{}.rate(baseRate)
	onlyPatch, onlyHost := patch.without(both), host.without(both)
	neither := all.without(patch).without(onlyHost)
	r = neither.rate(r)
	a, b := onlyPatch.rate(r), onlyHost.rate(r)
	e := max(exact.Expit(exact.Logit(a)+exact.Logit(b)-exact.Logit(r)), r)
	firm := 1 / (1/(onlyPatch.n+doubt) + 1/(onlyHost.n+doubt))
	return Incompatible{
		Patch: p.patch, Host: p.host, N: exact.Round5(both.n), Bad: exact.Round5(both.bad), Expected: exact.Round5(min(max(e, 1e-5), 0.99)),
		P: tail(both, e, firm),
	}
}

// tail is the probability of at least so many failures, from a beta-binomial with
// the mean e that rests on firm changes. Of weighted counts it takes whole ones,
// the failures rounded down.
func tail(s share, e, firm float64) float64 {
	n, from := int(math.Ceil(s.n-1e-9)), int(math.Floor(s.bad+1e-9))
	e = min(max(e, 1e-5), 1-1e-5)
	a, b := float64(e*firm), float64((1-e)*firm)
	if from <= 0 || n <= 0 {
		return 1
	}
	k := float64(from)
	m := float64(n)
	log := exact.LogGamma(m+1) - exact.LogGamma(k+1) - exact.LogGamma(m-k+1) +
		exact.LogGamma(a+k) + exact.LogGamma(b+m-k) - exact.LogGamma(a+b+m) +
		exact.LogGamma(a+b) - exact.LogGamma(a) - exact.LogGamma(b)
	term := exact.Exp(log)
	sum := 0.0
	for ; k <= m; k++ {
		sum += term
		term = float64(term * float64((m-k)*(a+k)) / float64((k+1)*(b+m-k-1)))
		if term < float64(sum*1e-12) {
			break
		}
	}
	return min(sum, 1)
}

// boost is the shrunk log-odds β that a pair's changes need on top of what is
// said of them without it: the mode of a posterior whose prior is normal around 0
// with the standard deviation 2, found by Newton's method.
func boost(said []float64, failed []bool, weight []float64) float64 {
	const precision = 0.25 // 1/2²
	beta := 0.0
	for range 50 {
		slope, curve := -float64(precision*beta), float64(precision)
		for i, s := range said {
			p := exact.Expit(s + beta)
			y := 0.0
			if failed[i] {
				y = 1
			}
			slope += float64(weight[i] * (y - p))
			curve += float64(weight[i] * float64(p*(1-p)))
		}
		step := min(max(slope/curve, -2), 2)
		beta += step
		if math.Abs(step) < 1e-9 {
			break
		}
	}
	return exact.Round5(beta)
}

// inOrder is the keys of a map, sorted.
func inOrder[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// with is a map with one more entry; it is made when the first comes, for of
// thousands of outlooks that learning makes most are asked once.
func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	if m == nil {
		m = make(map[K]V)
	}
	m[key] = value
	return m
}
