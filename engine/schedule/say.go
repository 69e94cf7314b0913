package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// say puts a member of a conflict into words.
func (c *conflict) say(k constraint, t *trial) plan.Constraint {
	out := plan.Constraint{Kind: k.kind}
	switch k.kind {
	case "clock":
		out.Name, out.Message = c.p.in.Patches[c.patch()].Clock, c.sayClock()
	case "window":
		out.Name, out.Message = c.p.names[k.index], c.sayWindow(k.index)
	case "freeze":
		f := &c.p.in.Freezes[k.index]
		out.Name, out.Message = f.Name, fmt.Sprintf("nothing may be changed from %s to %s", moment(f.From.Unix()), moment(f.To.Unix()))
		if f.Reason != "" {
			out.Message += " (" + f.Reason + ")"
		}
	case "soak":
		out.Name, out.Message = c.saySoak()
	case "capacity":
		out.Name, out.Message = c.sayCapacity()
	case "order":
		out.Name, out.Message = c.sayOrder()
	case "availability":
		out.Name, out.Message = c.sayAvailability()
	case "after":
		out.Message = c.sayAfter()
	}
	return out
}

func (c *conflict) patch() int32 { return c.b.patches[c.i] }

func (c *conflict) classes() []*class { return c.b.having(c.i) }

// hosts is how many of a class's visits have the patch.
func (c *conflict) hosts(k *class) int {
	n := 0
	for _, a := range k.alike {
		if slices.Contains(a.patches, int32(c.i)) {
			n += a.n
		}
	}
	return n
}

func (c *conflict) sayClock() string {
	d := c.p.deadline(c.patch())
	text := "must be done by " + moment(d)
	if start := c.p.began(c.patch()); start < d {
		text += ", " + length(d-start) + " after " + moment(start)
	}
	if d <= c.p.at {
		text += "; that passed " + length(c.p.at-d) + " before this plan"
	}
	return text
}

func (c *conflict) sayWindow(w int) string {
	d := c.p.deadline(c.patch())
	if w >= len(c.p.in.Windows) {
		return "is not declared, so that it never opens"
	}
	var need int64
	for _, k := range c.classes() {
		if slices.Contains(c.p.bindings[k.binding].windows, w) {
			need = max(need, k.install+k.rollback)
		}
	}
	spans := calendar(c.p.windows[w])
	start, _, ok := spans.first(c.p.at, c.p.cutoff, need)
	if !ok {
		return fmt.Sprintf("is never open for long enough before %s: %s of install and rollback must fit, and nothing starts in its last %s",
			moment(c.p.reach), length(need), length(c.p.cutoff))
	}
	now := spans.around(start)
	if now.start >= d {
		return fmt.Sprintf("next opens %s and closes %s: the deadline is missed by %s to its start and by %s to its end",
			moment(now.start), moment(now.end), length(now.start-d), length(now.end-d))
	}
	text := fmt.Sprintf("opens %s and closes %s", moment(now.start), moment(now.end))
	again, _, ok := spans.first(now.end, c.p.cutoff, need)
	if !ok {
		return text + ", and not again before " + moment(c.p.reach)
	}
	if again >= d {
		return text + ", and opens again " + moment(again) + ", " + length(again-d) + " after the deadline"
	}
	return text + ", and opens again " + moment(again)
}

// around returns the span that holds t.
func (c calendar) around(t int64) span {
	for _, s := range c {
		if s.start <= t && t < s.end {
			return s
		}
	}
	return span{t, t}
}

// rings are those that the patch has hosts in, by index.
func (c *conflict) rings() []int {
	var list []int
	for _, k := range c.classes() {
		if k.ring >= 0 {
			list = append(list, k.ring)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (c *conflict) saySoak() (name, message string) {
	var names, parts []string
	for _, r := range c.rings() {
		if s := c.p.soakAt(r, 0); s > 0 {
			names = append(names, c.p.in.Rings[r].Name)
			parts = append(parts, fmt.Sprintf("%s soaks %s", c.p.in.Rings[r].Name, length(s)))
		}
	}
	return strings.Join(names, ", "), strings.Join(parts, ", ") + ", at the least"
}

func (c *conflict) sayOrder() (name, message string) {
	lost := 0
	for _, k := range c.classes() {
		if k.ring < 0 {
			lost += c.hosts(k)
		}
	}
	if lost > 0 {
		return "", fmt.Sprintf("%s in no ring, so that nothing ever reaches them", hosts(lost, "is", "are"))
	}
	var names []string
	for _, r := range c.rings() {
		names = append(names, c.p.in.Rings[r].Name)
	}
	text := strings.Join(names, " is done and soaked before ") + " begins"
	if len(names) < 2 {
		text = "what others depend on is done before they are"
	}
	return strings.Join(names, ", "), text
}

func (c *conflict) sayAvailability() (name, message string) {
	counts := map[int]int{}
	for _, k := range c.classes() {
		for _, s := range c.p.sets[k.set] {
			counts[s] += c.hosts(k)
		}
	}
	var names, parts []string
	for s := range c.p.in.Services {
		limit := c.p.limits[s]
		if counts[s] <= limit {
			continue
		}
		names = append(names, c.p.in.Services[s].Name)
		parts = append(parts, fmt.Sprintf("%s may have %d of its %s down at a time", c.p.in.Services[s].Name, limit, hosts(c.p.in.Services[s].Total)))
	}
	return some(names), some(parts)
}

func (c *conflict) sayAfter() string {
	var until int64
	for _, k := range c.classes() {
		until = max(until, k.notBefore)
	}
	return "changes are held until " + moment(until)
}

// whyNot says why a class has visits without a place, and until when.
func (p *planner) whyNot(c *class) (string, time.Time) {
	if c.ring < 0 {
		return "no ring takes the host", time.Time{}
	}
	for _, s := range p.sets[c.set] {
		if p.limits[s] < 1 {
			service := &p.in.Services[s]
			return fmt.Sprintf("service %q must keep %d of its %s up, so that none can be done", service.Name, service.MinAvailable, hosts(service.Total)), time.Time{}
		}
	}
	if c.notBefore >= p.reach {
		return "it is held until " + moment(c.notBefore), instant(c.notBefore)
	}
	b := p.bindings[c.binding]
	for _, w := range b.windows {
		if w >= len(p.in.Windows) {
			return fmt.Sprintf("window %q is not declared, so that it never opens", p.names[w]), time.Time{}
		}
	}
	if start, _, ok := p.calendar(c.binding, &asDeclared).first(max(p.at, c.notBefore), p.cutoff, c.install+c.rollback); ok && start < p.reach {
		return "nothing is free before " + moment(p.reach) + ": too few lanes, or too little time in the windows", time.Time{}
	}
	return p.shut(b, c.install+c.rollback)
}

// shut says why a calendar has no time for an install and a rollback.
func (p *planner) shut(b binding, need int64) (string, time.Time) {
	thawed := p.open(binding{windows: b.windows}, &asDeclared)
	if start, _, ok := thawed.first(p.at, p.cutoff, need); ok && start < p.reach {
		var until time.Time
		var names []string
		for _, f := range b.freezes {
			if p.freezes[f].end > p.at {
				if name := fmt.Sprintf("%q", p.in.Freezes[f].Name); !slices.Contains(names, name) { // one may come again
					names = append(names, name)
				}
				if to := instant(p.freezes[f].end); to.After(until) {
					until = to
				}
			}
		}
		return "frozen by " + strings.Join(names, ", "), until
	}
	names := make([]string, len(b.windows))
	for i, w := range b.windows {
		names[i] = fmt.Sprintf("%q", p.names[w])
	}
	which := "window " + strings.Join(names, "") + " is"
	if len(names) > 1 {
		which = "windows " + strings.Join(names, ", ") + " are"
	}
	together := ""
	if len(names) > 1 {
		together = " together"
	}
	return fmt.Sprintf("%s never open%s for long enough before %s: %s of install and rollback must fit, and nothing starts in the last %s",
		which, together, moment(p.reach), length(need), length(p.cutoff)), time.Time{}
}

// because says which clock shortens a batch's pace.
func (p *planner) because(b *batch, t *trial) string {
	patch := b.patches[0]
	for _, other := range b.patches {
		if p.goal(other) < p.goal(patch) {
			patch = other
		}
	}
	var parts []string
	for r := range p.rings {
		if len(b.rings[r].classes) > 0 && t.soaks[r] < p.rings[r].soak {
			parts = append(parts, fmt.Sprintf("%s soaks %s instead of %s", p.in.Rings[r].Name, length(t.soaks[r]), length(p.rings[r].soak)))
		}
	}
	if len(parts) == 0 {
		parts = []string{"rings begin earlier than declared"}
	}
	return fmt.Sprintf("%s: the %s clock of %s ends %s", strings.Join(parts, ", "), p.in.Patches[patch].Clock, p.in.Patches[patch].ID, moment(p.deadline(patch)))
}

// moment is a time for people.
func moment(u int64) string { return instant(u).Format("Mon 2006-01-02 15:04 UTC") }

// length is a length of time for people, its two largest units.
func length(s int64) string {
	units := []struct {
		name string
		is   int64
	}{{"d", day}, {"h", 3600}, {"min", 60}, {"s", 1}}
	var parts []string
	for _, u := range units {
		// Up to four days, hours tell more: clocks are of 24 h and 72 h.
		if u.is == day && s < 4*day {
			continue
		}
		if n := s / u.is; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			s -= n * u.is
		} else if len(parts) > 0 {
			break
		}
	}
	if len(parts) == 0 {
		return "no time"
	}
	return strings.Join(parts, " ")
}

// hosts counts hosts, with the verb that goes with them where one is given.
func hosts(n int, verb ...string) string {
	text, i := fmt.Sprintf("%d hosts", n), 1
	if n == 1 {
		text, i = "1 host", 0
	}
	if len(verb) == 2 {
		text += " " + verb[i]
	}
	return text
}

// some joins the first three.
func some(list []string) string {
	if len(list) > 3 {
		return strings.Join(list[:3], ", ") + fmt.Sprintf(" and %d more", len(list)-3)
	}
	return strings.Join(list, ", ")
}
