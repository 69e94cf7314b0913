package evidence

import (
	"math"
	"testing"
)

// Tea: of eight cups a lady tells three of four, or all four, that had the milk first
// (Fisher 1935, chapter II).
func TestMoreOften(t *testing.T) {
	for _, tc := range []struct {
		own, other Count
		want       float64
	}{
		{Count{4, 3}, Count{4, 1}, 17.0 / 70},
		{Count{4, 4}, Count{4, 0}, 1.0 / 70},
		{Count{600, 0}, Count{600, 9}, 1},
		{Count{0, 0}, Count{600, 9}, 1},
		{Count{10, 1}, Count{0, 0}, 1},
		{Count{300, 6}, Count{300, 0}, 0.01523569},
	} {
		if got := MoreOften(tc.own, tc.other); math.Abs(got-tc.want) > 1e-6 {
			t.Errorf("MoreOften(%v, %v) = %v, want %v", tc.own, tc.other, got, tc.want)
		}
	}
}
