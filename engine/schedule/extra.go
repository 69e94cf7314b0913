package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// extraDays is for how many days before a deadline extra windows are tried,
// and extraShown how many of those that do are named.
const (
	extraDays  = 14
	extraShown = 3
)

// candidate is an extra window.
type candidate struct {
	span
	weekend bool
	beside  string // "before" or "after" a freeze that it was moved for, else ""
	freeze  int
}

// windows are extra windows, and an earlier one, that would meet the clock.
func (c *conflict) windows() []plan.WayOut {
	w, usual, ok := c.usual()
	if !ok || c.p.deadline(c.patch()) <= c.p.at {
		return nil
	}
	zone, err := ring.Zone(c.p.in.Windows[w].Timezone)
	if err != nil {
		zone = time.UTC
	}
	list := c.extra(c.candidates(w, usual, zone), zone)
	if len(list) == 0 {
		// The usual length does not do: twice as long may.
		usual.end = usual.start + min(2*(usual.end-usual.start), day)
		list = c.extra(c.candidates(w, usual, zone), zone)
	}
	return append(list, c.earlier(w, zone)...)
}

// usual is the window to take as a pattern, the conflict's own if it has one,
// and one of its occurrences.
func (c *conflict) usual() (int, span, bool) {
	windows, _ := c.p.bound(c.b, c.i)
	for k, limit := range c.list {
		if c.in[k] && limit.kind == "window" {
			windows = append([]int{limit.index}, windows...)
			break
		}
	}
	for _, w := range windows {
		if len(c.p.windows[w]) > 0 {
			return w, c.p.windows[w][0], true
		}
	}
	return 0, span{}, false
}

// candidates are windows of the usual hour and length, the most convenient
// first: on working days, where no freeze is in the way, soon. One that a
// freeze cuts is moved beside it.
func (c *conflict) candidates(w int, usual span, zone *time.Location) []candidate {
	p, d := c.p, c.p.deadline(c.patch())
	_, freezes := p.bound(c.b, c.i)
	hour := instant(usual.start).In(zone)
	size := usual.end - usual.start
	first := instant(max(p.at, d-extraDays*day)).In(zone)
	var list []candidate
	for n := -1; n <= extraDays; n++ {
		at := time.Date(first.Year(), first.Month(), first.Day()+n, hour.Hour(), hour.Minute(), hour.Second(), 0, zone).Unix()
		k := candidate{span: span{at, at + size}}
		for _, f := range freezes {
			if fr := p.freezes[f]; fr.start < k.end && k.start < fr.end {
				if k.start < fr.start {
					k = candidate{span: span{fr.start - size, fr.start}, beside: "before", freeze: f}
				} else if k.end > fr.end {
					k = candidate{span: span{fr.end, fr.end + size}, beside: "after", freeze: f}
				}
			}
		}
		if slices.ContainsFunc(p.windows[w], func(s span) bool { return s.start < k.end && k.start < s.end }) {
			continue
		}
		if k.start < p.at || k.start >= d || slices.ContainsFunc(list, func(o candidate) bool { return o.start == k.start }) {
			continue
		}
		if slices.ContainsFunc(freezes, func(f int) bool { return p.freezes[f].start < k.end && k.start < p.freezes[f].end }) {
			continue
		}
		if weekday := instant(k.start).In(zone).Weekday(); weekday == time.Saturday || weekday == time.Sunday {
			k.weekend = true
		}
		list = append(list, k)
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(no(!a.weekend), no(!b.weekend)), cmp.Compare(no(a.beside == ""), no(b.beside == "")), cmp.Compare(a.start, b.start))
	})
	return list
}

// extra words the candidates that do.
func (c *conflict) extra(list []candidate, zone *time.Location) []plan.WayOut {
	var ways []plan.WayOut
	for _, k := range list {
		r, name := extraRules(k.span)
		if len(ways) == extraShown {
			break
		}
		if !c.helps(name, r) {
			continue
		}
		from, to := instant(k.start).In(zone), instant(k.end).In(zone)
		text := fmt.Sprintf("an extra window of %s on %s from %s to %s", length(k.end-k.start), from.Format("Monday 2006-01-02"), from.Format("15:04"), to.Format("15:04 MST"))
		if k.beside != "" {
			text += fmt.Sprintf(", %s the freeze %q", k.beside, c.p.in.Freezes[k.freeze].Name)
		}
		if k.weekend {
			text += ", a weekend"
		}
		if need := c.used(c.p.trial(c.b, name, r), k.span); need > 0 && need < k.end-k.start {
			text += fmt.Sprintf(" (%s would do)", length(need))
		}
		ways = append(ways, plan.WayOut{Kind: "window", Message: text, Feasible: true})
	}
	return ways
}

func extraRules(s span) (*rules, string) {
	return &rules{extra: s}, fmt.Sprintf("extra %d-%d", s.start, s.end)
}

// used is how much of a window a trial needs, what must stay free at its end
// included.
func (c *conflict) used(t *trial, s span) int64 {
	var need int64
	for n, places := range t.places {
		k := &c.b.classes[n]
		for _, at := range places {
			if at.start >= s.start && at.start < s.end {
				need = max(need, at.start-s.start+max(c.p.cutoff, k.install+k.rollback))
			}
		}
	}
	return need
}

// earlier says by when the window's next occurrence would have to open, where
// that is within a day of when it does.
func (c *conflict) earlier(w int, zone *time.Location) []plan.WayOut {
	const step = 30 * 60
	d := c.p.deadline(c.patch())
	i := slices.IndexFunc(c.p.windows[w], func(s span) bool { return s.start > c.p.at && s.end > d })
	if i < 0 {
		return nil
	}
	next := c.p.windows[w][i]
	sooner := func(n int) span { return span{next.start - int64(n)*step, next.end} }
	steps := min(int((next.start-c.p.at)/step), day/step)
	n := 1 + sort.Search(steps, func(n int) bool {
		r, name := extraRules(sooner(n + 1))
		return c.helps(name, r)
	})
	if n > steps {
		return nil
	}
	at := instant(sooner(n).start).In(zone)
	return []plan.WayOut{{Kind: "window", Feasible: true, Message: fmt.Sprintf("an earlier window: %q opening by %s, %s before its time",
		c.p.names[w], at.Format("Mon 2006-01-02 15:04 MST"), length(int64(n)*step))}}
}
