package evidence

import (
	"math"
	"testing"
)

// FuzzDrift: whatever the samples, P and Effect are shares, and which sample came
// first does not matter; of equal samples nothing has moved.
func FuzzDrift(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1, 2, 3, 4, 5, 6}, []byte{7, 7, 7, 7, 7, 7, 7, 7})
	f.Add([]byte("aaaaaaaaaaaaaaaabbbbbbbbc"), []byte("abbbbbbbbbbbbbbbbbbbbbbbbbb\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, was, is []byte) {
		words := func(data []byte) (list []string) {
			for _, b := range data {
				list = append(list, string(rune(b)))
			}
			return list
		}
		numbers := func(data []byte) (list []float64) {
			for _, b := range data {
				v := float64(b)
				switch b {
				case 255:
					v = math.NaN()
				case 254:
					v = math.Inf(1)
				}
				list = append(list, v)
			}
			return list
		}
		a, b := words(was), words(is)
		x, y := numbers(was), numbers(is)
		for _, pair := range [][2]Drift{{Categories("w", a, b), Categories("w", b, a)}, {Numbers("n", x, y), Numbers("n", y, x)}} {
			d, back := pair[0], pair[1]
			if !(d.P >= 0 && d.P <= 1) || !(d.Effect >= 0 && d.Effect <= 1+1e-9) || !(d.PSI >= 0) {
				t.Errorf("%+v", d)
			}
			if math.Abs(d.P-back.P) > 1e-9 || math.Abs(d.Effect-back.Effect) > 1e-9 {
				t.Errorf("%+v, and turned round %+v", d, back)
			}
		}
		for _, d := range []Drift{Categories("w", a, a), Numbers("n", x, x)} {
			if d.Effect > 0 || d.P < 1 {
				t.Errorf("the same twice: %+v", d)
			}
		}
	})
}
