package evidence

import (
	"math"
	"testing"
)

func TestShown(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 59, 1000} {
		if got, want := Shown(n, 0), 1-math.Pow(0.05, 1/float64(n)); math.Abs(got-want) > 1e-6 {
			t.Errorf("Shown(%d, 0) = %v, want %v", n, got, want)
		}
		for allowed := 1; allowed < min(n, 5); allowed++ {
			if p := above(n, allowed+1, Shown(n, allowed)); math.Abs(p-0.95) > 1e-6 {
				t.Errorf("Shown(%d, %d) is seen with probability %v, want 0.95", n, allowed, p)
			}
		}
	}
	if got := Shown(2, 2); got != 1 {
		t.Errorf("Shown(2, 2) = %v: two of two may fail, want 1", got)
	}
}
