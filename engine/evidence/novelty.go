package evidence

import (
	"fmt"
	"math"
	"slices"
)

// Point is one row of a model's inputs. Absent are NaN and "", which are values of
// their own.
type Point struct {
	Numbers []float64
	Words   []string
}

// Support is what is known of the rows a model was trained on: enough to say of
// a new one whether it is like them.
type Support struct {
	sorted [][]float64 // by number: the values of the known, sorted
	known  []Point     // numbers as places
	scores []float64   // of calibration rows, sorted
}

const (
	nearest = 5    // neighbours that count
	rows    = 1000 // at most so many are known, and as many calibrate
)

// Conformal is the p-value of "this score is one of those": the share of
// calibration scores that are as high or higher, the new one among them (Vovk,
// Gammerman and Shafer 2005). Where the new row is drawn as they were, it is at
// most alpha with a probability of at most alpha, whatever the score is. It is never
// below 1/(n+1): without n ≥ 1/alpha − 1 calibration scores nothing is refused. The
// scores are sorted, rising. A NaN is as novel as can be.
func Conformal(calibration []float64, score float64) float64 {
	below := len(calibration)
	if known(score) {
		below, _ = slices.BinarySearch(calibration, score)
	}
	return float64(len(calibration)-below+1) / float64(len(calibration)+1)
}

// NewSupport takes the rows that a model was trained on, every other one to know
// and the rest to calibrate with, at most 1,000 each, evenly taken. Rows that
// repeat each other (one host, the same day) should be given once: repetitions make
// all else look novel. It is an error where points differ in how many numbers or
// words they have.
func NewSupport(points []Point) (Support, error) {
	var s Support
	for i, p := range points {
		if len(p.Numbers) != len(points[0].Numbers) || len(p.Words) != len(points[0].Words) {
			return s, fmt.Errorf("point %d has %d numbers and %d words, the first %d and %d", i, len(p.Numbers), len(p.Words), len(points[0].Numbers), len(points[0].Words))
		}
	}
	var known, calibration []Point
	for i := range min(len(points), 2*rows) {
		p := points[i*len(points)/min(len(points), 2*rows)]
		if i%2 == 0 {
			known = append(known, p)
		} else {
			calibration = append(calibration, p)
		}
	}
	if len(known) == 0 {
		return s, nil
	}
	for c := range known[0].Numbers {
		var list []float64
		for _, p := range known {
			list = append(list, p.Numbers[c])
		}
		s.sorted = append(s.sorted, present(list))
	}
	for _, p := range known {
		s.known = append(s.known, s.placed(p))
	}
	for _, p := range calibration {
		score, _ := s.Score(p)
		s.scores = append(s.scores, score)
	}
	slices.Sort(s.scores)
	return s, nil
}

// P is the conformal p-value of the point's score: small where it is like nothing
// known. Without any rows it is 1: nothing is known of what is known, and hard
// rules must speak.
func (s Support) P(p Point) float64 {
	score, _ := s.Score(p)
	return Conformal(s.scores, score)
}

// Score is the mean distance to the 5 nearest known points (Angiulli and Pizzuti
// 2002), and the column that made most of it: numbers count from 0, words on from
// there; −1 where nothing differs. NaN where nothing is known or the point is of
// another shape.
//
// The distance is Gower's (1971): the mean over columns of 1 for words that differ
// or a value absent on one side, and for numbers of the share of known values
// between the two, a value beyond all known ones counting up to 1 more.
func (s Support) Score(p Point) (score float64, column int) {
	if len(s.known) == 0 || len(p.Numbers) != len(s.sorted) || len(p.Words) != len(s.known[0].Words) {
		return math.NaN(), -1
	}
	p = s.placed(p)
	var near [nearest]neighbour
	found := 0
	for i, k := range s.known {
		n := neighbour{i, distance(p, k)}
		at := found
		for ; at > 0 && near[at-1].d > n.d; at-- {
			if at < nearest {
				near[at] = near[at-1]
			}
		}
		if at < nearest {
			near[at] = n
			found = min(found+1, nearest)
		}
	}
	by := make([]float64, len(p.Numbers)+len(p.Words))
	for _, n := range near[:found] {
		score += n.d / float64(found)
		for c := range by {
			by[c] += apart(p, s.known[n.row], c)
		}
	}
	most := 0.0
	column = -1
	for c, v := range by {
		if v > most {
			most, column = v, c
		}
	}
	return score, column
}

type neighbour struct {
	row int
	d   float64
}

// placed is the point with its numbers' places among the known: the share of them
// below, equals counting half, and from −1 to 0 or 1 to 2 beyond all.
func (s Support) placed(p Point) Point {
	places := make([]float64, len(p.Numbers))
	for c, v := range p.Numbers {
		places[c] = place(s.sorted[c], v)
	}
	return Point{places, p.Words}
}

func place(sorted []float64, v float64) float64 {
	if math.IsNaN(v) {
		return v
	}
	if len(sorted) == 0 {
		return 2 // there never was a value
	}
	first, last := sorted[0], sorted[len(sorted)-1]
	switch {
	case v < first:
		return -beyond(first-v, last-first)
	case v > last:
		return 1 + beyond(v-last, last-first)
	}
	from, _ := slices.BinarySearch(sorted, v)
	to := from
	for to < len(sorted) && sorted[to] == v {
		to++
	}
	return float64(from+to) / float64(2*len(sorted))
}

func beyond(by, width float64) float64 {
	if by >= width {
		return 1
	}
	return by / width
}

func distance(a, b Point) float64 {
	columns := len(a.Numbers) + len(a.Words)
	var sum float64
	for c := range columns {
		sum += apart(a, b, c)
	}
	return sum / float64(max(columns, 1))
}

// apart is how far two placed points are apart in one column.
func apart(a, b Point, c int) float64 {
	if w := c - len(a.Numbers); w >= 0 {
		if a.Words[w] == b.Words[w] {
			return 0
		}
		return 1
	}
	x, y := a.Numbers[c], b.Numbers[c]
	switch {
	case math.IsNaN(x) && math.IsNaN(y):
		return 0
	case math.IsNaN(x) || math.IsNaN(y):
		return 1
	}
	return math.Abs(x - y)
}
