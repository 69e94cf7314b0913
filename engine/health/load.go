package health

import (
	"fmt"
	"maps"
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/evidence"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// fewestRequests is how many say something of a host under a workload: where all of
// 100 are well, hardly more than 3 % go wrong (95 %, the rule of three).
const fewestRequests = 100

// byChance is the probability of a false alarm by either test of a load.
const byChance = 0.001

// Unfit says why a workload cannot be compared with because of what it met before a
// change, "" where it can. The words are the same for the same fault.
func Unfit(before telemetry.Load) string {
	ratio, _ := before.ErrorRatio()
	switch {
	case before.Requests < fewestRequests:
		return fmt.Sprintf("it made fewer than %d requests", fewestRequests)
	case ratio >= rules["error_ratio"].ill:
		return "too many of its requests went wrong before the change already"
	}
	return ""
}

// JudgeLoad gives the verdict on one and the same workload before a change and after
// it. Degraded needs enough to matter, by the same bounds as elsewhere, and more than
// chance: of errors by Fisher's exact test, of latency by the rank sum of those that
// were answered. The workload is its own peer, for nothing else about it differs.
// Healthy needs 100 requests on either side and half as many after as before: a
// service that is no longer asked, or no longer keeps up, is not well for it.
func JudgeLoad(before, after telemetry.Load) Verdict {
	v := Verdict{State: Inconclusive, Before: before.Signals(), After: after.Signals()}
	if why := Unfit(before); why != "" {
		v.Why = "the workload says nothing: " + why
		return v
	}
	found := []finding{loadErrors(before, after)}
	if f, ok := loadLatency(before, after); ok {
		found = append(found, f)
	}
	v.State, v.Why = combine(found)
	if v.State == Healthy && after.Requests < max(fewestRequests, before.Requests/2) {
		v.State, v.Why = Inconclusive, fmt.Sprintf("the workload made %d requests, after %d before the change", after.Requests, before.Requests)
	}
	v.Why = "under load: " + v.Why
	return v
}

func loadErrors(before, after telemetry.Load) finding {
	r := rules["error_ratio"]
	from, _ := before.ErrorRatio()
	to, ok := after.ErrorRatio()
	say := fmt.Sprintf("%d of %d requests → %d of %d went wrong", before.Errors, before.Requests, after.Errors, after.Requests)
	p := evidence.MoreOften(evidence.Count{N: after.Requests, Bad: after.Errors}, evidence.Count{N: before.Requests, Bad: before.Errors})
	switch {
	case !ok:
		return finding{Inconclusive, "no request was made"}
	case to <= r.limit(from, r.ratio):
		return finding{Healthy, say}
	case p > byChance:
		return finding{Inconclusive, say + ", which may be chance"}
	}
	return finding{Degraded, say}
}

// loadLatency is false where nothing was answered, of which loadErrors tells.
func loadLatency(before, after telemetry.Load) (finding, bool) {
	r := rules["latency_seconds"]
	from, _ := before.Median()
	to, ok := after.Median()
	if !ok {
		return finding{}, false
	}
	say := fmt.Sprintf("latency %s → %s s", figure(from), figure(to))
	switch {
	case to <= r.limit(from, r.ratio):
		return finding{Healthy, say}, true
	case spreadSum(after.Took, before.Took) < critical:
		return finding{Inconclusive, say + ", which may be chance"}, true
	}
	return finding{Degraded, say}, true
}

// spreadSum is the standardised Mann–Whitney statistic of "a lies above b" of counts
// by size, which are ties (Lehmann 1975, section 1.4); 0 where nothing can be told.
func spreadSum(a, b telemetry.Spread) float64 {
	var n, m, sum, ties, below float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		t := x + y
		sum += float64(x * (below + (t+1)/2))
		ties += float64(float64(t*t)*t) - t
		n, m, below = n+x, m+y, below+t
	}
	total := n + m
	variance := float64(n*m) / 12 * (total + 1 - ties/float64(total*(total-1)))
	if !(variance > 0) || !finite(variance) {
		return 0
	}
	return (sum - float64(n*(n+1))/2 - float64(n*m)/2 - 0.5) / math.Sqrt(variance)
}

// Both is the worse of two verdicts on a host, with what either measured.
func Both(a, b Verdict) Verdict {
	v := Verdict{Before: map[string]float64{}, After: map[string]float64{}}
	v.State, v.Why = combine([]finding{{a.State, a.Why}, {b.State, b.Why}})
	for _, one := range []Verdict{a, b} {
		maps.Copy(v.Before, one.Before)
		maps.Copy(v.After, one.After)
	}
	return v
}
