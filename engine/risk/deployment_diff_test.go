package risk

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

func TestCompareDeployments(t *testing.T) {
	hba, raid := Incompatible{Patch: "vendor Heron", Host: "module hba7", N: 31, Bad: 9, Expected: 0.02, Effect: 1.5}, Incompatible{Patch: "package a", Host: "role db", N: 20, Bad: 5, Effect: 1}
	more, fresh := hba, Incompatible{Patch: "package b", Host: "role web", N: 9, Bad: 4, Effect: 2.5}
	more.N, more.Bad, more.Effect = 40, 15, 1.7
	record := func(p float64) *TrackRecord {
		return &TrackRecord{Prior: exact.Beta{A: 1, B: 49}, Vendors: map[string]Record{"Heron": {N: 40, Bad: 3, P: p}, "same": {N: 9, P: 0.01}}}
	}
	before := &Deployment{Trials: 100, Failures: 5, Own: 10, Rules: Weight{Slope: 1}, Peers: 2, Record: record(0.08), Pairs: []Incompatible{hba, raid},
		Bounds: &Bounds{N: 50, From: []float64{-4, -2}, Low: []float64{0.01, 0.1}, High: []float64{0.02, 0.3}}}
	after := &Deployment{Trials: 140, Failures: 9, Own: 50, Rules: Weight{Slope: 0.8, Shift: 0.1}, Peers: 2, Record: record(0.12), Pairs: []Incompatible{more, fresh},
		Bounds: &Bounds{N: 90, From: []float64{-4, -1}, Low: []float64{0.01, 0.2}, High: []float64{0.02, 0.4}}}
	d := CompareDeployments(before, after)
	want := []PairChange{{After: &fresh}, {Before: &raid}, {Before: &hba, After: &more}}
	if diff := cmp.Diff(want, d.Pairs); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	if len(d.Records) != 1 || d.Records[0].Name != "Heron" || d.Records[0].Before.P != 0.08 || d.Records[0].After.P != 0.12 {
		t.Errorf("records = %+v, want Heron alone", d.Records)
	}
	bounds := []BoundChange{{-2, &[2]float64{0.1, 0.3}, &[2]float64{0.01, 0.02}}, {-1, &[2]float64{0.1, 0.3}, &[2]float64{0.2, 0.4}}}
	if diff := cmp.Diff(bounds, d.Calibration); diff != "" {
		t.Errorf("calibration (-want +got):\n%s", diff)
	}
	for _, n := range d.Numbers {
		if n.Name == "the rules count, times" && (*n.Before != 1 || *n.After != 0.8) {
			t.Errorf("%s: %v → %v, want 1 → 0.8", n.Name, *n.Before, *n.After)
		}
	}
	if d.Learnt != nil {
		t.Errorf("learnt = %+v, want none: neither learnt anything", d.Learnt)
	}

	same := CompareDeployments(after, after)
	if len(same.Pairs) != 0 || len(same.Records) != 0 || len(same.Calibration) != 0 {
		t.Errorf("a model compared with itself: %+v", same)
	}
	for _, n := range CompareDeployments(&Deployment{}, after).Numbers {
		if n.After == nil || math.IsNaN(*n.After) {
			t.Errorf("%s: no figure after", n.Name)
		}
	}
	if n := CompareDeployments(&Deployment{}, after).Numbers[7]; n.Before != nil {
		t.Errorf("%s = %v before, want none: there was no record", n.Name, *n.Before)
	}
}
