package evidence

import (
	"cmp"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Drift is how far one input has moved from what a model was trained on.
type Drift struct {
	Name    string  // of the input
	Was, Is int     // values then and now, missing ones included
	P       float64 // of a difference this large by chance, at these numbers of values
	Q       float64 // P after Judge: the share of false discoveries at which this is one
	Effect  float64 // the share of values that are elsewhere, from 0 to 1
	PSI     float64 // of categories: the population stability index
	Fired   bool    // set by Judge

	What      string // the category whose share moved least plausibly; "" may be one
	Then, Now int    // how many values were it, and are
}

// least is the effect below which a difference does not matter, however sure: a
// tenth of the values.
const least = 0.1

// Categories compares what an input was with what it is; an absent value is a
// category of its own, "". Order does not matter.
//
// P is twice the smaller of two p-values: of Pearson's chi-square over categories
// of which both samples expect 5 (the others together), for changes of the whole;
// and the least of Fisher's exact tests of each category against the rest, times
// their number, for one that comes or goes, where chi-square does not hold.
// Effect is ½ Σ |p−q| over the shares p and q of the c categories in n and m values.
// PSI is Σ (p−q) ln(p/q), each count with ½ added, less (c−1)(1/n + 1/m), which it
// is by chance (Yurdakul 2018), at least 0; it is there to be read, and decides
// nothing.
func Categories(name string, was, is []string) Drift {
	d := Drift{Name: name, Was: len(was), Is: len(is), P: 1, Q: 1}
	cells := tally(was, is)
	if d.Was == 0 || d.Is == 0 || len(cells) < 2 {
		return d
	}
	d.PSI = stability(cells, d.Was, d.Is)
	single := 1.0
	for _, c := range cells {
		d.Effect += math.Abs(float64(c.was)/float64(d.Was)-float64(c.is)/float64(d.Is)) / 2
		h := hypergeometric{all: d.Was + d.Is, marked: c.was + c.is, drawn: d.Is}
		p := min(float64(2*min(h.atLeast(c.is), h.atMost(c.is))), 1)
		if p < single {
			single, d.What, d.Then, d.Now = p, c.name, c.was, c.is
		}
	}
	tests := len(cells)
	if tests == 2 {
		tests = 1 // one rises as the other falls
	}
	single = float64(single * float64(tests))
	d.P = min(float64(2*min(single, chiSquare(cells, d.Was, d.Is))), 1)
	return d
}

// cell is how often a category came up.
type cell struct {
	name    string
	was, is int
}

// tally counts categories, sorted by name.
func tally(was, is []string) []cell {
	counts := map[string]cell{}
	for _, v := range was {
		c := counts[v]
		c.was++
		counts[v] = c
	}
	for _, v := range is {
		c := counts[v]
		c.is++
		counts[v] = c
	}
	cells := make([]cell, 0, len(counts))
	for name, c := range counts {
		cells = append(cells, cell{name, c.was, c.is})
	}
	slices.SortFunc(cells, func(a, b cell) int { return cmp.Compare(a.name, b.name) })
	return cells
}

func stability(cells []cell, n, m int) float64 {
	half := float64(len(cells)) / 2
	var psi float64
	for _, c := range cells {
		p := (float64(c.was) + 0.5) / (float64(n) + half)
		q := (float64(c.is) + 0.5) / (float64(m) + half)
		psi += float64((p - q) * (exact.Log(p) - exact.Log(q)))
	}
	return max(psi-float64(float64(len(cells)-1)*(1/float64(n)+1/float64(m))), 0)
}

// chiSquare is the p-value of Pearson's test that both samples have the same
// shares.
func chiSquare(cells []cell, n, m int) float64 {
	least := 5 * float64(n+m) / float64(min(n, m)) // of both together, for 5 in the smaller
	var kept []cell
	var rest cell
	for _, c := range cells {
		if float64(c.was+c.is) >= least {
			kept = append(kept, c)
		} else {
			rest = cell{"", rest.was + c.was, rest.is + c.is}
		}
	}
	if float64(rest.was+rest.is) >= least {
		kept = append(kept, rest)
	} else if len(kept) > 0 {
		kept[0].was += rest.was
		kept[0].is += rest.is
	}
	if len(kept) < 2 {
		return 1
	}
	var sum float64
	for _, c := range kept {
		expected := float64(c.was+c.is) * float64(m) / float64(n+m)
		off := float64(c.is) - expected
		sum += float64(off*off) / expected * float64(n+m) / float64(n) // both samples' terms
	}
	return exact.Gamma{Shape: float64(len(kept)-1) / 2, Rate: 0.5}.Above(sum)
}

// Numbers compares what an input was with what it is; NaN is an absent value.
// Order does not matter.
//
// Effect is the largest difference between the shares below any number, and P its
// p-value (Kolmogorov and Smirnov, in Stephens' form of 1970), or twice the smaller
// of that and Fisher's for the share of absent values, where there are any; then
// Effect is the larger of both differences.
func Numbers(name string, was, is []float64) Drift {
	d := Drift{Name: name, Was: len(was), Is: len(is), P: 1, Q: 1}
	a, b := present(was), present(is)
	if len(a) > 0 && len(b) > 0 {
		d.Effect = farthest(a, b)
		worth := math.Sqrt(float64(len(a)) * float64(len(b)) / float64(len(a)+len(b)))
		d.P = kolmogorov(float64((worth + 0.12 + 0.11/worth) * d.Effect))
	}
	absent := Count{N: d.Was + d.Is, Bad: d.Was - len(a) + d.Is - len(b)}
	if absent.Bad > 0 && d.Was > 0 && d.Is > 0 {
		h := hypergeometric{all: absent.N, marked: absent.Bad, drawn: d.Is}
		gone := d.Is - len(b)
		d.P = min(float64(2*min(d.P, float64(2*h.atLeast(gone)), float64(2*h.atMost(gone)))), 1)
		d.Effect = max(d.Effect, math.Abs(float64(gone)/float64(d.Is)-float64(d.Was-len(a))/float64(d.Was)))
	}
	return d
}

// present are the values that are there, sorted.
func present(list []float64) []float64 {
	list = slices.DeleteFunc(slices.Clone(list), math.IsNaN)
	slices.Sort(list)
	return list
}

// farthest is the largest distance between two sorted samples' distributions.
func farthest(a, b []float64) float64 {
	var most float64
	for i, j := 0, 0; i < len(a) && j < len(b); {
		v := min(a[i], b[j])
		for i < len(a) && a[i] == v {
			i++
		}
		for j < len(b) && b[j] == v {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return most
}

// kolmogorov is the probability that the distance, scaled, is x or more.
func kolmogorov(x float64) float64 {
	if x < 0.3 {
		return 1 // within 1e-5, and the series does not converge
	}
	var sum float64
	sign := 2.0
	for k := 1.0; k <= 100; k++ {
		term := exact.Exp(float64(-2 * float64(k*k) * float64(x*x)))
		sum += float64(sign * term)
		if term < 1e-17 {
			break
		}
		sign = -sign
	}
	return min(max(sum, 0), 1)
}

// Judge says which inputs have drifted: those that matter, Effect ≥ least, and
// among which at most a share alpha (0 means 0.05) is expected to be false
// (Benjamini and Hochberg 1995), so that where nothing has drifted there is an alarm
// with a probability of at most alpha. It returns the list with Q and Fired set, the
// least plausible first, ties by name.
func Judge(list []Drift, alpha float64) []Drift {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(a.Name, b.Name))
	})
	q := 1.0
	for i := len(list) - 1; i >= 0; i-- {
		q = min(q, float64(list[i].P*float64(len(list))/float64(i+1)))
		list[i].Q = q
		list[i].Fired = q <= level(alpha) && list[i].Effect >= least
	}
	return list
}
