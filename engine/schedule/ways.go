package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// unlimited is more lanes than there are hosts.
const unlimited = 1 << 30

// ways is what could be done about a conflict, best first: what meets the clock
// with the least trouble, then what bridges the time, then what does not help.
func (p *planner) ways(c *conflict, t *trial) []plan.WayOut {
	windows := c.windows()
	lanes, few := c.moreLanes()
	var list []plan.WayOut
	if few {
		list = slices.Concat(lanes, windows)
	} else {
		list = slices.Concat(windows, lanes)
	}
	list = append(list, c.thaws()...)
	soak, helps := c.shorterSoak()
	if helps {
		list = append(list, soak)
	}
	list = append(list, c.bridge(t)...)
	if !helps {
		list = append(list, soak)
	}
	slices.SortStableFunc(list, func(a, b plan.WayOut) int { return cmp.Compare(no(a.Feasible), no(b.Feasible)) })
	return list
}

func no(b bool) int {
	if b {
		return 0
	}
	return 1
}

// helps says whether the patch meets its clock with other rules.
func (c *conflict) helps(name string, r *rules) bool {
	return c.p.met(c.b, c.p.trial(c.b, name, r), c.i)
}

// thaws are freezes to lift: those that would help alone, and those of the
// conflict.
func (c *conflict) thaws() []plan.WayOut {
	var list []plan.WayOut
	_, freezes := c.p.bound(c.b, c.i)
	for k, limit := range c.list {
		if limit.kind != "freeze" || !slices.Contains(freezes, limit.index) {
			continue
		}
		var r rules
		limit.relax(&r)
		helps := c.helps("freeze "+strconv.Itoa(limit.index), &r)
		if !helps && !c.in[k] {
			continue
		}
		f := &c.p.in.Freezes[limit.index]
		text := fmt.Sprintf("lifting the freeze %q from %s to %s", f.Name, moment(f.From.Unix()), moment(f.To.Unix()))
		if !helps {
			text += ", which does not do alone"
		}
		list = append(list, plan.WayOut{Kind: "freeze", Message: text, Feasible: helps})
	}
	return list
}

// shorterSoak says whether soaking less would do, and how much less.
func (c *conflict) shorterSoak() (plan.WayOut, bool) {
	now := int64(0)
	for _, r := range c.rings() {
		now = max(now, c.p.soakAt(r, 0))
	}
	none := c.p.trial(c.b, "soak", &rules{noSoak: true})
	if !c.p.met(c.b, none, c.i) {
		return plan.WayOut{Kind: "soak", Message: "a shorter soak does not help: " + c.afterAll(none)}, false
	}
	for most := min(now, leastSoak) - paceStep; most > 0; most -= paceStep {
		if c.helps("soak "+strconv.FormatInt(most, 10), &rules{soakMost: most}) {
			return plan.WayOut{Kind: "soak", Feasible: true, Message: fmt.Sprintf("a soak of at most %s in every ring, where %s is the least", length(most), length(now))}, true
		}
	}
	return plan.WayOut{Kind: "soak", Feasible: true, Message: "no soak at all between installing and going on"}, true
}

// afterAll says why even a trial without any soak does not do.
func (c *conflict) afterAll(t *trial) string {
	d := c.p.deadline(c.patch())
	if t.unplaced[c.i] > 0 {
		return hosts(t.unplaced[c.i], "has", "have") + " no place at all"
	}
	windows, _ := c.p.bound(c.b, c.i)
	if t.began[c.i] >= d && len(windows) > 0 && c.p.at < d {
		return "the window opens after the deadline"
	}
	return fmt.Sprintf("even without any, the last host is done %s, %s after the deadline", moment(t.healthy[c.i]), length(t.healthy[c.i]-d))
}

// bridge is what people can do about a clock that is not met.
func (c *conflict) bridge(t *trial) []plan.WayOut {
	d := c.p.deadline(c.patch())
	if t.unplaced[c.i] > 0 {
		left := hosts(t.unplaced[c.i], "has", "have") + " no wave at all"
		return []plan.WayOut{
			{Kind: "mitigate", Message: "a mitigation, such as a workaround or isolation, from " + moment(d) + " on: " + left},
			{Kind: "accept", Message: "signed acceptance of the overrun: " + left},
		}
	}
	end := t.healthy[c.i]
	return []plan.WayOut{
		{Kind: "mitigate", Message: fmt.Sprintf("a mitigation, such as a workaround or isolation, from %s to %s", moment(max(d, c.p.at)), moment(end))},
		{Kind: "accept", Message: fmt.Sprintf("signed acceptance of the overrun: the last host is healthy %s, %s after the deadline", moment(end), length(end-d))},
	}
}

// moreLanes says how many lanes would do, if any number does, and whether they
// are no more than twice those that are there.
func (c *conflict) moreLanes() (list []plan.WayOut, few bool) {
	need, ok := c.lanesNeeded(rules{}, "lanes ")
	if !ok {
		return nil, false
	}
	few = true
	var parts []string
	for f, n := range need {
		if n > c.p.lanes[f] {
			few = few && n <= 2*c.p.lanes[f]
			parts = append(parts, c.sayLanes(f, n))
		}
	}
	return []plan.WayOut{{Kind: "capacity", Message: "more lanes: " + some(parts), Feasible: true}}, few
}

func (c *conflict) sayLanes(f, n int) string {
	text := fmt.Sprintf("%d lanes are needed, %d are there", n, c.p.lanes[f])
	if len(c.p.lanes) > 1 {
		text += fmt.Sprintf(" (fleet %s)", c.p.fleets[f])
	}
	return text
}

// sayCapacity counts lanes with everything else in force, or, where no number
// would do then, with nothing but the conflict.
func (c *conflict) sayCapacity() (name, message string) {
	need, ok := c.lanesNeeded(rules{}, "lanes ")
	if !ok {
		r, key := c.rules()
		need, ok = c.lanesNeeded(*r, "lanes "+key+" ")
	}
	if !ok {
		return some(c.p.fleets), "too few lanes"
	}
	var names, parts []string
	for f, n := range need {
		if n > c.p.lanes[f] {
			names = append(names, c.p.fleets[f])
			parts = append(parts, c.sayLanes(f, n))
		}
	}
	return some(names), some(parts)
}

// lanesNeeded finds the lanes by fleet with which the clock is met under the
// rules; ok is false where no number does, or where none has to grow.
func (c *conflict) lanesNeeded(r rules, name string) (need []int, ok bool) {
	try := func(lanes []int) bool {
		with := r
		with.lanes = lanes
		return c.helps(name+fmt.Sprint(lanes), &with)
	}
	size := make([]int, len(c.p.lanes))
	for n := range c.b.classes {
		size[c.b.classes[n].fleet] += len(c.b.classes[n].visits)
	}
	wide := slices.Clone(c.p.lanes)
	for f := range wide {
		if size[f] > 0 {
			wide[f] = unlimited
		}
	}
	if !try(wide) {
		return nil, false
	}
	need = slices.Clone(wide)
	for f := range need {
		if size[f] == 0 {
			continue
		}
		least := c.p.lanes[f]
		// Earlier batches hold lanes too, so more than the hosts may be needed.
		extra := sort.Search(size[f]+least, func(n int) bool {
			lanes := slices.Clone(need)
			lanes[f] = least + n
			return try(lanes)
		})
		need[f] = least + extra
	}
	return need, try(need) && !slices.Equal(need, c.p.lanes)
}
