package risk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// state is what is known of one side of a host's condition.
type state uint8

const (
	unknown state = iota
	good
	bad
	worse
)

// condition is all that a score looks at in a host: hosts with equal ones get
// equal scores.
type condition struct {
	host                                bool // false: the patch as a whole
	role                                string
	drift, disk, memory, reboot, uptime state
	hit, unsure                         uint64 // bits of the patch's known issues
}

// condition reads a host. A host that reported nothing is unknown in all.
func (s *scorer) condition(h *inventory.Host, role string) condition {
	c := condition{role: role}
	if h == nil {
		return c
	}
	c.host = true
	var modules []string
	if f := h.Facts; f != nil {
		modules = f.Modules
		c.drift = flag(f.Drift)
		c.reboot = flag(f.RebootPending)
		c.disk = room(f.DiskFreeMB, f.DiskMB, 1024, 20)
		c.memory = room(f.MemFreeMB, f.MemMB, 256, 20)
		c.uptime = uptime(f.UptimeS)
	}
	for i, issue := range s.issues {
		switch concerns(issue, modules, role) {
		case bad:
			c.hit |= 1 << i
		case unknown:
			c.unsure |= 1 << i
		}
	}
	return c
}

func flag(b *bool) state {
	switch {
	case b == nil:
		return unknown
	case *b:
		return bad
	}
	return good
}

// room is bad where less is free than a floor in MB, or than one part in so many.
func room(free, total *int64, floor, parts int64) state {
	switch {
	case free == nil:
		return unknown
	case *free < floor || total != nil && *free < *total/parts:
		return bad
	}
	return good
}

func uptime(seconds *int64) state {
	const day = 24 * 60 * 60
	switch {
	case seconds == nil:
		return unknown
	case *seconds > 365*day:
		return worse
	case *seconds > 180*day:
		return bad
	}
	return good
}

// terms are the reasons of a host's own condition. What nobody reported counts a
// little, all together: it is not known to be good.
func (c condition) terms() []plan.Reason {
	if !c.host {
		return nil
	}
	var list []plan.Reason
	var missing []string
	add := func(s state, term, value string, effect float64) {
		switch s {
		case unknown:
			missing = append(missing, term)
		case bad:
			list = append(list, plan.Reason{Term: term, Value: value, Effect: effect})
		}
	}
	add(c.drift, "drift", "the host differs from what is declared", 0.5)
	add(c.disk, "disk", "less than 1 GB or 5 % free", 0.6)
	add(c.memory, "memory", "less than 256 MB or 5 % free", 0.3)
	add(c.reboot, "reboot pending", "an earlier change is only half done", 0.4)
	add(c.uptime, "uptime", "over 180 days: nobody knows that it starts again", 0.3)
	if c.uptime == worse {
		list = append(list, plan.Reason{Term: "uptime", Value: "over a year: nobody knows that it starts again", Effect: 0.5})
	}
	if n := len(missing); n > 0 {
		list = append(list, plan.Reason{
			Term: "host facts", Value: "missing: " + strings.Join(missing, ", "), Effect: []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5}[n],
		})
	}
	return list
}

// most is how many known issues a score tells apart.
const most = 64

// unresolved are the known issues that stand at a time, the newest first.
func unresolved(advisories []*advisory.Advisory, at time.Time) []advisory.KnownIssue {
	var list []advisory.KnownIssue
	for _, a := range advisories {
		for _, k := range a.KnownIssues {
			if !k.At.After(at) && (k.Resolved == nil || k.Resolved.After(at)) {
				list = append(list, k)
			}
		}
	}
	slices.SortFunc(list, func(a, b advisory.KnownIssue) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Text, b.Text), cmp.Compare(a.Module, b.Module), cmp.Compare(a.Role, b.Role))
	})
	list = slices.CompactFunc(list, func(a, b advisory.KnownIssue) bool {
		return a.At.Equal(b.At) && a.Text == b.Text && a.Module == b.Module && a.Role == b.Role
	})
	return list[:min(len(list), most)]
}

// concerns says whether an issue is about such a host: bad it is, good it is
// not, unknown where the host's modules or role are not known.
func concerns(k advisory.KnownIssue, modules []string, role string) state {
	module := good
	switch {
	case k.Module == "" || slices.ContainsFunc(modules, func(m string) bool { return strings.EqualFold(m, k.Module) }):
		module = bad
	case modules == nil:
		module = unknown
	}
	serves := good
	switch {
	case k.Role == "" || strings.EqualFold(k.Role, role):
		serves = bad
	case role == "":
		serves = unknown
	}
	switch {
	case module == good || serves == good:
		return good
	case module == unknown || serves == unknown:
		return unknown
	}
	return bad
}

// issueTerms are the vendor's admitted troubles. On a host that has the module
// or role named it is likely to happen; where nobody knows, or for the patch as
// a whole, it may. Each further issue adds a little.
func (s *scorer) issueTerms(c condition) []plan.Reason {
	var list []plan.Reason
	for i, k := range s.issues {
		aimed := k.Module != "" || k.Role != ""
		effect, where := 1.5, ""
		switch bit := uint64(1) << i; {
		case !c.host && aimed:
			effect, where = 0.7, " (on "+target(k)+")"
		case !c.host:
		case c.hit&bit != 0 && aimed:
			effect, where = 3, " (this host is "+target(k)+")"
		case c.hit&bit != 0:
		case c.unsure&bit != 0:
			where = " (missing: whether this host is " + target(k) + "; taken as likely)"
		default:
			continue
		}
		list = append(list, plan.Reason{Term: termKnownIssue, Value: k.Text + where, Effect: effect})
	}
	slices.SortStableFunc(list, largestFirst)
	for i := range list {
		switch {
		case i > 3:
			list[i].Effect = 0
		case i > 0:
			list[i].Effect = 0.3
		}
	}
	return list
}

// target names the hosts that an issue is about.
func target(k advisory.KnownIssue) string {
	switch {
	case k.Module == "":
		return fmt.Sprintf("role %q", k.Role)
	case k.Role == "":
		return fmt.Sprintf("with module %q", k.Module)
	}
	return fmt.Sprintf("role %q with module %q", k.Role, k.Module)
}
