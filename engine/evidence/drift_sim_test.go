package evidence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// inputs are twenty features of n rows: ten of words (2 to 60 categories, some
// rare), ten of numbers (smooth, skewed, of few values, with values absent).
func inputs(r *rand.Rand, n int) (words [10][]string, numbers [10][]float64) {
	for c := range words {
		words[c] = make([]string, n)
		for i := range n {
			words[c][i] = category(r, 2+6*c)
		}
	}
	for c := range numbers {
		numbers[c] = make([]float64, n)
		for i := range n {
			numbers[c][i] = number(r, c)
		}
	}
	return words, numbers
}

var names = func() (list [60]string) {
	for i := range list {
		list[i] = fmt.Sprint("c", i)
	}
	return list
}()

// category is one of n, the kth with a share that falls with k.
func category(r *rand.Rand, n int) string {
	return names[int(float64(n)*math.Pow(r.Float64(), 1.7))]
}

func number(r *rand.Rand, kind int) float64 {
	switch kind % 5 {
	case 0:
		return r.NormFloat64()
	case 1:
		return math.Exp(2 * r.NormFloat64())
	case 2:
		return float64(r.IntN(4))
	case 3:
		if r.Float64() < 0.3 {
			return math.NaN()
		}
		return r.Float64()
	}
	return math.Floor(20*r.Float64()) / 20
}

// compared judges twenty features, n new rows beside was old ones.
func compared(r *rand.Rand, was, n int) []Drift {
	w0, x0 := inputs(r, was)
	w1, x1 := inputs(r, n)
	var list []Drift
	for c := range w0 {
		list = append(list, Categories(fmt.Sprint("words ", c), w0[c], w1[c]), Numbers(fmt.Sprint("numbers ", c), x0[c], x1[c]))
	}
	return Judge(list, 0)
}

func TestRatesOfFalseDrift(t *testing.T) {
	sizes := []int{30, 100, 1000}
	if long() {
		sizes = []int{30, 100, 300, 1000, 5000}
	}
	var list []simulation
	for _, n := range sizes {
		for _, was := range slices.Compact([]int{n, 1000}) {
			list = append(list, simulation{fmt.Sprintf("Judge, 20 inputs, %d rows beside %d", n, was), 0.05, func(r *rand.Rand) (bool, int) {
				return compared(r, was, n)[0].Fired, 0
			}})
		}
	}
	for _, n := range sizes {
		list = append(list,
			simulation{fmt.Sprintf("Categories alone, %d rows beside 1000", n), 0.05, func(r *rand.Rand) (bool, int) {
				k := r.IntN(10)
				w0, w1 := make([]string, 1000), make([]string, n)
				for i := range w0 {
					w0[i] = category(r, 2+6*k)
				}
				for i := range w1 {
					w1[i] = category(r, 2+6*k)
				}
				return Categories("", w0, w1).P <= 0.05, 0
			}},
			simulation{fmt.Sprintf("Numbers alone, %d rows beside 1000", n), 0.05, func(r *rand.Rand) (bool, int) {
				k := r.IntN(5)
				x0, x1 := make([]float64, 1000), make([]float64, n)
				for i := range x0 {
					x0[i] = number(r, k)
				}
				for i := range x1 {
					x1[i] = number(r, k)
				}
				return Numbers("", x0, x1).P <= 0.05, 0
			}})
	}
	falseAlarms(t, list, 40, 4000)
}

func TestRatesOfFalseDriftOfResiduals(t *testing.T) {
	sizes := []int{30, 300}
	if long() {
		sizes = []int{30, 100, 300, 1000, 5000}
	}
	var list []simulation
	for _, n := range sizes {
		list = append(list,
			simulation{fmt.Sprintf("Watch, either way, %d residuals", n), 0.05, func(r *rand.Rand) (bool, int) {
				a := Watch(trials(r, n, n, 0.05, 1), Options{Side: Either})
				return a.Fired, a.At
			}},
			simulation{fmt.Sprintf("Adwin, %d residuals", n), 0.05, func(r *rand.Rand) (bool, int) {
				a := Adwin(trials(r, n, n, 0.05, 1), 0)
				return a.Fired, a.At
			}},
			simulation{fmt.Sprintf("Adwin, %d residuals of a model that was always off", n), 0.05, func(r *rand.Rand) (bool, int) {
				a := Adwin(trials(r, n, 0, 0.05, 4), 0)
				return a.Fired, a.At
			}})
	}
	falseAlarms(t, list, 200, many)
}

func TestDelaysOfDrift(t *testing.T) {
	var list []simulation
	for _, quiet := range []int{200, 1000} {
		for _, ratio := range []float64{3, 8} {
			list = append(list,
				simulation{fmt.Sprintf("Watch, either way, odds of 5 %% ×%v after %d", ratio, quiet), 0, func(r *rand.Rand) (bool, int) {
					a := Watch(trials(r, quiet+looks(), quiet, 0.05, ratio), Options{Side: Either})
					return a.Fired && a.At >= quiet, a.At + 1 - quiet
				}},
				simulation{fmt.Sprintf("Adwin, odds of 5 %% ×%v after %d", ratio, quiet), 0, func(r *rand.Rand) (bool, int) {
					a := Adwin(trials(r, quiet+looks(), quiet, 0.05, ratio), 0)
					return a.Fired && a.At >= quiet, a.At + 1 - quiet
				}})
		}
	}
	delays(t, list, 100, many)
}
