package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/evidence"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/review"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
	"github.com/ringmaster-dev/ringmaster/engine/risk/watch"
)

// recently is how long what is watched counts as new.
const recently = 91 * 24 * time.Hour

// watched is what stands out in history at a time: alarms, hosts whose outcomes
// are implausible beside all others', inputs that have moved since, and
// predictions that no longer hold.
func watched(trials []risk.Trial, done []deed, at time.Time) []review.Observation {
	list := []review.Observation{}
	for _, a := range watch.Alarms(trials, at) {
		about := a.Kind + " " + a.Name
		if a.Kind == "all" {
			about = "all changes"
		}
		list = append(list, review.Observation{About: about, Says: a.Says() + "; patches it is about are held or need a person until " + a.Until.Format(time.DateOnly)})
	}
	list = append(list, bursts(trials, at)...)
	list = append(list, drifted(trials, at)...)
	return append(list, mispredicted(done, at)...)
}

// bursts are hosts and days whose share of recent failures, or of successes, is
// implausible: broken, or not telling the truth.
func bursts(trials []risk.Trial, at time.Time) []review.Observation {
	var list []review.Observation
	for _, kind := range []struct {
		name string
		key  func(risk.Trial) string
	}{
		{"host", func(t risk.Trial) string { return string(t.Host) }},
		{"the day", func(t risk.Trial) string { return t.At.UTC().Format(time.DateOnly) }},
	} {
		counts := map[string]evidence.Count{}
		for _, t := range trials {
			if t.At.After(at) || at.Sub(t.At) > recently {
				continue
			}
			c := counts[kind.key(t)]
			c.N++
			if t.Failed {
				c.Bad++
			}
			counts[kind.key(t)] = c
		}
		var sources []evidence.Source
		for _, name := range sortedKeys(counts) {
			sources = append(sources, evidence.Source{Name: name, Count: counts[name]})
		}
		for _, b := range evidence.Bursts(sources, 0) {
			list = append(list, review.Observation{
				About: kind.name + " " + b.Name,
				Says:  fmt.Sprintf("%d of its %d outcomes failed, where all others let expect %.1f (chance: %.1g); look at it before models learn from it", b.Bad, b.N, b.Expected, b.P),
			})
		}
	}
	return list
}

// drifted are the inputs of scores whose recent values are others than before.
// Imported history is passed over: whoever wrote it down knew other things.
func drifted(trials []risk.Trial, at time.Time) []review.Observation {
	var was, is []*risk.Known
	for _, t := range trials {
		switch {
		case t.At.After(at), t.Imported:
		case at.Sub(t.At) > recently:
			was = append(was, t.Known())
		default:
			is = append(is, t.Known())
		}
	}
	if len(was) == 0 || len(is) == 0 {
		return nil
	}
	var tests []evidence.Drift
	for _, f := range inputs {
		if f.word != nil {
			tests = append(tests, evidence.Categories(f.name, each(was, f.word), each(is, f.word)))
		} else {
			tests = append(tests, evidence.Numbers(f.name, each(was, f.number), each(is, f.number)))
		}
	}
	var list []review.Observation
	for _, d := range evidence.Judge(tests, 0) {
		if d.Fired {
			says := fmt.Sprintf("its values moved (effect %.2f, chance %.1g) between %d changes before and %d in the last 13 weeks", d.Effect, d.P, d.Was, d.Is)
			if d.What != "" {
				says += fmt.Sprintf("; most of all %q", d.What)
			}
			list = append(list, review.Observation{About: "input " + d.Name, Says: says})
		}
	}
	return list
}

func each[T any](list []*risk.Known, of func(*risk.Known) T) []T {
	values := make([]T, len(list))
	for i, k := range list {
		values[i] = of(k)
	}
	return values
}

// mispredicted says where predictions in merged plans no longer agree with what
// happens.
func mispredicted(done []deed, at time.Time) []review.Observation {
	type ended struct {
		at    time.Time
		key   string
		trial evidence.Trial
	}
	last := map[string]ended{}
	for _, d := range done {
		for _, l := range d.lines {
			bad := l.Event == outcome.Failed || l.Event == outcome.Degraded || l.Event == outcome.RolledBack
			if l.Patch == "" || l.Host == "" || l.At.After(at) || !bad && l.Event != outcome.Healthy {
				continue
			}
			key := l.Plan + " " + string(l.Host) + " " + string(l.Patch)
			e := ended{l.At, key, evidence.Trial{P: l.Predicted, Bad: bad}}
			if before, ok := last[key]; ok && e.trial.P == 0 {
				e.trial.P = before.trial.P
			}
			last[key] = e
		}
	}
	var all []ended
	for _, key := range sortedKeys(last) {
		if p := last[key].trial.P; p > 0 && p < 1 {
			all = append(all, last[key])
		}
	}
	slices.SortStableFunc(all, func(a, b ended) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.key, b.key)) })
	stream := make([]evidence.Trial, len(all))
	for i, e := range all {
		stream[i] = e.trial
	}
	var list []review.Observation
	for _, side := range []struct {
		side evidence.Side
		word string
	}{{evidence.Worse, "more"}, {evidence.Better, "fewer"}} {
		// Two tests are made, so that each has half of the false alarms.
		if a := evidence.Watch(stream, evidence.Options{Side: side.side, Alpha: evidence.Alpha / 2}); a.Fired {
			list = append(list, review.Observation{
				About: "predictions",
				Says: fmt.Sprintf("since %s %d of %d changes failed, %s than the %.1f that were predicted (%.0f to 1 against chance)",
					all[a.Since].at.UTC().Format(time.DateOnly), a.Bad, a.N, side.word, a.Expected, a.E),
			})
		}
	}
	return list
}
