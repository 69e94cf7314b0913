package health

import (
	"math"
	"slices"
	"strconv"
)

// critical is the standard normal's upper 0.001 quantile.
const critical = 3.0902

// picked is its upper 0.001/60 quantile, for a start that was picked among 60.
const picked = 4.1494

// rankSum is the standardised Mann–Whitney statistic of "a lies above b", with
// ties and the correction for continuity (Lehmann 1975, section 1.4). Values
// must be in the order of time: neighbours resemble each other, so the variance
// is inflated by (1+ρ)/(1−ρ), the factor for a mean of a first-order
// autoregression (Bayley and Hammersley 1946), ρ being the lag-1 correlation of
// the ranks of b, corrected for its bias (Marriott and Pope 1954): b is how the
// host is when nothing happens, and a step within a would pass for resemblance.
// A b too short to tell (20) is helped out by a. It is 0 where nothing can be
// told.
func rankSum(a, b []float64) float64 {
	n, m := float64(len(a)), float64(len(b))
	if n == 0 || m == 0 {
		return 0
	}
	ranks, ties := rank(slices.Concat(a, b))
	sum := 0.0
	for _, r := range ranks[:len(a)] {
		sum += r
	}
	above := sum - float64(n*(n+1))/2 - float64(n*m)/2 - 0.5
	total := n + m
	variance := float64(n*m) / 12 * (total + 1 - ties/float64(total*(total-1)))
	rho := resemblance(ranks[len(a):])
	if len(b) < 20 {
		rho = max(rho, resemblance(ranks[:len(a)], ranks[len(a):]))
	}
	variance *= (1 + rho) / (1 - rho)
	if variance <= 0 || !finite(variance) {
		return 0
	}
	return above / math.Sqrt(variance)
}

// rank returns mid-ranks from 1, and the sum of t³−t over the groups of t ties.
func rank(values []float64) (ranks []float64, ties float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case values[i] < values[j]:
			return -1
		case values[i] > values[j]:
			return 1
		}
		return 0
	})
	ranks = make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			ranks[k] = float64(i+j+1) / 2
		}
		t := float64(j - i)
		ties += float64(float64(t*t)*t) - t
		i = j
	}
	return ranks, ties
}

// resemblance is the lag-1 correlation within the samples, in [0, 0.95].
func resemblance(samples ...[]float64) float64 {
	along, across, n := 0.0, 0.0, 0.0
	for _, s := range samples {
		mean := 0.0
		for _, v := range s {
			mean += v
		}
		mean /= float64(max(1, len(s)))
		for i, v := range s {
			across += float64((v - mean) * (v - mean))
			if i > 0 {
				along += float64((v - mean) * (s[i-1] - mean))
			}
		}
		n += float64(len(s))
	}
	if across == 0 || n == 0 {
		return 0
	}
	rho := along / across
	rho += (1 + float64(3*rho)) / n
	return min(0.95, max(0, rho))
}

// bursts says whether values leave what was seen before again and again: k
// separate stretches above limit, which none of the m values before reached.
// Were they as likely before as after, all k would fall after with probability
// n(n−1)…/(n+m)(n+m−1)…, and that is at most 0.001. Stretches are counted, not
// points, because the points of one are not independent.
func bursts(values []float64, limit float64, m int) bool {
	p, k, n, above := 1.0, 0.0, float64(len(values)), false
	for _, v := range values {
		if v > limit && !above {
			p *= (n - k) / (n + float64(m) - k)
			k++
		}
		above = v > limit
	}
	return k > 0 && p <= 0.001
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// round keeps 5 decimals, as the ledger does.
func round(v float64) float64 {
	r := math.Round(v*1e5) / 1e5
	if !finite(r) {
		return v
	}
	return r
}

// figure writes a number with three digits that count.
func figure(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
