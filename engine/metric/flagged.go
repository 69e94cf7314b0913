package metric

import "math"

// Flagged is what would have been caught had some rows been flagged: summed
// weights of the four kinds.
type Flagged struct {
	Hits        float64 // flagged, and failed
	FalseAlarms float64 // flagged, and went well
	Misses      float64 // passed, and failed
	Passed      float64 // passed, and went well
}

// At flags every row predicted at the threshold or above.
func (s Set) At(threshold float64) Flagged {
	from := len(s.rows)
	for from > 0 && s.rows[from-1].P >= threshold {
		from--
	}
	return s.from(from)
}

// Top flags the k rows predicted highest, equals by name; all where there are
// fewer, none where k is not positive.
func (s Set) Top(k int) Flagged { return s.from(len(s.rows) - min(max(k, 0), len(s.rows))) }

// TopShare flags that share of the rows, rounded down but at least one row: the
// riskiest tenth is TopShare(0.1). Nothing is flagged by a share of 0 or NaN.
func (s Set) TopShare(share float64) Flagged {
	if !(share > 0) {
		return s.Top(0)
	}
	k := math.Floor(float64(min(share, 1)*float64(len(s.rows))) + 1e-9)
	return s.Top(max(int(k), 1))
}

func (s Set) from(first int) Flagged {
	var f Flagged
	for i, r := range s.rows {
		kind := &f.Passed
		switch {
		case i >= first && r.Bad:
			kind = &f.Hits
		case i >= first:
			kind = &f.FalseAlarms
		case r.Bad:
			kind = &f.Misses
		}
		*kind += r.Weight
	}
	return f
}

// Precision is the share of the flagged that failed; not ok where none was.
func (f Flagged) Precision() (float64, bool) { return ratio(f.Hits, f.Hits+f.FalseAlarms) }

// Recall is the share of the failures that was flagged; not ok where none failed.
func (f Flagged) Recall() (float64, bool) { return ratio(f.Hits, f.Hits+f.Misses) }

// Effort is the share of all that was flagged, in EPSS's terms (Jacobs, Romanosky,
// Suciu, Edwards and Sarabi 2023), as are Coverage and Efficiency; not ok without
// rows.
func (f Flagged) Effort() (float64, bool) {
	return ratio(f.Hits+f.FalseAlarms, f.Hits+f.FalseAlarms+f.Misses+f.Passed)
}

// Coverage is EPSS's word for recall.
func (f Flagged) Coverage() (float64, bool) { return f.Recall() }

// Efficiency is EPSS's word for precision.
func (f Flagged) Efficiency() (float64, bool) { return f.Precision() }
