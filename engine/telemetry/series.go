package telemetry

import (
	"math"
	"slices"
)

// Sort puts the points of every series into the order of time, in place. Points
// of one instant keep their order.
func Sort(s Series) {
	for _, signals := range s {
		for _, points := range signals {
			slices.SortStableFunc(points, func(a, b Point) int { return a.At.Compare(b.At) })
		}
	}
}

// Merge adds the points of b to a, in place, and sorts.
func Merge(a, b Series) {
	for host, signals := range b {
		if a[host] == nil {
			a[host] = map[string][]Point{}
		}
		for signal, points := range signals {
			a[host][signal] = append(a[host][signal], points...)
		}
	}
	Sort(a)
}

// Pool joins the signals of several hosts into one, as health takes its peers.
// Points are sorted by time, then value, so the order of hosts does not matter;
// those that are not numbers come first within an instant.
func Pool(hosts []map[string][]Point) map[string][]Point {
	pooled := map[string][]Point{}
	for _, signals := range hosts {
		for signal, points := range signals {
			pooled[signal] = append(pooled[signal], points...)
		}
	}
	for _, points := range pooled {
		slices.SortFunc(points, func(a, b Point) int {
			if c := a.At.Compare(b.At); c != 0 {
				return c
			}
			return order(a.V, b.V)
		})
	}
	return pooled
}

func order(a, b float64) int {
	switch {
	case a < b || math.IsNaN(a) && !math.IsNaN(b):
		return -1
	case a > b || !math.IsNaN(a) && math.IsNaN(b):
		return 1
	}
	return 0
}

// Finite returns the values that are numbers, in the order of the points.
func Finite(points []Point) []float64 {
	list := make([]float64, 0, len(points))
	for _, p := range points {
		if !math.IsNaN(p.V) && !math.IsInf(p.V, 0) {
			list = append(list, p.V)
		}
	}
	return list
}

// Mean is the arithmetic mean, and false of nothing.
func Mean(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values)), true
}

// Quantile is the q-quantile (0 to 1) by linear interpolation between order
// statistics (type 7 of Hyndman and Fan 1996), and false of nothing.
func Quantile(values []float64, q float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	at := float64(q * float64(len(sorted)-1))
	i := int(at)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1], true
	}
	return sorted[i] + float64((at-float64(i))*(sorted[i+1]-sorted[i])), true
}
