package ebm

import (
	"math"
	"slices"
)

// alpha is how often, at most, a model abstains from rows like those it was
// fitted to.
const alpha = 0.02

// limit sets where the model abstains, from the rows themselves, each taken as if
// it had been left out: its own bins and cells hold one row fewer. First come the
// cells of pairs that are empty although rows would be expected there: how many
// is raised until that refuses no more than half of alpha. Then the novelty,
// a conformal p-value of which below alpha is too little.
func (f *file) limit(from *fit) {
	s, rowBins := f.left(from)
	n := len(rowBins)
	f.Support.Alpha = alpha
	f.Support.Expected = 5
	for {
		lone := 0
		for _, bins := range rowBins {
			if s.lone(bins, f.Support.Expected) {
				lone++
			}
		}
		if float64(lone) <= float64(alpha/2*float64(n)) {
			break
		}
		f.Support.Expected *= 2
	}
	novelty := make([]float64, n)
	for i, bins := range rowBins {
		if novelty[i] = s.novelty(bins); s.lone(bins, f.Support.Expected) || s.single(bins) {
			novelty[i] = math.Inf(1)
		}
	}
	slices.Sort(novelty)
	at := int(math.Ceil(float64((1 - alpha) * float64(n+1))))
	for at = min(at, n) - 1; at > 0 && math.IsInf(novelty[at], 1); at-- {
	}
	f.Support.Novelty = math.Ceil(float64(novelty[at]*1e5)) / 1e5
}

// leftOut scores rows as if each had been left out.
type leftOut struct {
	columns []*column
	pairs   []*joint
	at      [][2]int // by pair: its columns
	sums    [][2][]int
	rows    float64
}

// left gives every row's bins in the model's columns.
func (f *file) left(from *fit) (*leftOut, [][]uint8) {
	s := &leftOut{rows: float64(from.r.n)}
	var axes []*axis
	place := map[string]int{}
	for k := range f.Columns {
		place[f.Columns[k].Name] = k
		s.columns = append(s.columns, &f.Columns[k])
		for _, a := range from.axes {
			if a.name == f.Columns[k].Name {
				axes = append(axes, a)
			}
		}
	}
	for k := range f.Pairs {
		p := &f.Pairs[k]
		first, second := p.sums()
		s.pairs = append(s.pairs, p)
		s.at = append(s.at, [2]int{place[p.Columns[0]], place[p.Columns[1]]})
		s.sums = append(s.sums, [2][]int{first, second})
	}
	all := make([]uint8, from.r.n*len(axes))
	rows := make([][]uint8, from.r.n)
	for i := range rows {
		rows[i] = all[i*len(axes) : (i+1)*len(axes)]
		for k, a := range axes {
			rows[i][k] = a.bin[i]
		}
	}
	return s, rows
}

// single says whether a row has a word that no other has, in a column where that
// is a reason to abstain.
func (s *leftOut) single(bins []uint8) bool {
	for k, c := range s.columns {
		if b := int(bins[k]); c.Kind == category && !c.Open && b > 0 && (c.Count[b] == 1 || b == len(c.Words)+1) {
			return true
		}
	}
	return false
}

// lone says whether a row is alone in a cell where others would be expected.
func (s *leftOut) lone(bins []uint8, expected float64) bool {
	for k, p := range s.pairs {
		i, j := p.Join[0][bins[s.at[k][0]]], p.Join[1][bins[s.at[k][1]]]
		if p.Count[i][j] == 1 && float64(s.sums[k][0][i]-1)*float64(s.sums[k][1][j]-1)/(s.rows-1) >= expected {
			return true
		}
	}
	return false
}

// novelty is how rare a row's bins and cells are, as Score adds it up.
func (s *leftOut) novelty(bins []uint8) float64 {
	sum := 0.0
	for k, c := range s.columns {
		sum += surprise(float64(c.Count[bins[k]]-1), s.rows)
	}
	for k, p := range s.pairs {
		i, j := p.Join[0][bins[s.at[k][0]]], p.Join[1][bins[s.at[k][1]]]
		alone := float64(s.sums[k][0][i]-1) * float64(s.sums[k][1][j]-1) / (s.rows - 1)
		sum += surprise(float64(p.Count[i][j]-1), alone)
	}
	return sum
}
