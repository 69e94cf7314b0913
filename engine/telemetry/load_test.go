package telemetry

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What the ledger keeps of a load is all of it: read back, it is the same.
func TestLoadIsKept(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var l Load
		var took []float64
		for range dice.IntN(500) {
			ok, seconds := dice.IntN(4) > 0, math.Pow(10, dice.Float64()*5-3.9)
			if l.Add(ok, seconds); ok {
				took = append(took, seconds)
			}
		}
		got, err := LoadOf(l.Signals())
		if err != nil || got != l {
			t.Fatalf("LoadOf(Signals()) = %+v, %v, want %+v", got, err, l)
		}
		slices.Sort(took)
		median, ok := l.Median()
		if n := len(took); ok != (n > 0) || ok && (median < took[(n-1)/2]/1.25 || median > took[n/2]*1.25) && took[0] > 0.0001 {
			t.Fatalf("Median() = %v, %v, of %v", median, ok, took)
		}
	}
}

// What is missing, no number, or does not add up is no load.
func TestLoadOfNothing(t *testing.T) {
	good := map[string]float64{"workload_requests": 3, "workload_errors": 1, "workload_within_0.0056": 2, "error_ratio": 0.3}
	if l, err := LoadOf(good); err != nil || l.Requests != 3 {
		t.Fatalf("LoadOf() = %+v, %v", l, err)
	}
	for _, tc := range []struct {
		key  string
		v    float64
		want string
	}{
		{"workload_requests", math.NaN(), "is no count"},
		{"workload_requests", math.Inf(1), "is no count"},
		{"workload_errors", -1, "is no count"},
		{"workload_errors", 0.5, "is no count"},
		{"workload_within_0.0056", 3, "4 of 3 requests"},
		{"workload_within_0.0056", 1, "2 of 3 requests"},
		{"workload_within_7", 1, ""}, // of another version: what it counts is lacking
	} {
		m := maps.Clone(good)
		m[tc.key] = tc.v
		if tc.want == "" {
			m["workload_requests"]++
			tc.want = "3 of 4 requests"
		}
		if l, err := LoadOf(m); err == nil || !strings.Contains(err.Error(), tc.want) || l != (Load{}) {
			t.Errorf("%s = %v: LoadOf() = %+v, %v, want %q", tc.key, tc.v, l, err, tc.want)
		}
	}
	for _, key := range []string{"workload_requests", "workload_errors"} {
		m := maps.Clone(good)
		delete(m, key)
		if _, err := LoadOf(m); err == nil {
			t.Errorf("without %s there is a load", key)
		}
	}
	if _, err := LoadOf(nil); err == nil {
		t.Error("nothing is a load")
	}
}
