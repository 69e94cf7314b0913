package metric

import (
	"fmt"
	"hash/fnv"
	"math/rand"
	"testing"
)

// The same bits on every machine: this hash was made on amd64, and a machine
// that fuses products would give another (GOARCH=arm64 go test -c, then
// qemu-aarch64-static).
func TestBitsAreTheSameEverywhere(t *testing.T) {
	h := fnv.New64a()
	r := rand.New(rand.NewSource(8))
	for range 20 {
		rows := make([]Row, 300)
		for i := range rows {
			rows[i] = Row{P: r.Float64(), Bad: r.Intn(4) == 0, Weight: r.Float64()}
		}
		fmt.Fprintf(h, "%x\n", answers(set(t, rows))) // %x: every bit of a float
	}
	const want = 0x85001063aff6dcc0
	if got := h.Sum64(); got != want {
		t.Errorf("the bits hash to %#x, want %#x", got, uint64(want))
	}
}
