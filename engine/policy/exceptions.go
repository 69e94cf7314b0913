package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// exceptionInputs are the exceptions as policies see them.
func exceptionInputs(x Exceptions) []ExceptionInput {
	list := make([]ExceptionInput, 0, len(x))
	for _, e := range x {
		list = append(list, ExceptionInput{e.Name, e.Patch, e.Services, e.Rules, e.Owner, e.Reason, e.Until, e.UntilFix, e.CompensatingControl})
	}
	slices.SortFunc(list, func(a, b ExceptionInput) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// waiver knows which exceptions cover an input. Cover 0 is none.
type waiver struct {
	exceptions []inventory.Exception // sorted by name
	covers     [][]int               // number → places in exceptions
	byPlaces   map[string]int32
	byInput    map[covered]int32
}

// covered is what the exceptions of a change depend on.
type covered struct {
	patch, service string
	served         bool
	at             time.Time
}

func newWaiver(x Exceptions) *waiver {
	w := &waiver{exceptions: slices.Clone(x), covers: [][]int{nil}, byPlaces: map[string]int32{}, byInput: map[covered]int32{}}
	slices.SortStableFunc(w.exceptions, func(a, b inventory.Exception) int { return strings.Compare(a.Name, b.Name) })
	return w
}

// cover is the number of the exceptions that cover an input: at a change, those
// for its patch and its host's primary service; at a wave, those that take every
// service and every patch of it. A plan as a whole has none.
func (w *waiver) cover(in *Input) int32 {
	if len(w.exceptions) == 0 {
		return 0
	}
	switch in.Point {
	case Change:
		return w.coverChange(in)
	case Wave:
		return w.number(func(e *inventory.Exception) bool { return coversWave(e, in.Wave) }, in.At)
	}
	return 0
}

func (w *waiver) coverChange(in *Input) int32 {
	if in.Patch == nil {
		return 0
	}
	key := covered{patch: in.Patch.ID, served: in.Service != nil, at: in.At}
	if key.served {
		key.service = in.Service.Name
	}
	id, ok := w.byInput[key]
	if !ok {
		id = w.number(func(e *inventory.Exception) bool {
			return ring.Glob(e.Patch, key.patch) && (len(e.Services) == 0 || key.served && anyGlob(e.Services, key.service))
		}, in.At)
		w.byInput[key] = id
	}
	return id
}

// coversWave says that an exception takes all of a wave. Hosts beyond those of
// its services are in no service, and so is what an exception for services
// cannot take; a wave that names no patch is only taken by an exception for all.
func coversWave(e *inventory.Exception, wave *WaveInput) bool {
	if wave == nil || len(wave.Patches) == 0 && e.Patch != "*" {
		return false
	}
	for _, p := range wave.Patches {
		if !ring.Glob(e.Patch, p) {
			return false
		}
	}
	if len(e.Services) == 0 {
		return true
	}
	served := 0
	for _, s := range wave.Services {
		if !anyGlob(e.Services, s.Name) {
			return false
		}
		served += s.InWave
	}
	return served >= wave.Hosts && served > 0
}

func anyGlob(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return ring.Glob(p, name) })
}

// number is that of the exceptions that match and have not ended.
func (w *waiver) number(match func(*inventory.Exception) bool, at time.Time) int32 {
	var places []int
	for i := range w.exceptions {
		if e := &w.exceptions[i]; stands(e, at) && match(e) {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return 0
	}
	key := fmt.Sprint(places)
	id, ok := w.byPlaces[key]
	if !ok {
		id = int32(len(w.covers))
		w.covers, w.byPlaces[key] = append(w.covers, places), id
	}
	return id
}

// stands says that an exception has begun and not ended. One until a fix exists names one
// version: another that is published is another patch, which it does not cover.
func stands(e *inventory.Exception, at time.Time) bool {
	return !at.Before(e.From) && (at.Before(e.Until) || e.UntilFix && e.Until.IsZero())
}

// apply puts a warning in the place of each decision that an exception covers:
// the first by name where there are several. What the engine itself holds is
// never covered.
func (w *waiver) apply(list []plan.Decision, cover int32) []plan.Decision {
	out := slices.Clone(list)
	for i, d := range out {
		if d.Rule == ruleError || d.Rule == ruleMissing {
			continue
		}
		for _, n := range w.covers[cover] {
			e := &w.exceptions[n]
			if len(e.Rules) == 0 || slices.Contains(e.Rules, d.Rule) {
				out[i] = waivedBy(e, d)
				break
			}
		}
	}
	return sorted(out)
}

func waivedBy(e *inventory.Exception, d plan.Decision) plan.Decision {
	until := "a fix exists"
	if !e.Until.IsZero() {
		until = e.Until.UTC().Format(time.RFC3339)
	}
	facts := map[string]any{"exception": e.Name, "owner": e.Owner, "reason": e.Reason, "until": until, "rule": d.Rule, "waived": d.Message}
	if e.CompensatingControl != "" {
		facts["compensating_control"] = e.CompensatingControl
	}
	return plan.Decision{
		Rule: "exception." + e.Name, Effect: plan.Warn,
		Message: fmt.Sprintf("exception %q of %s waives %s until %s: %s", e.Name, e.Owner, d.Rule, until, e.Reason),
		Facts:   facts,
	}
}
