package ebm

import (
	"cmp"
	"math"
	"slices"
)

// The newest rows set the intercept where earlier ones show that it pays.
const (
	blocks   = 20 // time is cut into these many parts of equally many rows
	warmUp   = 5  // and the first of them are not judged
	fewest   = 20 // rows that a window has at least
	leastWin = 2  // what the best window must gain, in log-likelihood
)

// newest finds, by going through time, how many of the newest rows foretell best
// at which level the next ones are: window by window, the shift that the rows of
// a window ask for is tried on the block after it. It returns the shift that the
// newest rows ask for and their scores under it; nil where no window pays.
func (f *fit) newest(s sample) (*recent, sample) {
	at := make([]int, 0, f.r.n)
	for i, row := range f.r.source {
		if !math.IsNaN(f.o.Time[row]) {
			at = append(at, i)
		}
	}
	time := func(i int) float64 { return f.o.Time[f.r.source[i]] }
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(time(a), time(b)) })
	n := len(at)
	if n < blocks*fewest/2 {
		return nil, sample{}
	}
	part := func(from, to int) sample {
		var out sample
		for _, i := range at[from:to] {
			out.f, out.y, out.w, out.fold = append(out.f, s.f[i]), append(out.y, s.y[i]), append(out.w, s.w[i]), append(out.fold, s.fold[i])
		}
		return out
	}
	best, window := -float64(leastWin), 0
	for _, wide := range []int{n / 40, n / 20, n / 10, n / 5, n / 2} {
		if wide < fewest {
			continue
		}
		won := 0.0
		for b := warmUp; b < blocks; b++ {
			low, high := b*n/blocks, (b+1)*n/blocks
			before, block := part(max(0, low-wide), low), part(low, high)
			own := logLoss(block.f, block.y, block.w)
			won += logLoss(moved(block.f, held(before)), block.y, block.w) - own
		}
		if won < best {
			best, window = won, wide
		}
	}
	if window == 0 {
		return nil, sample{}
	}
	out := part(n-window, n)
	by := clean(held(out))
	calibrated := part(n-min(n, max(window, 1000)), n)
	calibrated.f = moved(calibrated.f, by)
	return &recent{Rows: window, Shift: by}, calibrated
}

// held is the shift that a window asks for, held back as by one row's worth of
// belief that nothing has moved.
func held(s sample) float64 {
	curve := 0.0
	for i, x := range s.f {
		p := float64(sigmoid(x))
		curve += float64(float64(s.w[i]) * float64(p*(1-p)))
	}
	return level(s.f, s.y, s.w) * (curve / (curve + ridge))
}

func moved(f []float32, by float64) []float32 {
	out := slices.Clone(f)
	for i := range out {
		out[i] += float32(by)
	}
	return out
}
