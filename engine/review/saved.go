package review

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/metric"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Baseline is the patching process before ringmaster, as people declare it in
// the estate block. What they did not declare is absent, and nothing is claimed
// against it.
type Baseline struct {
	TimeToPatch   map[plan.Class]time.Duration // median, from publication to the last host
	FailureRate   *float64                     // of changes, 0 to 1
	OutageMinutes *float64                     // of a change that failed
	StaffMinutes  *float64                     // of people's work for one change
}

// keys are the words of a baseline, as ParseBaseline knows them.
var keys = []string{"critical", "high", "standard", "low", "failure_rate", "outage_minutes", "staff_minutes"}

// ParseBaseline reads the baseline of an estate block: the four classes as
// durations ("14d", "36h"), failure_rate as a share ("4%" or "0.04"), the minutes
// as numbers. The error names everything that is wrong.
func ParseBaseline(declared map[string]string) (Baseline, error) {
	b := Baseline{TimeToPatch: map[plan.Class]time.Duration{}}
	var faults []string
	for _, key := range sorted(declared) {
		if err := b.set(key, declared[key]); err != nil {
			faults = append(faults, err.Error())
		}
	}
	if len(faults) > 0 {
		return Baseline{}, fmt.Errorf("%s", strings.Join(faults, "; "))
	}
	return b, nil
}

func (b *Baseline) set(key, value string) (err error) {
	switch key {
	case "critical", "high", "standard", "low":
		b.TimeToPatch[plan.Class(key)], err = duration(value)
	case "failure_rate":
		b.FailureRate, err = share(value)
	case "outage_minutes":
		b.OutageMinutes, err = number(value)
	case "staff_minutes":
		b.StaffMinutes, err = number(value)
	default:
		return fmt.Errorf("baseline has no %q; expected one of %s", key, quoted(keys))
	}
	if err != nil {
		return fmt.Errorf("baseline %s: %w", key, err)
	}
	return nil
}

func duration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n > 0 && n < 10_000 {
			return time.Duration(n * 24 * float64(time.Hour)), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, fmt.Errorf("%q is not a duration; expected one such as \"14d\" or \"36h\"", s)
}

func share(s string) (*float64, error) {
	text, percent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 1) {
		return nil, fmt.Errorf("%q is not a share; expected one such as \"4%%\" or \"0.04\"", s)
	}
	return &x, nil
}

func number(s string) (*float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x >= 0 && x < 1e9) {
		return nil, fmt.Errorf("%q is not a number of minutes", s)
	}
	return &x, nil
}

func sorted(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

func quoted(words []string) string { return `"` + strings.Join(words, `", "`) + `"` }

// Saved is what the span was better or worse than the declared baseline would
// have been, each figure nil where the baseline does not say or nothing ended.
// It is a comparison with a declaration, not a trial: other things differ too.
type Saved struct {
	Failures     *float64 `json:"failures_avoided"` // negative: there were more
	FailuresLow  *float64 `json:"failures_avoided_low"`
	FailuresHigh *float64 `json:"failures_avoided_high"` // with the 90 % interval of the observed rate
	Cost         *float64 `json:"cost_avoided"`          // outage of the baseline's failures less the time to roll back ours, at the tiers' cost
	StaffHours   *float64 `json:"staff_hours_by_hand"`   // what the same changes would have taken by hand; people's time now is not measured
	Note         string   `json:"note"`
}

func saved(r *Report, done []change, in Input) Saved {
	s := Saved{Note: "compared with the baseline that the estate declares"}
	b, n := in.Baseline, float64(len(done))
	if b.FailureRate == nil && b.StaffMinutes == nil && len(b.TimeToPatch) == 0 {
		s.Note = "the estate block declares no baseline, so nothing is claimed to be saved; declare baseline = { critical = \"9d\", failure_rate = \"4%\", outage_minutes = \"180\", staff_minutes = \"30\" }"
		return s
	}
	if n == 0 {
		s.Note = "no change ended in the span"
		return s
	}
	if b.StaffMinutes != nil {
		s.StaffHours = known(float64(n**b.StaffMinutes)/60, true)
	}
	if b.FailureRate == nil {
		return s
	}
	low, high, _ := metric.Interval(float64(r.Failed), n, 0.9)
	expected := float64(n * *b.FailureRate)
	s.Failures = known(expected-float64(r.Failed), true)
	s.FailuresLow, s.FailuresHigh = known(expected-float64(n*high), true), known(expected-float64(n*low), true)
	if perMinute, ok := in.meanCost(done); ok && b.OutageMinutes != nil && r.Trouble.Unpriced == 0 {
		ours := 0.0
		if r.Trouble.Cost != nil {
			ours = *r.Trouble.Cost
		}
		s.Cost = known(exact.Round5(float64(expected**b.OutageMinutes*perMinute))-ours, true)
	}
	return s
}

// median of numbers in any order, nil where there are none.
func median(list []float64) *float64 {
	list = slices.Clone(list)
	slices.Sort(list)
	return quantile(list, 0.5)
}
