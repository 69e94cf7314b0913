package engine

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/schedule"
)

// defaultInstall is the planned length of a host's install where nobody says.
const defaultInstall = 30 * time.Minute

// defaultRestart is how long a fleet waits for a host that was restarted, where its
// block does not say.
const defaultRestart = 10 * time.Minute

// cutoff is the last part of a window in which nothing starts.
const cutoff = time.Hour

// place schedules what was admitted.
func (d *decider) place(dr *draft) {
	in, places := d.scheduleInput(dr)
	out := schedule.Waves(in)
	for _, u := range out.Unplaced {
		dr.leave(d, &dr.changes[places[u.Change]], u.Why, u.Until)
	}
	for i, proof := range out.Proofs {
		p := dr.patches[i]
		p.feasible, p.conflict, p.waysOut = proof.Feasible, proof.Conflict, proof.WaysOut
	}
	for i := range d.est.Rings {
		r := d.planRing(&d.est.Rings[i], dr.stands[i])
		for _, w := range out.Rings[i] {
			r.Waves = append(r.Waves, d.wave(dr, in, w, places, &d.est.Rings[i]))
		}
		if r.Sandbox && d.loads(r) {
			r.Gates = append(r.Gates, "under a synthetic workload its hosts are no slower and no more often wrong than they were before")
		}
		if len(r.Waves) > 0 {
			d.watched(&r)
			dr.rings = append(dr.rings, r)
		}
	}
}

func (d *decider) planRing(r *ring.Ring, stands float64) plan.Ring {
	out := plan.Ring{
		Name: r.Name, Soak: hclfile.FormatDuration(r.Soak), MaxFailures: r.MaxFailures, Sandbox: r.Sandbox,
		Gates: []string{
			"every host of the ring has ended, and at least one is healthy",
			"no more than " + strconv.Itoa(r.MaxFailures) + " failed, degraded or stayed out of reach",
			"policies are asked again when the next wave is due",
		},
	}
	if r.Sandbox {
		out.Gates[0] = "for what is to be tried in a sandbox first: " + out.Gates[0]
	}
	if stands >= 0 {
		stands = exact.Round5(stands)
		out.StandsFor = &stands
	}
	return out
}

// loads says whether a workload takes any of a ring's hosts.
func (d *decider) loads(r plan.Ring) bool {
	for _, w := range r.Waves {
		for _, c := range w.Changes {
			if h := d.hostOf(c.Host); h != nil && d.workloadFor(h) != nil {
				return true
			}
		}
	}
	return false
}

func (d *decider) scheduleInput(dr *draft) (schedule.Input, []int) {
	in := schedule.Input{At: d.at, Rings: d.est.Rings, Windows: d.est.Windows, Freezes: d.freezes, Cutoff: cutoff}
	serviceNo := map[string]int{}
	for i := range d.est.Services {
		s := &d.est.Services[i]
		serviceNo[s.Name] = i
		in.Services = append(in.Services, schedule.Service{Name: s.Name, Tier: s.Tier, Total: d.sizes[s.Name],
			MinAvailable: minAvailable(s.MinAvailable, d.sizes[s.Name]), DependsOn: s.DependsOn})
	}
	for _, p := range dr.patches {
		in.Patches = append(in.Patches, schedule.Patch{ID: p.id, Class: p.verdict.Class, Clock: p.verdict.Clock, Start: p.verdict.Start,
			Deadline: p.verdict.Deadline, Test: p.test, Reboot: p.reboot != nil && *p.reboot})
	}
	places := dr.staying()
	last := int32(-1)
	for _, i := range places {
		c := &dr.changes[i]
		if c.host != last {
			last = c.host
			in.Hosts = append(in.Hosts, d.scheduleHost(dr, c.host, serviceNo))
		}
		if reboot := dr.patches[c.patch].reboot; reboot != nil && *reboot {
			h := &in.Hosts[len(in.Hosts)-1]
			h.Restart, h.Turns = d.turns(c.host)
		}
		in.Changes = append(in.Changes, schedule.Change{Host: int32(len(in.Hosts) - 1), Patch: c.patch, NotBefore: c.notBefore})
	}
	return in, places
}

func (d *decider) scheduleHost(dr *draft, i int32, serviceNo map[string]int) schedule.Host {
	h := &d.hosts[i]
	out := schedule.Host{ID: h.ID, Ring: dr.ringOf[i], Windows: d.windows(h), Install: d.install(h), Rollback: d.rollback(h)}
	for _, s := range h.Services {
		out.Services = append(out.Services, serviceNo[s])
	}
	out.Freezes = dr.frozenBy(d, h.Services)
	f, n := d.fleetOf(h)
	out.Fleet, out.Lanes = fleetName(d.est.Fleets, n), max(1, f.Parallel)
	return out
}

// turns is how long a host's restart may take, 0 where its fleet restarts none or lets
// none wait, and how many of the fleet may be restarting at a time.
func (d *decider) turns(i int32) (each time.Duration, atOnce int) {
	f, _ := d.fleetOf(&d.hosts[i])
	if !f.Keeps() || f.NoRestart {
		return 0, 0
	}
	return cmp.Or(f.Restart, defaultRestart), max(1, f.RestartLanes)
}

// frozenBy are the freezes that bind hosts of some services, by index. Hosts of the
// same services share the list.
func (dr *draft) frozenBy(d *decider, services []string) []int {
	key := strings.Join(services, "\x00")
	list, known := dr.frozen[key]
	if !known {
		for n := range d.freezes {
			if d.freezes[n].Takes(services) {
				list = append(list, n)
			}
		}
		put(&dr.frozen, key, list)
	}
	return list
}

// fleetOf is the last fleet block that takes the host, and its place; -1 and
// the zero Fleet where none does.
func (d *decider) fleetOf(h *inventory.Host) (ring.Fleet, int) {
	return fleetOf(d.est.Fleets, d.member(h))
}

func fleetOf(fleets []ring.Fleet, m ring.Member) (ring.Fleet, int) {
	for i := len(fleets) - 1; i >= 0; i-- {
		if fleets[i].Matches(m) {
			return fleets[i], i
		}
	}
	return ring.Fleet{}, -1
}

// fleetName is a fleet block's kind, with its place where several have it.
func fleetName(fleets []ring.Fleet, n int) string {
	if n < 0 {
		return "none"
	}
	same := 0
	for i := range fleets {
		if fleets[i].Kind == fleets[n].Kind {
			same++
		}
	}
	if same == 1 {
		return fleets[n].Kind
	}
	return fleets[n].Kind + "#" + strconv.Itoa(n+1)
}

// windows that must all be open: the host's own, else those of its services.
func (d *decider) windows(h *inventory.Host) []string {
	if h.Window != "" {
		return []string{h.Window}
	}
	var names []string
	for _, s := range h.Services {
		if w := d.services[s].Window; w != "" && !slices.Contains(names, w) {
			names = append(names, w)
		}
	}
	slices.Sort(names)
	return names
}

// install is the planned length of a host's install: the longest of its services'.
func (d *decider) install(h *inventory.Host) time.Duration {
	var longest time.Duration
	for _, s := range h.Services {
		longest = max(longest, d.services[s].Install)
	}
	return cmp.Or(longest, defaultInstall)
}

func (d *decider) rollback(h *inventory.Host) time.Duration {
	var longest time.Duration
	for _, s := range h.Services {
		longest = max(longest, d.services[s].Rollback)
	}
	return cmp.Or(longest, d.install(h))
}

// minAvailable turns "60%" or "2" into hosts, shares rounded up; 0 where
// nothing is declared.
func minAvailable(text string, total int) int {
	if share, err := hclfile.ParseShare(text); err == nil {
		return int(math.Ceil(float64(share*float64(total)) - 1e-9))
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// wave turns a scheduled wave into the plan's.
func (d *decider) wave(dr *draft, in schedule.Input, w schedule.Wave, places []int, r *ring.Ring) plan.Wave {
	out := plan.Wave{Start: w.Start, End: w.End, Soak: hclfile.FormatDuration(w.Soak), NotAfter: w.NotAfter}
	for _, n := range w.Changes {
		c := &dr.changes[places[n]]
		out.Changes = append(out.Changes, plan.Change{Host: d.hosts[c.host].ID, Patch: dr.patches[c.patch].id, From: c.from, DeployRisk: c.risk, Decisions: c.decisions})
	}
	slices.SortFunc(out.Changes, func(a, b plan.Change) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), strings.Compare(string(a.Patch), string(b.Patch)))
	})
	return out
}
