// Package watch raises alarms on vendors and packages that fail more often than
// they used to, or than others do. An alarm adds caution by itself, for a month,
// and removes none.
//
// A plan reads ledgers as they lie in its commit, before any forge has said which
// plans it merged, so a line that nobody verified can raise an alarm: that only
// ever holds something. Learn and the monthly review look at verified plans alone.
//
// Each quarter (UTC) begins a watch. What each vendor and package is expected to
// fail is its track record as it stood when the quarter began (the mean of all,
// where it had none), and the quarter's outcomes are read one by one until they
// no longer agree with it (evidence.Watch, for a change at an unknown time).
// After an alarm the watch begins again, and whoever goes on failing renews it.
//
// One is blamed for failing more than expected only where others do not do the
// same: trouble that befalls all alike raises one alarm on all changes together.
//
// The level of 5 % a quarter is split over the groups that had outcomes
// (Bonferroni). A record is an estimate, so the level is not a bound: in 500
// simulated estates where nothing changes, looked at every third day, 0.2 to 2.6 %
// saw an alarm of one kind in a quarter (RINGMASTER_LONG=1 go test -run FalseAlarms -v).
package watch

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/evidence"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// Alarm is a vendor or package that fails more often than was to be expected, by
// more than chance.
type Alarm struct {
	Kind     string    `json:"kind"`     // vendor | package | all
	Name     string    `json:"name"`     // "" for all
	Against  string    `json:"against"`  // past | others: what the expectation is made of
	Since    time.Time `json:"since"`    // of the first outcome that counts
	At       time.Time `json:"at"`       // of the outcome that made, or last renewed, the alarm
	N        int       `json:"n"`        // outcomes that count, up to At
	Bad      int       `json:"bad"`      // failures among them
	Expected float64   `json:"expected"` // failures, had nothing changed
	Evidence float64   `json:"evidence"` // the e-value: so many to one against chance
	Until    time.Time `json:"until"`    // the caution that it asks for ends by itself
}

// Says is the alarm in a sentence.
func (a Alarm) Says() string {
	who, whose := fmt.Sprintf("changes of %s %s", a.Kind, a.Name), "its own past lets"
	if a.Kind == "all" {
		who, whose = "changes of every kind", "the past lets"
	} else if a.Against == "others" {
		whose = "what is known of others lets"
	}
	return fmt.Sprintf("%d of %d %s failed since %s, where %s expect %.1f (%.0f to 1 against chance)",
		a.Bad, a.N, who, a.Since.UTC().Format("2 January 2006"), whose, a.Expected, a.Evidence)
}

// alarmFor is how long the caution of an alarm lasts.
const alarmFor = 30 * 24 * time.Hour

// little is how many outcomes a record must rest on to be a past of its own.
const little = 20

// Alarms are those that stand at a time, sorted by kind and name, at most one
// for each; what came later is not read. The quarter before is looked at as well,
// so that an alarm of its last days stands until its end. Trials are as
// risk.Trials returns them; their order does not matter. Before 20 outcomes are
// known, a quarter has nothing to be compared with, and raises none.
func Alarms(trials []risk.Trial, at time.Time) []Alarm {
	known := slices.DeleteFunc(slices.Clone(trials), func(t risk.Trial) bool { return t.At.After(at) })
	slices.SortFunc(known, func(a, b risk.Trial) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Patch, b.Patch), cmp.Compare(bit(a.Failed), bit(b.Failed)))
	})
	return (&Memory{}).alarms(known, at)
}

// Memory is for looking at one history many times as it grows: what follows from
// earlier quarters is worked out once. The zero value remembers nothing. Not safe
// for concurrent use.
type Memory struct{ quarters map[time.Time]*remembered }

// remembered is what is known of a quarter.
type remembered struct {
	record *risk.TrackRecord // as the quarter began, nil where too little was known
	fitted bool
	alarms []Alarm // of the whole quarter
	whole  bool
}

// Alarms are those of trials as risk.Chronicle.Settle returns them.
func (m *Memory) Alarms(trials []risk.Trial, at time.Time) []Alarm {
	end, _ := slices.BinarySearchFunc(trials, at, func(t risk.Trial, at time.Time) int {
		if t.At.After(at) {
			return 1
		}
		return -1
	})
	return m.alarms(trials[:end], at)
}

// Forget says that trials are others from a time on than they were.
func (m *Memory) Forget(changed time.Time) {
	for from, r := range m.quarters {
		if changed.Before(from) {
			delete(m.quarters, from)
		} else if changed.Before(from.AddDate(0, 3, 0)) {
			r.alarms, r.whole = nil, false
		}
	}
}

// alarms are those of known trials, sorted by time.
func (m *Memory) alarms(known []risk.Trial, at time.Time) []Alarm {
	list := []Alarm{}
	this := quarterOf(at)
	for _, from := range []time.Time{this.AddDate(0, -3, 0), this} {
		list = append(list, m.quarter(known, from, at)...)
	}
	list = slices.DeleteFunc(list, func(a Alarm) bool { return !at.Before(a.Until) })
	slices.SortFunc(list, func(a, b Alarm) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), b.At.Compare(a.At))
	})
	return slices.CompactFunc(list, func(a, b Alarm) bool { return a.Kind == b.Kind && a.Name == b.Name })
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// quarterOf is the first moment of the quarter of a year that holds t.
func quarterOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
}

// quarter looks at the three months from a moment on, as far as they are known.
func (m *Memory) quarter(known []risk.Trial, from, at time.Time) []Alarm {
	byTime := func(t risk.Trial, at time.Time) int { return t.At.Compare(at) }
	begin, _ := slices.BinarySearchFunc(known, from, byTime)
	end, _ := slices.BinarySearchFunc(known, from.AddDate(0, 3, 0), byTime)
	r := m.quarters[from]
	if r == nil {
		r = &remembered{}
		if m.quarters == nil {
			m.quarters = map[time.Time]*remembered{}
		}
		m.quarters[from] = r
	}
	if begin == end {
		return nil // nothing has come
	}
	if !r.fitted {
		r.record, _ = risk.Fit(known[:begin], from) // nil: too little was known
		r.fitted = true
	}
	if r.record == nil {
		return nil
	}
	over := !at.Before(from.AddDate(0, 3, 0))
	if over && r.whole {
		return r.alarms
	}
	list := look(known[begin:end], r.record)
	if over {
		r.alarms, r.whole = list, true
	}
	return list
}

// look reads a quarter's outcomes against what was known when it began.
func look(outcomes []risk.Trial, record *risk.TrackRecord) []Alarm {
	all := &group{kind: "all", against: "past"}
	vendors, packages := map[string]*group{}, map[string]*group{}
	for i := range outcomes {
		t := &outcomes[i]
		own := record.Prior.Mean()
		if r, ok := record.Vendors[t.Vendor]; ok {
			own = guarded(r)
		}
		if r, ok := record.Packages[t.Package]; ok {
			own = guarded(r)
		}
		all.add(t, own)
		join(vendors, "vendor", t.Vendor, record.Vendors, record.Prior.Mean(), t)
		join(packages, "package", t.Package, record.Packages, own, t)
	}
	list := all.alarms(evidence.Alpha, nil)
	for _, groups := range []map[string]*group{vendors, packages} {
		for _, g := range groups {
			list = append(list, g.alarms(evidence.Alpha/float64(len(groups)), all)...)
		}
	}
	return list
}

// group is the quarter's outcomes of one vendor or package, in order, each with
// the probability that it fails.
type group struct {
	kind, name, against string
	times               []time.Time
	trials              []evidence.Trial
}

// guarded is a record's rate, half way up to the end of its interval: what rests
// on little is given the benefit of the doubt.
func guarded(r risk.Record) float64 { return float64(r.P+r.High) / 2 }

// join adds an outcome to its group; one that nobody named has none.
func join(groups map[string]*group, kind, name string, records map[string]risk.Record, otherwise float64, t *risk.Trial) {
	if name == "" {
		return
	}
	r, ok := records[name]
	p := otherwise
	if ok {
		p = guarded(r)
	}
	g := groups[name]
	if g == nil {
		g = &group{kind: kind, name: name, against: "others"}
		if r.N >= little {
			g.against = "past"
		}
		groups[name] = g
	}
	g.add(t, p)
}

func (g *group) add(t *risk.Trial, p float64) {
	g.times = append(g.times, t.At)
	g.trials = append(g.trials, evidence.Trial{P: p, Bad: t.Failed})
}

// alarms is the group's alarm, if there is one, as renewed by what came later.
// One that others share is theirs together, and is left out.
func (g *group) alarms(level float64, all *group) []Alarm {
	var found *Alarm
	for first := 0; first < len(g.trials); {
		a := evidence.Watch(g.trials[first:], evidence.Options{Alpha: level})
		if !a.Fired {
			break
		}
		from, to := first+a.Since, first+a.At
		first = to + 1
		if g.shared(all, g.times[from], g.times[to], a) {
			continue
		}
		if found == nil {
			found = &Alarm{Kind: g.kind, Name: g.name, Against: g.against, Since: g.times[from].UTC()}
		}
		found.N, found.Bad, found.Expected = found.N+a.N, found.Bad+a.Bad, exact.Round5(found.Expected+a.Expected)
		found.Evidence = max(found.Evidence, exact.Round5(a.E))
		found.At = g.times[to].UTC()
		found.Until = found.At.Add(alarmFor)
	}
	if found == nil {
		return nil
	}
	return []Alarm{*found}
}

// shared says whether all others, too, failed more than expected in a span, and
// at least half as much beyond it as the group did.
func (g *group) shared(all *group, from, to time.Time, a evidence.Alarm) bool {
	if all == nil {
		return false
	}
	bad, expected := -float64(a.Bad), -a.Expected
	first, _ := slices.BinarySearchFunc(all.times, from, time.Time.Compare) // they are in order
	for i := first; i < len(all.trials) && !all.times[i].After(to); i++ {
		t := all.trials[i]
		bad, expected = bad+float64(bit(t.Bad)), expected+t.P
	}
	ratio := func(bad, expected float64) float64 { return (bad + 0.5) / (expected + 0.5) }
	return ratio(bad, expected) > max(1.5, ratio(float64(a.Bad), a.Expected)/2)
}
