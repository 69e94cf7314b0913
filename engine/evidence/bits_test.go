package evidence

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
)

// The same bits on every machine: this hash was made on amd64, and a machine
// that fuses products would give another (GOARCH=arm64 go test -c, then
// qemu-aarch64-static).
func TestBitsAreTheSameEverywhere(t *testing.T) {
	h := fnv.New64a()
	put := func(v any) { fmt.Fprintf(h, "%x\n", v) } // %x: every bit of a float
	r := rand.New(rand.NewPCG(14, 14))
	for i := range 10 {
		list := trials(r, 300, 150, 0.07, float64(1+i%9))
		var outcomes []bool
		for _, x := range list {
			outcomes = append(outcomes, x.Bad)
		}
		put(OverRate(outcomes, 0.07, 1e-6))
		put(OverPast(outcomes, Count{400 + i, 20 + i}, 1e-6))
		put(OverPeers(peersOf(list), 1e-6))
		put(Watch(list, Options{Side: Either, Alpha: 1e-6}))
		put(Watch(list, Options{ARL: 1000}))
		put(Adwin(list, 1e-6))
		put(compareFew(r))
	}
	const want = 0x3642dca311db71a2
	if got := h.Sum64(); got != want {
		t.Errorf("the bits hash to %#x, want %#x", got, uint64(want))
	}
}

// peersOf are blocks of ten: the first is watched.
func peersOf(list []Trial) []Block {
	var blocks []Block
	for len(list) >= 10 {
		b := Block{Own: Count{N: 1}, Peers: Count{N: 9}}
		for i, x := range list[:10] {
			switch {
			case x.Bad && i == 0:
				b.Own.Bad++
			case x.Bad:
				b.Peers.Bad++
			}
		}
		blocks, list = append(blocks, b), list[10:]
	}
	return blocks
}

// compareFew is drift and bursts of words and numbers that need no
// function of the standard library that differs between machines.
func compareFew(r *rand.Rand) []float64 {
	words := func(n int) (list []string) {
		for range n {
			list = append(list, string(rune('a'+r.IntN(5))))
		}
		return list
	}
	numbers := func(n int) (list []float64) {
		for range n {
			list = append(list, r.Float64())
		}
		return list
	}
	c, n := Categories("c", words(90), words(40)), Numbers("n", numbers(90), numbers(40))
	all := []float64{c.P, c.Effect, n.P, n.Effect}
	for _, b := range Bursts([]Source{{"a", Count{30, r.IntN(9)}, 1.3}, {"b", Count{20, 9}, 1.1}, {"c", Count{90, 5}, 4.7}}, 0.9999) {
		all = append(all, b.P, b.Expected)
	}
	return all
}
