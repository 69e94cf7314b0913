package risk

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// DeploymentChange is what a retraining made of a deployment model, part by part.
// Where a part is not in one of the two, its side is nil.
type DeploymentChange struct {
	Numbers     []NumberChange `json:"numbers"`      // all that there are, changed or not, in a fixed order
	Pairs       []PairChange   `json:"incompatible"` // added, removed and changed ones, by how far the effect moved
	Records     []RecordChange `json:"records"`      // of the track record, those changed, by how far the rate moved
	Calibration []BoundChange  `json:"calibration"`  // the levels of either, where what was held out says something else now
	Learnt      *ebm.Change    `json:"learnt"`       // nil where either learnt nothing beyond the rest
}

// NumberChange is a figure of the model before and after.
type NumberChange struct {
	Name   string   `json:"name"`
	Before *float64 `json:"before"`
	After  *float64 `json:"after"`
}

// PairChange is an incompatibility before and after.
type PairChange struct {
	Before *Incompatible `json:"before"`
	After  *Incompatible `json:"after"`
}

// RecordChange is a track record before and after.
type RecordChange struct {
	Kind   string  `json:"kind"` // vendor, package or package × role
	Name   string  `json:"name"`
	Before *Record `json:"before"`
	After  *Record `json:"after"`
}

// BoundChange is the interval of scores from a level on, before and after.
type BoundChange struct {
	From   float64     `json:"from"` // log-odds
	Before *[2]float64 `json:"before"`
	After  *[2]float64 `json:"after"`
}

// CompareDeployments says what changed from one model to another.
func CompareDeployments(before, after *Deployment) DeploymentChange {
	d := DeploymentChange{
		Numbers: numberChanges(before, after), Pairs: pairChanges(before.Pairs, after.Pairs),
		Records: CompareRecords(before.Record, after.Record), Calibration: boundChanges(before.Bounds, after.Bounds),
	}
	if before.learnt != nil && after.learnt != nil {
		c := ebm.Compare(before.learnt, after.learnt)
		d.Learnt = &c
	}
	return d
}

func numberChanges(before, after *Deployment) []NumberChange {
	figures := []struct {
		name string
		of   func(m *Deployment) (float64, bool)
	}{
		{"changes learnt from", func(m *Deployment) (float64, bool) { return float64(m.Trials), true }},
		{"of them the estate's own", func(m *Deployment) (float64, bool) { return float64(m.Own), true }},
		{"failures", func(m *Deployment) (float64, bool) { return float64(m.Failures), true }},
		{"the rules count, times", func(m *Deployment) (float64, bool) { return m.Rules.Slope, true }},
		{"base rate moved by, log-odds", func(m *Deployment) (float64, bool) { return m.Rules.Shift, true }},
		{"peers vary by a shape of", func(m *Deployment) (float64, bool) { return m.Peers, true }},
		{"what was learnt counts, times", func(m *Deployment) (float64, bool) { return m.Share, true }},
		{"record: rate expected of a vendor never seen", func(m *Deployment) (float64, bool) {
			if m.Record == nil {
				return 0, false
			}
			return exact.Round5(m.Record.Prior.Mean()), true
		}},
		{"calibration: changes held out", func(m *Deployment) (float64, bool) {
			if m.Bounds == nil {
				return 0, false
			}
			return float64(m.Bounds.N), true
		}},
	}
	list := make([]NumberChange, len(figures))
	for i, f := range figures {
		list[i].Name = f.name
		if x, ok := f.of(before); ok {
			list[i].Before = &x
		}
		if x, ok := f.of(after); ok {
			list[i].After = &x
		}
	}
	return list
}

func pairChanges(before, after []Incompatible) []PairChange {
	type key struct{ patch, host string }
	changes := map[key]PairChange{}
	for i := range before {
		changes[key{before[i].Patch, before[i].Host}] = PairChange{Before: &before[i]}
	}
	for i := range after {
		k := key{after[i].Patch, after[i].Host}
		c := changes[k]
		if c.After = &after[i]; c.Before != nil && *c.Before == *c.After {
			delete(changes, k)
			continue
		}
		changes[k] = c
	}
	moved := func(c PairChange) float64 { return math.Abs(c.effect(c.After) - c.effect(c.Before)) }
	list := slices.AppendSeq([]PairChange{}, maps.Values(changes))
	slices.SortFunc(list, func(a, b PairChange) int {
		return cmp.Or(cmp.Compare(moved(b), moved(a)), cmp.Compare(a.Any().Patch, b.Any().Patch), cmp.Compare(a.Any().Host, b.Any().Host))
	})
	return list
}

func (c PairChange) effect(i *Incompatible) float64 {
	if i == nil {
		return 0
	}
	return i.Effect
}

// Any is the incompatibility as it is now, or was.
func (c PairChange) Any() *Incompatible { return cmp.Or(c.After, c.Before) }

// CompareRecords says which track records changed, those whose rate moved most
// first; a new one moved from what is expected of nobody known, 0. Either may be
// nil.
func CompareRecords(before, after *TrackRecord) []RecordChange {
	list := []RecordChange{}
	for _, kind := range []struct {
		name string
		of   func(m *TrackRecord) map[string]Record
	}{
		{"vendor", func(m *TrackRecord) map[string]Record { return m.Vendors }},
		{"package", func(m *TrackRecord) map[string]Record { return m.Packages }},
		{"package × role", func(m *TrackRecord) map[string]Record { return m.Roles }},
	} {
		var was, is map[string]Record
		if before != nil {
			was = kind.of(before)
		}
		if after != nil {
			is = kind.of(after)
		}
		names := maps.Clone(was)
		if names == nil {
			names = map[string]Record{}
		}
		maps.Copy(names, is)
		for name := range names {
			c := RecordChange{Kind: kind.name, Name: name}
			if r, ok := was[name]; ok {
				c.Before = &r
			}
			if r, ok := is[name]; ok {
				c.After = &r
			}
			if c.Before == nil || c.After == nil || *c.Before != *c.After {
				list = append(list, c)
			}
		}
	}
	slices.SortFunc(list, func(a, b RecordChange) int {
		return cmp.Or(cmp.Compare(b.moved(), a.moved()), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func (c RecordChange) moved() float64 {
	rate := func(r *Record) float64 {
		if r == nil {
			return 0
		}
		return r.P
	}
	return math.Abs(rate(c.After) - rate(c.Before))
}

func boundChanges(before, after *Bounds) []BoundChange {
	var levels []float64
	for _, b := range []*Bounds{before, after} {
		if b != nil {
			levels = append(levels, b.From...)
		}
	}
	slices.Sort(levels)
	at := func(b *Bounds, score float64) *[2]float64 {
		if low, high, ok := b.of(score); ok {
			return &[2]float64{low, high}
		}
		return nil
	}
	list := []BoundChange{}
	for _, x := range slices.Compact(levels) {
		c := BoundChange{From: x, Before: at(before, x), After: at(after, x)}
		if c.Before == nil || c.After == nil || *c.Before != *c.After {
			list = append(list, c)
		}
	}
	return list
}
