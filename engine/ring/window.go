package ring

import (
	"fmt"
	"slices"
	"time"
)

// Problem is something wrong with one attribute of a block.
type Problem struct{ Attribute, Message string }

// Check reports everything that is wrong with the window: attribute ("recur",
// "start", "duration", "timezone") and message.
func (w Window) Check() []Problem {
	_, problems := w.Calendar()
	return problems
}

// Between returns the window's occurrences that overlap [from, to), sorted,
// unclipped, overlapping ones joined; those that only touch stay apart. A wall
// time that daylight saving skips happens at the instant the gap ends in elapsed
// terms (RFC 5545 3.3.5: as if with the offset before the gap); one that happens
// twice is the first. Durations are elapsed time.
//
// A window that Check refuses has no occurrences. Who asks one window often
// keeps its Calendar.
func (w Window) Between(from, to time.Time) []Interval {
	c, problems := w.Calendar()
	if len(problems) > 0 {
		return nil
	}
	return c.Between(from, to)
}

// Next returns the first occurrence that ends after at: the one that is open
// then, or the next one. It is false where the window does not open any more.
func (w Window) Next(at time.Time) (Interval, bool) {
	c, problems := w.Calendar()
	if len(problems) > 0 {
		return Interval{}, false
	}
	return c.Next(at)
}

// Calendar is a window read and checked. It may be used by several goroutines.
type Calendar struct {
	rule     *rule
	zone     *time.Location
	duration time.Duration
}

// longest is for how long occurrences may run into each other: a month, so that
// every day of a month may overlap the next.
const longest = 35 * 24 * time.Hour

// Calendar reads the window. What is wrong with it is returned instead.
func (w Window) Calendar() (*Calendar, []Problem) {
	var problems []Problem
	add := func(attr, format string, args ...any) {
		problems = append(problems, Problem{attr, fmt.Sprintf(format, args...)})
	}
	start, err := time.Parse("2006-01-02T15:04:05", w.Start)
	if w.Start == "" {
		start = time.Unix(0, 0).UTC()
	} else if err != nil || start.Nanosecond() != 0 || start.Year() < 1900 {
		start = time.Unix(0, 0).UTC()
		add("start", `%q is not a local time; expected one such as "2026-01-06T23:00:00", without a zone`, w.Start)
	}
	r, texts := parseRule(w.Recur, start.Unix(), w.Start == "")
	for _, text := range texts {
		add("recur", "%s", text)
	}
	zone, err := Zone(w.Timezone)
	if err != nil {
		add("timezone", `%v; expected an IANA name such as "Europe/Berlin" or "UTC"`, err)
	}
	if w.Duration <= 0 {
		add("duration", "must be longer than nothing")
	}
	if len(problems) > 0 {
		return nil, problems
	}
	r.bound()
	c := &Calendar{r, zone, w.Duration}
	if text := c.hopeless(); text != "" {
		add("recur", "%s", text)
		return nil, problems
	}
	if c.endless() {
		add("duration", "is longer than the time from one occurrence to the next, so that the window never closes")
		return nil, problems
	}
	return c, nil
}

// hopeless says why a window never opens, "" where it does.
func (c *Calendar) hopeless() string {
	wall, ok := c.rule.next(c.rule.start)
	switch {
	case ok && c.within(instant(wall, c.zone)):
		return ""
	case c.rule.until.set:
		return "ends with UNTIL before it first occurs"
	}
	return "never occurs; no day of any year is as it asks"
}

// endless reports whether the occurrences run into each other without an end,
// judged by those after the first.
func (c *Calendar) endless() bool {
	if c.duration < 24*time.Hour && len(c.rule.times) == 1 {
		return false // at most one a day, and shorter than any day of a zone's clock is likely to be
	}
	wall, _ := c.rule.next(c.rule.start)
	first := instant(wall, c.zone)
	list := c.joined(time.Unix(first, 0), time.Unix(first, 0).Add(2*longest+2*c.duration))
	return slices.ContainsFunc(list, func(i Interval) bool { return i.End.Sub(i.Start) > c.duration+longest })
}

// within reports whether UNTIL leaves an instant.
func (c *Calendar) within(u int64) bool {
	return !c.rule.until.utc || u <= c.rule.until.at
}

// joined returns the occurrences that start in [from, to), overlapping ones
// joined, sorted.
func (c *Calendar) joined(from, to time.Time) []Interval {
	a, b := from.Unix(), to.Unix()
	walls := c.rule.between(nil, a-farthest, b+farthest)
	if len(walls) == 0 {
		return nil
	}
	starts := walls[:0]
	for _, wall := range walls {
		u := instant(wall, c.zone)
		if u >= a && u <= b && c.within(u) {
			starts = append(starts, u)
		}
	}
	slices.Sort(starts) // a skipped time may come after a later one
	list := make([]Interval, 0, len(starts))
	for _, u := range starts {
		start := time.Unix(u, 0).UTC()
		if start.Before(from) || !start.Before(to) {
			continue
		}
		end := start.Add(c.duration)
		if n := len(list); n > 0 && start.Before(list[n-1].End) {
			list[n-1].End = end
			continue
		}
		list = append(list, Interval{start, end})
	}
	return list
}

// Between is Window.Between.
func (c *Calendar) Between(from, to time.Time) []Interval {
	if !from.Before(to) {
		return nil
	}
	// Occurrences are joined with those beside them, so they are looked for
	// farther out until the ones that count are complete on both sides.
	for reach := c.duration; ; reach *= 4 {
		low, high := from.Add(-reach-c.duration), to.Add(reach)
		list := c.joined(low, high)
		a := slices.IndexFunc(list, func(i Interval) bool { return i.End.After(from) })
		if a < 0 {
			return nil
		}
		list = list[a:]
		if b := slices.IndexFunc(list, func(i Interval) bool { return !i.Start.Before(to) }); b >= 0 {
			list = list[:b]
		}
		if len(list) == 0 {
			return nil
		}
		complete := !list[0].Start.Before(low.Add(c.duration)) && !list[len(list)-1].End.After(high)
		if complete || reach > longest+c.duration {
			return slices.Clip(list)
		}
	}
}

// Next is Window.Next.
func (c *Calendar) Next(at time.Time) (Interval, bool) {
	const near = 48 * time.Hour
	if list := c.Between(at, at.Add(near)); len(list) > 0 {
		return list[0], true
	}
	wall, ok := c.rule.next(at.Add(near).Unix() - farthest)
	if !ok {
		return Interval{}, false
	}
	u := instant(wall, c.zone)
	if !c.within(u) {
		return Interval{}, false
	}
	// Where this wall time is skipped, a later one may come before it: the first
	// by instant is looked for around it.
	from := time.Unix(u, 0).Add(-near)
	if from.Before(at) {
		from = at
	}
	list := c.Between(from, time.Unix(u+1, 0))
	if len(list) == 0 {
		return Interval{}, false
	}
	return list[0], true
}
