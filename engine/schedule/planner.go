package schedule

import (
	"slices"
	"strconv"
	"time"
)

// planner is an input made ready, and what the batches placed so far have taken.
type planner struct {
	in      *Input
	at      int64
	reach   int64 // nothing is placed at or after
	cutoff  int64
	rings   []pace
	windows [][]span
	names   []string // of windows
	freezes []span

	bindings  []binding
	calendars []calendar          // by binding
	relaxed   map[string]calendar // with something ignored
	key       []byte

	profiles []profile
	profile  []int32 // by host
	tracks   []track // profiles without what does not matter for time
	sets     [][]int // distinct sets of services
	depends  [][]int // by service: what it depends on
	lanes    []int   // by fleet
	together []int   // by fleet: hosts that restart and may be on their way at a time
	fleets   []string
	limits   []int // by service: hosts that may be down together

	laneUse []timeline // by fleet
	turnUse []timeline // by fleet: hosts that restart
	down    []timeline // by service
	busy    [][]span   // by host
	alone   []int64    // by patch: when it would be healthy, were it alone and in a hurry
}

// pace is a ring's declared pace.
type pace struct {
	after, soak int64
	sandbox     bool
}

// profile is all that hosts have in common that can be exchanged for one
// another.
type profile struct {
	ring, binding     int
	install, rollback int64
	fleet, set        int
	restarts          bool
	track             int32
}

// track is what of a profile says how early it can be done, were it alone.
type track struct {
	ring, binding     int
	install, rollback int64
}

// need is the time that must be left in a window.
func (t track) need() int64 { return t.install + t.rollback }

func newPlanner(in *Input) *planner {
	p := &planner{in: in, at: ceil(in.At), reach: horizon(in), cutoff: int64(time.Hour / time.Second), relaxed: map[string]calendar{}}
	if in.Cutoff > 0 {
		p.cutoff = seconds(in.Cutoff)
	}
	for i := range in.Rings {
		p.rings = append(p.rings, pace{max(0, seconds(in.Rings[i].After)), max(0, seconds(in.Rings[i].Soak)), in.Rings[i].Sandbox})
	}
	for i := range in.Windows {
		p.names = append(p.names, in.Windows[i].Name)
		p.windows = append(p.windows, occurrences(in.Windows[i], p.at, p.reach))
	}
	for i := range in.Freezes {
		p.freezes = append(p.freezes, span{in.Freezes[i].From.Unix(), ceil(in.Freezes[i].To)})
	}
	p.readServices()
	p.readHosts()
	p.laneUse = make([]timeline, len(p.lanes))
	p.turnUse = make([]timeline, len(p.lanes))
	p.down = make([]timeline, len(in.Services))
	p.busy = make([][]span, len(in.Hosts))
	p.alone = make([]int64, len(in.Patches))
	p.calendars = make([]calendar, len(p.bindings))
	return p
}

func (p *planner) readServices() {
	index := map[string]int{}
	for i := range p.in.Services {
		index[p.in.Services[i].Name] = i
	}
	for i := range p.in.Services {
		s := &p.in.Services[i]
		p.limits = append(p.limits, s.limit())
		var on []int
		for _, name := range s.DependsOn {
			if j, ok := index[name]; ok && j != i {
				on = append(on, j)
			}
		}
		slices.Sort(on)
		p.depends = append(p.depends, slices.Compact(on))
	}
}

// limit is how many hosts of the service may be down together.
func (s *Service) limit() int {
	switch {
	case s.Total <= 1:
		return 1
	case s.MinAvailable <= 0:
		return max(1, s.Total/2)
	}
	// Never all of them, whatever is declared.
	return max(0, min(s.Total-s.MinAvailable, s.Total-1))
}

// readHosts gives every host its profile.
func (p *planner) readHosts() {
	bindings, sets, tracks, profiles := interner{}, interner{}, map[track]int32{}, map[profile]int32{}
	fleets := map[string]int{}
	p.profile = make([]int32, len(p.in.Hosts))
	turns := p.readTurns()
	for i := range p.in.Hosts {
		h := &p.in.Hosts[i]
		b := p.binding(h)
		f, ok := fleets[h.Fleet]
		if !ok {
			f = len(p.lanes)
			fleets[h.Fleet] = f
			p.lanes = append(p.lanes, max(1, h.Lanes))
			p.together = append(p.together, 0)
			p.fleets = append(p.fleets, h.Fleet)
		}
		p.lanes[f] = min(p.lanes[f], max(1, h.Lanes))
		p.together[f] = turns[h.Fleet].together()
		t := track{ring: h.Ring, install: max(1, seconds(h.Install)), rollback: max(0, seconds(h.Rollback))}
		if h.Restart > 0 {
			t.install += turns[h.Fleet].wait()
			t.rollback += turns[h.Fleet].wait()
		}
		if h.Ring >= len(p.rings) {
			t.ring = -1
		}
		t.ring = max(t.ring, -1)
		var fresh bool
		if t.binding, fresh = bindings.intern(b.windows, b.freezes); fresh {
			p.bindings = append(p.bindings, b)
		}
		services := slices.Clone(h.Services)
		slices.Sort(services)
		services = slices.Compact(services)
		set, fresh := sets.intern(services)
		if fresh {
			p.sets = append(p.sets, services)
		}
		n, ok := tracks[t]
		if !ok {
			n = int32(len(p.tracks))
			tracks[t] = n
			p.tracks = append(p.tracks, t)
		}
		pr := profile{t.ring, t.binding, t.install, t.rollback, f, set, h.Restart > 0, n}
		m, ok := profiles[pr]
		if !ok {
			m = int32(len(p.profiles))
			profiles[pr] = m
			p.profiles = append(p.profiles, pr)
		}
		p.profile[i] = m
	}
}

// binding reads a host's windows and freezes. A window that is not declared
// never opens.
func (p *planner) binding(h *Host) binding {
	var b binding
	for _, name := range h.Windows {
		i := slices.Index(p.names, name)
		if i < 0 {
			i = len(p.names)
			p.names = append(p.names, name)
			p.windows = append(p.windows, nil)
		}
		b.windows = append(b.windows, i)
	}
	slices.Sort(b.windows)
	b.windows = slices.Compact(b.windows)
	b.freezes = slices.Clone(h.Freezes)
	slices.Sort(b.freezes)
	b.freezes = slices.Compact(b.freezes)
	return b
}

// interner numbers lists of numbers.
type interner map[string]int

// intern returns the number of the lists and whether it is a new one.
func (n interner) intern(lists ...[]int) (int, bool) {
	var key []byte
	for _, list := range lists {
		for _, v := range list {
			key = append(strconv.AppendInt(key, int64(v), 36), ',')
		}
		key = append(key, ';')
	}
	i, ok := n[string(key)]
	if !ok {
		i = len(n)
		n[string(key)] = i
	}
	return i, !ok
}

// seconds rounds up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

func ceil(t time.Time) int64 {
	u := t.Unix()
	if t.Nanosecond() > 0 {
		u++
	}
	return u
}

func instant(u int64) time.Time { return time.Unix(u, 0).UTC() }

// deadline is never where the patch has none.
func (p *planner) deadline(patch int32) int64 {
	if d := p.in.Patches[patch].Deadline; !d.IsZero() {
		return d.Unix()
	}
	return never
}

// goal is when a fifth of the clock is left.
func (p *planner) goal(patch int32) int64 {
	d, s := p.deadline(patch), p.began(patch)
	if d == never || d <= s {
		return d
	}
	return s + (d-s)/5*4
}

// began is when the patch's clock began; where nobody knows, its rings' After
// counts from now.
func (p *planner) began(patch int32) int64 {
	if s := p.in.Patches[patch].Start; !s.IsZero() {
		return ceil(s)
	}
	return p.at
}
