package telemetry

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func at(second int64, v float64) Point { return Point{At: time.Unix(second, 0).UTC(), V: v} }

func TestMergeSorts(t *testing.T) {
	a := Series{"web-1": {"up": {at(60, 1), at(180, 1)}}}
	Merge(a, Series{"web-1": {"up": {at(120, 0)}}, "web-2": {"up": {at(60, 1)}}})
	want := Series{"web-1": {"up": {at(60, 1), at(120, 0), at(180, 1)}}, "web-2": {"up": {at(60, 1)}}}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("Merge() (-want +got):\n%s", diff)
	}
}

func TestPoolDoesNotDependOnTheOrderOfHosts(t *testing.T) {
	one := map[string][]Point{"up": {at(60, 1), at(120, math.NaN())}}
	two := map[string][]Point{"up": {at(60, 0), at(120, 1)}, "load_ratio": {at(60, 0.5)}}
	want := map[string][]Point{"up": {at(60, 0), at(60, 1), at(120, math.NaN()), at(120, 1)}, "load_ratio": {at(60, 0.5)}}
	for _, hosts := range [][]map[string][]Point{{one, two}, {two, one}} {
		if diff := cmp.Diff(want, Pool(hosts), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("Pool() (-want +got):\n%s", diff)
		}
	}
}

func TestSummaries(t *testing.T) {
	points := []Point{at(1, 4), at(2, math.NaN()), at(3, 1), at(4, math.Inf(1)), at(5, 2), at(6, 3)}
	values := Finite(points)
	if diff := cmp.Diff([]float64{4, 1, 2, 3}, values); diff != "" {
		t.Errorf("Finite() (-want +got):\n%s", diff)
	}
	if m, ok := Mean(values); m != 2.5 || !ok {
		t.Errorf("Mean() = %v, %v", m, ok)
	}
	for q, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 2.5, 1: 4} {
		if got, ok := Quantile(values, q); got != want || !ok {
			t.Errorf("Quantile(%v) = %v, %v, want %v", q, got, ok, want)
		}
	}
	if diff := cmp.Diff([]float64{4, 1, 2, 3}, values); diff != "" {
		t.Errorf("Quantile changed what it was given:\n%s", diff)
	}
	if _, ok := Mean(nil); ok {
		t.Error("nothing has a mean")
	}
	if _, ok := Quantile(nil, 0.5); ok {
		t.Error("nothing has a median")
	}
}
