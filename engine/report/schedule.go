package report

import (
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// The measures of the schedule's picture.
const (
	scheduleLeft  = 120
	scheduleRight = 16
	scheduleTop   = 30
	scheduleRow   = 32
)

// schedule draws each ring's waves and soaks on one scale of the estate's own
// time, with the deadline where it is near enough to be seen.
func schedule(s *sheet) []byte {
	a := s.axis()
	high := scheduleTop + len(s.Rings)*scheduleRow + 62
	p := draw(pictureWide, high, "Rings and waves in time: "+when(s.Plan))
	a.ticks(p, high-56)
	for i, r := range s.Rings {
		y := scheduleTop + i*scheduleRow
		p.text(scheduleLeft-10, y+14, "end", "name", r.Name, 17)
		p.text(scheduleLeft-10, y+27, "end", "dim", plural(ringHosts(r), "host"), 20)
		waves(p, a, r, y)
	}
	if due := s.deadline(); !due.Before(a.from) && !due.After(a.to) {
		x := a.at(due)
		p.line(x, scheduleTop-8, x, high-56, "due")
		p.text(min(x+4, pictureWide-scheduleRight), scheduleTop-12, "end", "duetext", "due "+due.Format("Mon 2 Jan 15:04"), 30)
	}
	p.text(10, high-24, "start", "dim", "Dark: hosts are changed. Pale: they are watched.", 80)
	p.text(10, high-8, "start", "dim", clocks(s.Plan), 88)
	return p.bytes()
}

// waves draws a ring. Waves that fall on the same pixels are drawn as one, so
// that a picture of a thousand is as long as one of ten.
func waves(p *picture, a axis, r plan.Ring, y int) {
	type run struct{ from, to, soaked, first, last, hosts int }
	var runs []run
	for i, w := range r.Waves {
		soak, _ := hclfile.ParseDuration(w.Soak)
		next := run{a.at(w.Start), a.at(w.End), a.at(w.End.Add(soak)), i + 1, i + 1, hostCount(w)}
		if n := len(runs); n > 0 && next.from <= runs[n-1].to+1 {
			l := &runs[n-1]
			l.to, l.soaked, l.last, l.hosts = max(l.to, next.to), max(l.soaked, next.soaked), next.last, l.hosts+next.hosts
			continue
		}
		runs = append(runs, next)
	}
	for _, x := range runs {
		p.box(x.to, y+8, x.soaked-x.to, 12, "soak", "")
	}
	for _, x := range runs {
		name := fmt.Sprintf("wave %d", x.first)
		if x.last > x.first {
			name = fmt.Sprintf("waves %d to %d", x.first, x.last)
		}
		p.box(x.from, y+4, max(x.to-x.from, 3), 20, "work", fmt.Sprintf("%s, %s: %s", r.Name, name, plural(x.hosts, "host")))
	}
}

// axis maps a span of time to pixels.
type axis struct{ from, to time.Time }

// axis goes from the first wave to the end of the last soak, and on to the
// deadline where that does not squeeze the rest.
func (s *sheet) axis() axis {
	first, last := ends(s.Plan)
	for _, r := range s.Rings {
		if _, end := watchedFor(r); end.After(last) {
			last = end
		}
	}
	if due := s.deadline(); due.After(last) && due.Sub(first) < 4*last.Sub(first) {
		last = due
	}
	if !last.After(first) {
		last = first.Add(time.Minute)
	}
	return axis{first, last}
}

func (a axis) at(t time.Time) int {
	total, x := int64(a.to.Sub(a.from)/time.Second), int64(t.Sub(a.from)/time.Second)
	x = min(max(x, 0), total)
	return scheduleLeft + int(int64(pictureWide-scheduleLeft-scheduleRight)*x/max(total, 1))
}

// steps are the distances between ticks, each in hours.
var steps = []int{1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 2160}

// ticks are whole hours of the wall, and midnights where the steps are days.
func (a axis) ticks(p *picture, bottom int) {
	const most = 5
	hours := int(a.to.Sub(a.from)/time.Hour) + 1
	step := steps[len(steps)-1]
	for _, n := range steps {
		if hours/n < most {
			step = n
			break
		}
	}
	y, m, d := a.from.Date()
	for i := 0; ; i++ {
		t := time.Date(y, m, d, i*step, 0, 0, 0, a.from.Location())
		if t.After(a.to) {
			return
		}
		if t.Before(a.from) {
			continue
		}
		x := a.at(t)
		p.line(x, scheduleTop-4, x, bottom, "grid")
		layout := "Mon 2 Jan"
		if step < 24 && t.Hour() != 0 {
			layout = "15:04"
		}
		p.text(min(x, pictureWide-36), bottom+14, "middle", "dim", t.Format(layout), 12)
	}
}
