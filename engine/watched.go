package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/evidence"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/review"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
	"github.com/ringmaster-dev/ringmaster/engine/risk/watch"
)

// A false alarm of any kind but watch's own, which has its own bound, comes in at
// most 5 % of years, however often anybody looks: the five kinds (hosts, days,
// inputs, predictions that do not hold, predictions that hold less than before)
// have a fifth of that each, and each quarter, month or day its part. So whoever
// looks every day sees an alarm again until its quarter or month is over, and sees
// no more of them.
const (
	aYear    = evidence.Alpha / 5
	aQuarter = aYear / 4
	aMonth   = aYear / 12
	aDay     = aYear / 366
)

// watched is what stands out in verified history before a time: alarms, hosts and
// days whose outcomes are implausible, inputs that have moved, and predictions that
// no longer hold.
func watched(trials []risk.Trial, done []deed, at time.Time) []review.Observation {
	list := []review.Observation{}
	for _, a := range watch.Alarms(trials, at) {
		about := a.Kind + " " + a.Name
		if a.Kind == "all" {
			about = "all changes"
		}
		list = append(list, review.Observation{About: about, Says: a.Says() + "; patches it is about are held or need a person until " + a.Until.Format(time.DateOnly)})
	}
	known := slices.DeleteFunc(slices.Clone(trials), func(t risk.Trial) bool { return !t.At.Before(at) })
	list = append(list, oddHosts(known, at)...)
	list = append(list, oddDays(known, at)...)
	list = append(list, drifted(known, at)...)
	return append(list, mispredicted(done, at)...)
}

// quarter is the first moment of the quarter of a year in which a time lies, or
// which it ends.
func quarter(at time.Time) time.Time {
	t := at.UTC().Add(-1)
	return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
}

// tally is a count with one outcome more.
func tally(c evidence.Count, failed bool) evidence.Count {
	c.N++
	if failed {
		c.Bad++
	}
	return c
}

// oddHosts are hosts that fail more often in this quarter than others do on the
// same days, or less often: broken, or not telling the truth. Whatever befalls a
// day's hosts alike is no evidence against any.
func oddHosts(known []risk.Trial, at time.Time) []review.Observation {
	from := quarter(at)
	days := map[string]map[string]evidence.Count{} // day → host
	whole := map[string]evidence.Count{}           // day
	hosts := map[string]bool{}
	for _, t := range known {
		hosts[string(t.Host)] = true
		if t.At.Before(from) {
			continue
		}
		day := t.At.UTC().Format(time.DateOnly)
		if days[day] == nil {
			days[day] = map[string]evidence.Count{}
		}
		days[day][string(t.Host)] = tally(days[day][string(t.Host)], t.Failed)
		whole[day] = tally(whole[day], t.Failed)
	}
	blocks := map[string][]evidence.Block{}
	for _, day := range sortedKeys(days) {
		for host, own := range days[day] {
			all := whole[day]
			blocks[host] = append(blocks[host], evidence.Block{Own: own, Peers: evidence.Count{N: all.N - own.N, Bad: all.Bad - own.Bad}})
		}
	}
	var list []review.Observation
	level := aQuarter / float64(2*max(len(hosts), 1)) // two sides of each host
	for _, host := range sortedKeys(blocks) {
		for _, side := range []struct {
			word   string
			blocks []evidence.Block
		}{{"failed", blocks[host]}, {"succeeded", turned(blocks[host])}} {
			if a := evidence.OverPeers(side.blocks, level); a.Fired {
				list = append(list, review.Observation{About: "host " + host,
					Says: fmt.Sprintf("%d of its %d outcomes since %s %s, where all hosts on the same days let expect %.1f (%.2g to 1 against chance); look at it before models learn from it",
						a.Bad, a.N, from.Format(time.DateOnly), side.word, a.Expected, a.E)})
			}
		}
	}
	return list
}

// turned counts successes in place of failures.
func turned(blocks []evidence.Block) []evidence.Block {
	list := make([]evidence.Block, len(blocks))
	for i, b := range blocks {
		list[i] = evidence.Block{Own: evidence.Count{N: b.Own.N, Bad: b.Own.N - b.Own.Bad}, Peers: evidence.Count{N: b.Peers.N, Bad: b.Peers.N - b.Peers.Bad}}
	}
	return list
}

// before a day, so much is what it is held against.
const before = 91 * 24 * time.Hour

// oddDays are days of this quarter whose share of failures, or of successes, is
// implausible beside that of the thirteen weeks before. Each day is one test.
func oddDays(known []risk.Trial, at time.Time) []review.Observation {
	days := map[string]evidence.Count{}
	for _, t := range known {
		day := t.At.UTC().Format(time.DateOnly)
		days[day] = tally(days[day], t.Failed)
	}
	var list []review.Observation
	from := quarter(at).Format(time.DateOnly)
	for _, day := range sortedKeys(days) {
		if day < from {
			continue
		}
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			continue // a year of five digits
		}
		earliest := t.Add(-before).Format(time.DateOnly)
		var past evidence.Count
		for other, c := range days {
			if other >= earliest && other < day {
				past.N, past.Bad = past.N+c.N, past.Bad+c.Bad
			}
		}
		sources := []evidence.Source{{Name: day, Count: days[day]}, {Name: "before", Count: past}}
		for _, b := range evidence.Bursts(sources, aDay) {
			if b.Name != day {
				continue
			}
			list = append(list, review.Observation{About: "the day " + day,
				Says: fmt.Sprintf("%d of its %d outcomes failed, after %d of %d in the thirteen weeks before (chance: %.1g); look at it before models learn from it", b.Bad, b.N, past.Bad, past.N, b.P)})
		}
	}
	return list
}

// drifted are the inputs of scores whose values in the last whole month are others
// than in the twelve before it. What is known of a patch counts once for each
// patch and what is known of a host once for each host: hundreds of hosts that take
// one update are one update. Imported history is passed over: whoever wrote it down
// knew other things.
func drifted(known []risk.Trial, at time.Time) []review.Observation {
	t := at.UTC()
	to := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	from := to.AddDate(0, -1, 0)
	was, is := sample{}, sample{}
	for _, t := range known {
		switch {
		case t.Imported, !t.At.Before(to), t.At.Before(from.AddDate(-1, 0, 0)):
		case t.At.Before(from):
			was.add(t)
		default:
			is.add(t)
		}
	}
	var tests []evidence.Drift
	for _, f := range inputs {
		a, b := was.of(f.patch), is.of(f.patch)
		if f.word != nil {
			tests = append(tests, evidence.Categories(f.name, each(a, f.word), each(b, f.word)))
		} else {
			tests = append(tests, evidence.Numbers(f.name, each(a, f.number), each(b, f.number)))
		}
	}
	var list []review.Observation
	for _, d := range evidence.Judge(tests, aMonth) {
		if d.Fired {
			says := fmt.Sprintf("its values moved (effect %.2f, chance %.1g) between %d in the twelve months before and %d in %s", d.Effect, d.P, d.Was, d.Is, from.Format("January 2006"))
			if d.What != "" {
				says += fmt.Sprintf("; most of all %q", d.What)
			}
			list = append(list, review.Observation{About: "input " + d.Name, Says: says})
		}
	}
	return list
}

// sample is what was known, by patch and by host; of several times the last.
type sample struct{ patches, hosts map[string]risk.Trial }

func (s *sample) add(t risk.Trial) {
	if s.patches == nil {
		s.patches, s.hosts = map[string]risk.Trial{}, map[string]risk.Trial{}
	}
	s.patches[t.Patch], s.hosts[string(t.Host)] = t, t
}

// of is what was known of patches, or of hosts, in their order.
func (s *sample) of(patches bool) []*risk.Known {
	from := s.hosts
	if patches {
		from = s.patches
	}
	var list []*risk.Known
	for _, key := range sortedKeys(from) {
		list = append(list, from[key].Known())
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

// ended is a change that was predicted in a merged plan and has ended.
type ended struct {
	at    time.Time
	key   string
	trial evidence.Trial
}

// predicted are the changes of plans that ended in a span, in that order.
func predicted(done []deed, from, to time.Time) []ended {
	last := map[string]ended{}
	for _, d := range done {
		for _, l := range d.lines {
			bad := l.Event == outcome.Failed || l.Event == outcome.Degraded || l.Event == outcome.RolledBack
			if l.Patch == "" || l.Host == "" || !l.At.Before(to) || !bad && l.Event != outcome.Healthy {
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
		if e := last[key]; e.trial.P > 0 && e.trial.P < 1 && !e.at.Before(from) {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b ended) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.key, b.key)) })
	return all
}

func streamOf(all []ended) []evidence.Trial {
	list := make([]evidence.Trial, len(all))
	for i, e := range all {
		list[i] = e.trial
	}
	return list
}

// mispredicted says where predictions do not agree with what happened in this
// quarter, and where they have agreed less, or more, than in the quarter before it.
func mispredicted(done []deed, at time.Time) []review.Observation {
	from := quarter(at)
	var list []review.Observation
	now := predicted(done, from, at)
	for _, side := range []struct {
		side evidence.Side
		word string
	}{{evidence.Worse, "more"}, {evidence.Better, "fewer"}} {
		if a := evidence.Watch(streamOf(now), evidence.Options{Side: side.side, Alpha: aQuarter / 2}); a.Fired {
			list = append(list, review.Observation{About: "predictions", Says: fmt.Sprintf("since %s %d of %d changes failed, %s than the %.1f that were predicted (%.0f to 1 against chance)",
				day(now[a.Since].at), a.Bad, a.N, side.word, a.Expected, a.E)})
		}
	}
	both := predicted(done, from.AddDate(0, -3, 0), at)
	if a := evidence.Adwin(streamOf(both), aQuarter); a.Fired && !both[a.At].at.Before(from) {
		earlier, later := excess(both[:a.Since]), excess(both[a.Since:a.At+1])
		list = append(list, review.Observation{About: "predictions", Says: fmt.Sprintf("since %s failures are %+.1f points from what was predicted, after %+.1f points (%d changes, then %d; chance: %.1g)",
			day(both[a.Since].at), 100*later, 100*earlier, a.Since, a.At+1-a.Since, a.P)})
	}
	return list
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// excess is by how much more changes failed than predicted, on average.
func excess(list []ended) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, e := range list {
		sum -= e.trial.P
		if e.trial.Bad {
			sum++
		}
	}
	return sum / float64(len(list))
}
