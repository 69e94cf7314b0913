package ebm

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// most is how many bins a column has at most, the one for missing values
// included.
const most = 255

// A bin of numbers holds fairRows rows or more on average, for finer ones would
// only make the file longer: on samples of 300 and 900 rows the log loss of
// fresh rows stayed the same. But there are fewBins at least, however few rows.
const (
	fairRows = 12
	fewBins  = 8
)

// axis is a column cut into bins. Bin 0 is for missing values; those of numbers
// follow in order, those of a category in the order of its words, and after them
// one for words too rare for a bin of their own.
type axis struct {
	name      string
	category  bool
	cuts      []float64 // numbers: bin k+1 begins at cuts[k-1]; ascending
	low, high float64   // numbers: the range that the values speak for
	words     []string  // category: sorted
	single    int       // category: words seen once
	count     []int     // rows in each bin
	sum       []float64 // numbers: what those in each bin add up to
	bin       []uint8   // of each row, in canonical order
}

// bins is how many bins an axis has.
func (a *axis) bins() int { return len(a.count) }

// cut makes the axis of one column.
func cut(c Column, r *rows, former *column) *axis {
	a := &axis{name: c.Name, category: c.Words != nil, bin: make([]uint8, r.n)}
	if a.category {
		a.cutWords(c.Words, r)
		return a
	}
	a.number(c.Numbers, r, former)
	return a
}

// number cuts a column of numbers.
func (a *axis) number(numbers []float64, r *rows, former *column) {
	values := make([]float64, 0, r.n)
	for _, i := range r.source {
		if x := numbers[i]; !math.IsNaN(x) {
			values = append(values, x)
		}
	}
	bins := 1
	if len(values) > 0 {
		slices.Sort(values)
		a.low, a.high = support(values)
		if former != nil && former.Kind == number {
			a.cuts = recut(values, former.Cuts)
		} else {
			a.cuts = quantiles(values, min(most-1, max(fewBins, len(values)/fairRows)))
		}
		bins += len(a.cuts) + 1
	}
	a.count, a.sum = make([]int, bins), make([]float64, bins)
	for k, i := range r.source {
		b := place(a.cuts, numbers[i])
		a.bin[k] = uint8(b)
		a.count[b]++
		a.sum[b] += numbers[i]
	}
}

// support is the range that a column's sorted numbers speak for: as far beyond
// the outermost as that is from the √n-th. A new one of the same kind lies
// outside, where tails are exponential, about once in n·√n.
func support(values []float64) (low, high float64) {
	n := len(values)
	k := min(n-1, int(math.Sqrt(float64(n))))
	low, high = values[0], values[n-1]
	return low - (values[k] - low), high + (high - values[n-1-k])
}

// middles are a place for each bin of numbers: the mean of its values, in
// standard deviations from that of all and no further than 4. Bins without rows
// are at 0.
func (a *axis) middles() []float64 {
	z := make([]float64, a.bins()-1)
	var n, sum, squares float64
	for k, x := range a.sum[1:] {
		if rows := float64(a.count[k+1]); rows > 0 {
			z[k] = x / rows
			n += rows
			sum += x
		}
	}
	if n == 0 {
		return z
	}
	mean := sum / n
	for k, x := range z {
		squares += float64(float64(a.count[k+1]) * float64((x-mean)*(x-mean)))
	}
	deviation := math.Sqrt(squares/n) + 1e-300
	for k, x := range z {
		z[k] = max(-4, min(4, (x-mean)/deviation))
		if a.count[k+1] == 0 {
			z[k] = 0
		}
	}
	return z
}

// place is the bin of a number.
func place(cuts []float64, x float64) int {
	if math.IsNaN(x) {
		return 0
	}
	low, high := 0, len(cuts)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if x >= cuts[mid] {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low + 1
}

// quantiles cuts sorted values into at most bins bins with about as many values
// in each; few enough distinct values get a bin each.
func quantiles(values []float64, bins int) []float64 {
	distinct := 1
	for k := 1; k < len(values); k++ {
		if values[k] != values[k-1] {
			distinct++
		}
	}
	var cuts []float64
	left, taken := bins, 0
	for k := 1; k < len(values); k++ {
		if values[k] == values[k-1] {
			continue
		}
		if distinct > bins && (k-taken)*left < len(values)-taken {
			continue
		}
		if left == 1 {
			break
		}
		cuts = append(cuts, between(values[k-1], values[k]))
		left, taken = left-1, k
	}
	return cuts
}

// recut keeps the cuts of a former model and cuts again where, by now, a bin
// holds over four times its fair share of the values. Within a bin that is cut
// again the former cuts stay.
func recut(values, former []float64) []float64 {
	cuts := slices.Clone(former)
	room := most - 2 - len(cuts)
	fair := max(fairRows, len(values)/(most-1))
	var more []float64
	for k, begin := 0, 0; k <= len(former) && room > 0; k++ {
		end := len(values)
		if k < len(former) {
			end, _ = slices.BinarySearch(values, former[k])
		}
		if held := end - begin; held > 4*fair {
			fresh := quantiles(values[begin:end], min(room+1, held/fair))
			more = append(more, fresh...)
			room -= len(fresh)
		}
		begin = end
	}
	cuts = append(cuts, more...)
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// between is a short number above a and not above b: a cut that people can read
// and that a file holds in few digits.
func between(a, b float64) float64 {
	mid := a + float64((b-a)/2)
	var buf [32]byte
	for digits := 1; digits <= 17; digits++ {
		text := strconv.AppendFloat(buf[:0], mid, 'g', digits, 64)
		if c, err := strconv.ParseFloat(string(text), 64); err == nil && c > a && c <= b {
			return c + 0
		}
	}
	return b
}

// cutWords gives the most frequent words a bin each.
func (a *axis) cutWords(words []string, r *rows) {
	seen := map[string]int{}
	for _, i := range r.source {
		if w := words[i]; w != "" {
			seen[w]++
		}
	}
	for w, n := range seen {
		a.words = append(a.words, w)
		if n == 1 {
			a.single++
		}
	}
	slices.SortFunc(a.words, func(x, y string) int {
		return cmp.Or(cmp.Compare(seen[y], seen[x]), cmp.Compare(x, y))
	})
	if len(a.words) > most-2 {
		a.words = a.words[:most-2]
	}
	slices.Sort(a.words)
	at := make(map[string]int, len(a.words))
	for k, w := range a.words {
		at[w] = k + 1
	}
	a.count = make([]int, len(a.words)+2)
	for k, i := range r.source {
		b := 0
		if w := words[i]; w != "" {
			var ok bool
			if b, ok = at[w]; !ok {
				b = len(a.words) + 1
			}
		}
		a.bin[k] = uint8(b)
		a.count[b]++
	}
}

// coarse joins the bins of an axis into at most limit ones for a pair: map from
// bin to coarse bin, 0 staying 0. Bins are joined in the order of the numbers, or
// for a category that of effect; those that are apart, if any, are the last one.
func (a *axis) coarse(limit int, effect []float64, apart func(bin int) bool) (join []uint8, bins int) {
	join = make([]uint8, a.bins())
	var rank, last []int
	total := 0
	for b := 1; b < a.bins(); b++ {
		if apart != nil && apart(b) {
			last = append(last, b)
			continue
		}
		rank = append(rank, b)
		total += a.count[b]
	}
	if len(last) > 0 {
		limit--
	}
	if a.category {
		slices.SortStableFunc(rank, func(x, y int) int { return cmp.Compare(effect[x], effect[y]) })
	}
	left, held, done := limit-1, 0, 0
	k := min(1, len(rank))
	for i, b := range rank {
		if few := len(rank) <= limit-1; i > 0 && left > 1 && (few || held*left >= total-done) {
			done += held
			held = 0
			left--
			k++
		}
		join[b] = uint8(k)
		held += a.count[b]
	}
	for _, b := range last {
		join[b] = uint8(k + 1)
	}
	return join, k + 1 + min(1, len(last))
}
