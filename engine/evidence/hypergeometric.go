package evidence

import (
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// hypergeometric is how many of the marked are among the drawn.
type hypergeometric struct{ all, marked, drawn int }

func (h hypergeometric) least() int { return max(0, h.drawn+h.marked-h.all) }
func (h hypergeometric) most() int  { return min(h.drawn, h.marked) }

func (h hypergeometric) mean() float64 {
	return float64(h.marked) * float64(h.drawn) / float64(h.all)
}

// log is ln P(J = j).
func (h hypergeometric) log(j int) float64 {
	return logChoose(h.marked, j) + logChoose(h.all-h.marked, h.drawn-j) - logChoose(h.all, h.drawn)
}

func logChoose(n, k int) float64 {
	return exact.LogGamma(float64(n+1)) - exact.LogGamma(float64(k+1)) - exact.LogGamma(float64(n-k+1))
}

// logs are ln P(J = j) for all j that can be.
func (h hypergeometric) logs() []float64 {
	logs := make([]float64, 0, h.most()-h.least()+1)
	for j := h.least(); j <= h.most(); j++ {
		logs = append(logs, h.log(j))
	}
	return logs
}

// logMean is ln E[exp(s J)] for s > 0, given logs.
func (h hypergeometric) logMean(logs []float64, s float64) float64 {
	top := math.Inf(-1)
	for i, l := range logs {
		top = max(top, l+float64(float64(i)*s))
	}
	var sum float64
	for i, l := range logs {
		sum += exact.Exp(l + float64(float64(i)*s) - top)
	}
	return top + exact.Log(sum) + float64(float64(h.least())*s)
}

// atLeast is P(J ≥ j).
func (h hypergeometric) atLeast(j int) float64 {
	switch {
	case j <= h.least():
		return 1
	case j > h.most():
		return 0
	case float64(j) <= h.mean():
		return 1 - h.swapped().atLeast(h.drawn-j+1)
	}
	return h.tail(j)
}

// atMost is P(J ≤ j).
func (h hypergeometric) atMost(j int) float64 { return h.swapped().atLeast(h.drawn - j) }

// swapped is how many of those not marked are among the drawn.
func (h hypergeometric) swapped() hypergeometric {
	return hypergeometric{h.all, h.all - h.marked, h.drawn}
}

// tail is P(J ≥ j) for j above the mean, where terms fall.
func (h hypergeometric) tail(j int) float64 {
	term := exact.Exp(h.log(j))
	sum := term
	for ; j < h.most() && term > float64(sum*1e-17); j++ {
		up := float64(h.marked-j) * float64(h.drawn-j)
		term = float64(term * (up / (float64(j+1) * float64(h.all-h.marked-h.drawn+j+1))))
		sum += term
	}
	return min(sum, 1)
}
