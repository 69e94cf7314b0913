package schedule

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// Inside the package a time is Unix seconds.
const (
	never    = math.MaxInt64 / 4
	day      = 24 * 60 * 60
	farthest = 3 * 365 * day // no plan looks further ahead
)

// span is [start, end).
type span struct{ start, end int64 }

// occurrences expands a window; it is the only place that does.
func occurrences(w ring.Window, from, to int64) []span {
	list := w.Between(time.Unix(from, 0).UTC(), time.Unix(to, 0).UTC())
	spans := make([]span, len(list))
	for i, o := range list {
		spans[i] = span{o.Start.Unix(), o.End.Unix()}
	}
	return spans
}

// horizon is how far the calendars reach: 400 days, and 90 days beyond the last
// deadline.
func horizon(in *Input) int64 {
	h := in.At.Unix() + 400*day
	for i := range in.Patches {
		if d := in.Patches[i].Deadline; !d.IsZero() {
			h = max(h, d.Unix()+90*day)
		}
	}
	return min(h, in.At.Unix()+farthest)
}

// binding is what restricts a host in time: windows that must all be open, and
// freezes, by index.
type binding struct {
	windows []int
	freezes []int
}

// calendar is when a host may be worked on, sorted. The last span of one
// without windows ends at never.
type calendar []span

// first returns the first start at or after t from which install and rollback
// fit, and the last one in the same span; ok is false where there is none.
func (c calendar) first(t, cutoff, need int64) (start, last int64, ok bool) {
	i := sort.Search(len(c), func(i int) bool { return c[i].end > t })
	for ; i < len(c); i++ {
		last = min(c[i].end-cutoff, c[i].end-need)
		if start = max(c[i].start, t); start <= last {
			return start, last, true
		}
	}
	return 0, 0, false
}

// bucket names the occurrence that a start falls into; spans of more than a day
// count by days.
func (c calendar) bucket(t int64) int64 {
	i := sort.Search(len(c), func(i int) bool { return c[i].end > t })
	if i == len(c) {
		return never
	}
	if c[i].end-c[i].start > day {
		return t / day
	}
	return c[i].start
}

// open returns when a binding lets work happen, with some windows and freezes
// ignored and an extra window for everyone.
func (p *planner) open(b binding, r *rules) calendar {
	c := calendar{{p.at, never}}
	windowed := false
	for _, w := range b.windows {
		if !r.skips(r.noWindow, w) {
			c = intersect(c, p.windows[w])
			windowed = true
		}
	}
	if windowed && r.extra != (span{}) {
		c = join(c, r.extra)
	}
	for _, f := range b.freezes {
		if !r.skips(r.noFreeze, f) {
			c = cut(c, p.freezes[f])
		}
	}
	return c
}

// calendar is open, remembered.
func (p *planner) calendar(b int, r *rules) calendar {
	if r.plain() {
		if p.calendars[b] == nil {
			p.calendars[b] = p.open(p.bindings[b], r)
		}
		return p.calendars[b]
	}
	key := p.key[:0]
	key = strconv.AppendInt(key, int64(b), 10)
	for _, w := range p.bindings[b].windows {
		key = append(key, yes(r.skips(r.noWindow, w)))
	}
	for _, f := range p.bindings[b].freezes {
		key = append(key, yes(r.skips(r.noFreeze, f)))
	}
	if r.extra != (span{}) {
		key = strconv.AppendInt(append(key, '+'), r.extra.start, 10)
		key = strconv.AppendInt(append(key, '-'), r.extra.end, 10)
	}
	p.key = key
	c, ok := p.relaxed[string(key)]
	if !ok {
		c = p.open(p.bindings[b], r)
		p.relaxed[string(key)] = c
	}
	return c
}

func yes(b bool) byte {
	if b {
		return 'y'
	}
	return 'n'
}

func intersect(a calendar, b []span) calendar {
	both := calendar{}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if s := (span{max(a[i].start, b[j].start), min(a[i].end, b[j].end)}); s.start < s.end {
			both = append(both, s)
		}
		if a[i].end < b[j].end {
			i++
		} else {
			j++
		}
	}
	return both
}

// cut takes f out of c.
func cut(c calendar, f span) calendar {
	left := make(calendar, 0, len(c)+1)
	for _, s := range c {
		if s.end <= f.start || s.start >= f.end {
			left = append(left, s)
			continue
		}
		if s.start < f.start {
			left = append(left, span{s.start, f.start})
		}
		if s.end > f.end {
			left = append(left, span{f.end, s.end})
		}
	}
	return left
}

// join adds one span, which swallows those it overlaps.
func join(c calendar, extra span) calendar {
	joined := make(calendar, 0, len(c)+1)
	for _, s := range c {
		if s.end > extra.start && s.start < extra.end {
			extra = span{min(s.start, extra.start), max(s.end, extra.end)}
			continue
		}
		joined = append(joined, s)
	}
	joined = append(joined, extra)
	slices.SortFunc(joined, func(a, b span) int { return int(min(1, max(-1, a.start-b.start))) })
	return joined
}
