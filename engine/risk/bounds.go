package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Bounds is what became of changes that were scored before anything was known of
// them: for a score whose log-odds are From[k] or more, below From[k+1], such
// changes failed at a rate from Low[k] to High[k]. A score below From[0] is as one
// there.
//
// It is an inductive Venn–Abers predictor (Vovk, Petej and Fedorova 2015): at each
// level, what isotonic regression makes of one further change there if it held,
// and if it failed, each with the outer end of Jeffreys' 90 % interval of as many
// changes as were pooled for it. The changes of one patch share its fate, so they
// count for fewer: counts are divided by Spread, how much more the failures of
// patches differ from what was predicted than those of independent changes would
// (quasi-likelihood: McCullagh and Nelder 1989, 4.5).
type Bounds struct {
	N      int       `json:"n"`      // changes that were held out
	Bad    int       `json:"bad"`    // those that failed
	Spread float64   `json:"spread"` // 1 or more
	From   []float64 `json:"from"`   // rising
	Low    []float64 `json:"low"`
	High   []float64 `json:"high"`
}

// foretold is a held-out change as it was scored.
type foretold struct {
	patch  string
	score  float64 // log-odds
	failed bool
	weight float64
}

// What bounds take.
const (
	boundFailures = 10
	boundLevels   = 24
)

// boundsOf are the bounds that held-out changes show, nil where too few of them
// failed to say anything.
func boundsOf(list []foretold) *Bounds {
	b := &Bounds{N: len(list)}
	for _, f := range list {
		if f.failed {
			b.Bad++
		}
	}
	if b.Bad < boundFailures {
		return nil
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b foretold) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.patch, b.patch), compareBool(a.failed, b.failed), cmp.Compare(a.weight, b.weight))
	})
	b.Spread = exact.Round5(spread(list))
	from, levels := leveled(list, b.Spread)
	for k := range levels {
		low, high := isotonic(levels, k, share{n: 1}), isotonic(levels, k, share{1, 1})
		b.add(exact.Round5(from[k]), exact.Round5(low.end(0.05)), exact.Round5(high.end(0.95)))
	}
	return b
}

// add takes a level, into the one before where nothing sets them apart.
func (b *Bounds) add(from, low, high float64) {
	n := len(b.From) - 1
	switch {
	case n >= 0 && b.Low[n] == low && b.High[n] == high:
	case n >= 0 && from <= b.From[n]:
		b.Low[n], b.High[n] = min(b.Low[n], low), max(b.High[n], high)
	default:
		b.From, b.Low, b.High = append(b.From, from), append(b.Low, low), append(b.High, high)
	}
}

// end is a quantile of Jeffreys' posterior.
func (s share) end(q float64) float64 {
	return exact.Beta{A: s.bad + 0.5, B: max(s.n-s.bad, 0) + 0.5}.Quantile(q)
}

// spread is Pearson's dispersion of the failures of patches, at least 1.
func spread(list []foretold) float64 {
	type sums struct{ off, v float64 }
	patches := map[string]sums{}
	for _, f := range list {
		p := exact.Expit(f.score)
		y := 0.0
		if f.failed {
			y = 1
		}
		s := patches[f.patch]
		s.off += float64(f.weight * (y - p))
		s.v += float64(float64(f.weight*f.weight) * float64(p*(1-p)))
		patches[f.patch] = s
	}
	var square, v float64
	for _, key := range inOrder(patches) {
		square += float64(patches[key].off * patches[key].off)
		v += patches[key].v
	}
	return max(square/v, 1)
}

// leveled cuts changes, rising by score, into levels that hold equal parts, half
// by their number and half by the failures predicted for them, and divides by a
// spread what each level showed.
func leveled(list []foretold, spread float64) (from []float64, levels []share) {
	var all, expected float64
	for _, f := range list {
		all += f.weight
		expected += float64(f.weight * exact.Expit(f.score))
	}
	done := 0.0
	for i, f := range list {
		if len(levels) == 0 || done*boundLevels >= float64(len(levels)) && f.score > list[i-1].score {
			from, levels = append(from, f.score), append(levels, share{})
		}
		l := &levels[len(levels)-1]
		l.n += f.weight / spread
		if f.failed {
			l.bad += f.weight / spread
		}
		done += (f.weight/all + float64(f.weight*exact.Expit(f.score))/expected) / 2
	}
	return from, levels
}

// isotonic is the pool that isotonic regression puts a level into, where one more
// change is there.
func isotonic(levels []share, at int, more share) share {
	type pool struct {
		share
		last int
	}
	var pools []pool
	for k, l := range levels {
		if k == at {
			l = share{l.n + more.n, l.bad + more.bad}
		}
		pools = append(pools, pool{l, k})
		for n := len(pools); n > 1 && float64(pools[n-2].bad*pools[n-1].n) > float64(pools[n-1].bad*pools[n-2].n); n-- {
			a, b := pools[n-2], pools[n-1]
			pools = append(pools[:n-2], pool{share{a.n + b.n, a.bad + b.bad}, b.last})
		}
	}
	i := slices.IndexFunc(pools, func(p pool) bool { return p.last >= at })
	return pools[i].share
}

// of is what held-out changes with such log-odds showed. ok is false where nothing
// is known.
func (b *Bounds) of(score float64) (low, high float64, ok bool) {
	if b == nil || len(b.From) == 0 || math.IsNaN(score) {
		return 0, 0, false
	}
	k, exactly := slices.BinarySearch(b.From, score)
	if !exactly {
		k = max(k-1, 0)
	}
	return b.Low[k], b.High[k], true
}

// bounded is the interval of a probability that rests on so many changes: what
// they allow, and what held-out changes of such a score showed, whichever reaches
// further. Neither may narrow the other: what is known of one package or pair can
// be little where much is known of scores, and scores can be off by more than
// their evidence tells. It holds p.
func (m *Deployment) bounded(p, worth float64) (low, high float64) {
	q := min(max(p, 1e-5), 1-1e-5)
	low, high = interval(q, worth)
	if a, b, ok := m.Bounds.of(exact.Logit(q)); ok {
		low, high = min(low, a), max(high, b)
	}
	return min(low, p), max(high, p)
}

// say tells of bounds that reach further than a score's evidence, "" where they do
// not.
func (m *Deployment) say(p, worth float64) string {
	q := min(max(p, 1e-5), 1-1e-5)
	low, high := interval(q, worth)
	a, b, ok := m.Bounds.of(exact.Logit(q))
	if !ok || a >= low && b <= high {
		return ""
	}
	return fmt.Sprintf("; of %d changes held out, those of such a score failed in %s to %s", m.Bounds.N, percent(a), percent(b))
}

// check says what cannot be in a file.
func (b *Bounds) check() error {
	if b == nil {
		return nil
	}
	n := len(b.From)
	if n == 0 || n > 10*boundLevels || len(b.Low) != n || len(b.High) != n {
		return fmt.Errorf("bounds: %d from, %d low, %d high; expected as many of each, 1 to %d", n, len(b.Low), len(b.High), 10*boundLevels)
	}
	if b.N < 0 || b.Bad < 0 || b.Bad > b.N || !(b.Spread >= 1 && b.Spread <= largest) {
		return fmt.Errorf("bounds: %d of %d failed, spread %v; expected a spread of 1 or more", b.Bad, b.N, b.Spread)
	}
	for k := range b.From {
		if !(b.Low[k] >= 0 && b.Low[k] <= b.High[k] && b.High[k] <= 1) || !(math.Abs(b.From[k]) <= largest) || k > 0 && !(b.From[k] > b.From[k-1]) {
			return fmt.Errorf("bounds: level %d: %v to %v from %v; expected probabilities, from log-odds that rise", k, b.Low[k], b.High[k], b.From[k])
		}
	}
	return nil
}

// round brings numbers from a file to 5 decimals.
func (b *Bounds) round() {
	if b == nil {
		return
	}
	b.Spread = exact.Round5(b.Spread)
	for _, list := range [][]float64{b.From, b.Low, b.High} {
		for i, x := range list {
			list[i] = exact.Round5(x)
		}
	}
}
