package evidence

import (
	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// Block is outcomes of one time and place: Own of those that are watched (hosts
// that have the patch, one vendor's changes) and Peers of what they are compared
// with. How many there are must not depend on how they turn out.
type Block struct{ Own, Peers Count }

// Peers is the running test of "ours fail no more often than their peers". A
// value: it may be kept and copied.
type Peers struct {
	Logs [len(odds)]float64 // evidence by odds ratio
}

// odds are the odds ratios that a change is looked for at, each as likely.
var odds = [...]float64{1.5, 2, 3, 5, 8, 13, 21}

// OverPeers reads blocks in their order and fires where the watched fail more
// often than their peers of the same block, at a probability of at most alpha (0
// means 0.05) however long it reads. What befalls both, in whatever block, is no
// evidence: rates may change from block to block.
func OverPeers(blocks []Block, alpha float64) Alarm {
	a := quiet()
	var t Peers
	for i, b := range blocks {
		a.At = i
		a.N += b.Own.N
		a.Bad += b.Own.Bad
		if all := b.Own.N + b.Peers.N; all > 0 {
			a.Expected += float64(float64(b.Own.N) * float64(b.Own.Bad+b.Peers.Bad) / float64(all))
		}
		t.Add(b)
		if a.weigh(t.E(), 1/level(alpha)) {
			break
		}
	}
	return a
}

// Add takes a block.
//
// Of the failures of a block, were rates equal, J would be the watched ones' by
// the hypergeometric distribution, whatever the rate; at an odds ratio r the
// likelihood of J = j is rʲ/E[rᴶ] times that. The product over blocks, averaged
// over r, is the evidence: the anytime-valid logrank test (ter Schure,
// Pérez-Ortiz, Ly and Grünwald 2024) as a test of two proportions (compare Turner,
// Ly and Grünwald 2024). As the ratio rises in j, it holds for "no more often" as
// well as for "as often".
func (t *Peers) Add(b Block) {
	failed := b.Own.Bad + b.Peers.Bad
	if failed == 0 || b.Own.N == 0 || b.Peers.N == 0 {
		return
	}
	h := hypergeometric{all: b.Own.N + b.Peers.N, marked: failed, drawn: b.Own.N}
	logs := h.logs()
	for k, r := range odds {
		t.Logs[k] += float64(float64(b.Own.Bad)*exact.Log(r)) - h.logMean(logs, exact.Log(r))
	}
}

// E is the evidence so far.
func (t Peers) E() float64 {
	var sum float64
	for _, l := range t.Logs {
		sum += exact.Exp(min(l, 600))
	}
	return sum / float64(len(odds))
}
