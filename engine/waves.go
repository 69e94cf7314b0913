package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// judgeWaves asks the policies about every wave as it was scheduled. A wave
// that is denied or held is taken out, its changes with the rule's words; what
// is required or warned of is kept with the changes.
func (d *decider) judgeWaves(dr *draft) {
	slots, base, vary := d.waveInputs(dr)
	if len(slots) == 0 {
		return
	}
	all := d.policies.Batch(len(slots), base, vary, d.est.Exceptions)
	for i, decisions := range all {
		d.settleWave(dr, &dr.rings[slots[i].ring].Waves[slots[i].wave], decisions)
	}
	for i := range dr.rings {
		dr.rings[i].Waves = slices.DeleteFunc(dr.rings[i].Waves, func(w plan.Wave) bool { return len(w.Changes) == 0 })
	}
	dr.rings = slices.DeleteFunc(dr.rings, func(r plan.Ring) bool { return len(r.Waves) == 0 })
}

// slot is where a wave of a draft is.
type slot struct{ ring, wave int }

// waveInputs are the inputs of a draft's waves, as a Batch takes them.
func (d *decider) waveInputs(dr *draft) (slots []slot, base policy.Input, vary func(int, *policy.Input)) {
	for i, r := range dr.rings {
		for n := range r.Waves {
			slots = append(slots, slot{i, n})
		}
	}
	w := newWaveViews(d)
	reboots := map[plan.PatchID]*bool{}
	for _, p := range dr.patches {
		reboots[p.id] = p.reboot
	}
	base = d.input(policy.Wave, "plan", d.at)
	base.Plan = d.planInput(dr)
	ends := ringEnds(dr.rings)
	return slots, base, func(i int, in *policy.Input) {
		r := &dr.rings[slots[i].ring]
		in.Ring = d.ringNamed(r.Name)
		wave := &r.Waves[slots[i].wave]
		in.Wave = w.input(wave, slots[i].wave+1, reboots)
		in.Wave.NoRollback = staying(wave, func(x *plan.Change) bool {
			c := dr.change(d, x.Host, x.Patch)
			return !d.goingBack(dr.patches[c.patch], c.from, &d.hosts[c.host]).Possible()
		})
		in.Wave.Earlier = d.plannedEnds(dr.rings[:slots[i].ring], ends, in.Wave)
	}
}

func (d *decider) settleWave(dr *draft, w *plan.Wave, decisions []plan.Decision) {
	if len(decisions) == 0 {
		return
	}
	if stop := stopper(decisions); stop != nil {
		for i := range w.Changes {
			if c := dr.change(d, w.Changes[i].Host, w.Changes[i].Patch); c != nil && !c.out {
				dr.leave(d, c, stop.Rule+": "+stop.Message, until(stop))
			}
		}
		w.Changes = nil
		return
	}
	dr.asked = append(dr.asked, decisions...)
	joined := map[*plan.Decision][]plan.Decision{} // changes that share an answer go on sharing
	for i := range w.Changes {
		c := &w.Changes[i]
		if len(c.Decisions) == 0 {
			c.Decisions = decisions
			continue
		}
		key := &c.Decisions[0]
		if joined[key] == nil {
			joined[key] = slices.Concat(c.Decisions, decisions)
		}
		c.Decisions = joined[key]
	}
}

func (d *decider) ringNamed(name string) *policy.RingInput {
	for i := range d.est.Rings {
		if d.est.Rings[i].Name == name {
			return ringInput(&d.est.Rings[i])
		}
	}
	return nil
}

// ringEnds says, for each ring of a draft, when each patch's last wave there will
// be over, soak included.
func ringEnds(rings []plan.Ring) []map[plan.PatchID]time.Time {
	list := make([]map[plan.PatchID]time.Time, len(rings))
	for i := range rings {
		list[i] = map[plan.PatchID]time.Time{}
		for n := range rings[i].Waves {
			w := &rings[i].Waves[n]
			soak, _ := hclfile.ParseDuration(w.Soak)
			end := w.End.Add(soak)
			for c := range w.Changes {
				if id := w.Changes[c].Patch; end.After(list[i][id]) {
					list[i][id] = end
				}
			}
		}
	}
	return list
}

// plannedEnds says when each of the lower rings will be over for the patches of
// a wave.
func (d *decider) plannedEnds(lower []plan.Ring, ends []map[plan.PatchID]time.Time, w *policy.WaveInput) []policy.RingProgress {
	list := []policy.RingProgress{}
	for i := range lower {
		allowed := lower[i].MaxFailures
		p := policy.RingProgress{Name: lower[i].Name, MaxFailures: &allowed}
		if in := d.ringNamed(lower[i].Name); in != nil {
			p.Order = in.Order
		}
		for _, id := range w.Patches {
			if end := ends[i][plan.PatchID(id)]; end.After(p.Ends) {
				p.Ends = end
			}
		}
		if p.Over = !p.Ends.After(w.Start); !p.Ends.IsZero() {
			list = append(list, p)
		}
	}
	return list
}

// waveViews are waves as policies see them.
type waveViews struct {
	d     *decider
	down  map[string]int                // service → hosts known to be unwell
	leans map[string][]policy.Dependent // service → those that lean on it, as far as asked for
}

func newWaveViews(d *decider) *waveViews {
	return &waveViews{d: d, down: map[string]int{}, leans: map[string][]policy.Dependent{}}
}

func (v *waveViews) leaning(on string) []policy.Dependent {
	list, ok := v.leans[on]
	if !ok {
		list = v.d.leaning(on)
		v.leans[on] = list
	}
	return list
}

// input is a wave. reboots says of each patch whether it asks for a restart, nil
// where nobody says.
func (v *waveViews) input(w *plan.Wave, number int, reboots map[plan.PatchID]*bool) *policy.WaveInput {
	in := &policy.WaveInput{Number: number, Start: w.Start, End: w.End, Seconds: int64(w.End.Sub(w.Start) / time.Second), FleetHosts: len(v.d.hosts), Patches: []string{}, Services: []policy.WaveService{}, Freezes: []policy.FreezeInput{}, Earlier: []policy.RingProgress{}}
	counts, restart := map[string]int{}, map[string]*restarting{}
	patches := map[plan.PatchID]bool{}
	for i := 0; i < len(w.Changes); {
		host := w.Changes[i].Host
		one := restarting{known: true}
		for ; i < len(w.Changes) && w.Changes[i].Host == host; i++ {
			patches[w.Changes[i].Patch] = true
			one.see(reboots[w.Changes[i].Patch])
		}
		in.Hosts++
		if h := v.d.hostOf(host); h != nil {
			for _, s := range h.Services {
				counts[s]++
				if restart[s] == nil {
					restart[s] = &restarting{known: true}
				}
				restart[s].add(one)
			}
		}
	}
	for id := range patches {
		in.Patches = append(in.Patches, string(id))
	}
	slices.Sort(in.Patches)
	names := sortedKeys(counts)
	for _, name := range names {
		in.Services = append(in.Services, v.service(name, counts, restart[name]))
	}
	v.freezes(in, names)
	return in
}

// restarting counts hosts that will restart; known says whether every patch
// tells.
type restarting struct {
	hosts int
	known bool
}

func (r *restarting) see(reboot *bool) {
	switch {
	case reboot == nil:
		r.known = false
	case *reboot:
		r.hosts = 1
	}
}

func (r *restarting) add(one restarting) {
	r.hosts += one.hosts
	r.known = r.known && one.known
}

func (v *waveViews) service(name string, counts map[string]int, restart *restarting) policy.WaveService {
	s := v.d.services[name]
	out := policy.WaveService{Name: name, Tier: s.Tier, Rank: lastRank, Total: v.d.sizes[name], InWave: counts[name], Down: v.down[name],
		MinAvailable: minAvailable(s.MinAvailable, v.d.sizes[name]), DependsOn: []string{}, Compliance: slices.Concat([]string{}, s.Compliance)}
	if t := v.d.tiers[s.Tier]; t != nil {
		out.Rank, out.CostPerMinute = t.Rank, t.DowntimeCostPerMinute
	}
	out.Dependents = v.leaning(name)
	if restart.known {
		out.Reboots = &restart.hosts
	}
	for _, on := range s.DependsOn {
		if counts[on] > 0 {
			out.DependsOn = append(out.DependsOn, on)
		}
	}
	slices.SortFunc(out.DependsOn, strings.Compare)
	return out
}

func (v *waveViews) freezes(in *policy.WaveInput, services []string) {
	for i := range v.d.freezes {
		f := &v.d.freezes[i]
		if f.From.Before(in.End) && in.Start.Before(f.To) && f.Takes(services) {
			in.Freezes = append(in.Freezes, policy.FreezeInput{Name: f.Name, From: f.From, To: f.To, Reason: f.Reason})
		}
	}
}

// planInput is the draft as a whole.
func (d *decider) planInput(dr *draft) *policy.PlanInput {
	in := &policy.PlanInput{ID: dr.id, Class: string(dr.class), Group: dr.group, Feasible: true, HighestRank: lastRank, Services: []policy.PlanService{}}
	counts := map[string]int{}
	used := map[int32]bool{}
	last := int32(-1)
	for i := range dr.changes {
		c := &dr.changes[i]
		if c.out {
			continue
		}
		used[c.patch] = true
		in.MaxRisk = max(in.MaxRisk, c.risk.High)
		if c.host != last {
			last = c.host
			in.Hosts++
			for _, s := range d.hosts[c.host].Services {
				counts[s]++
			}
		}
	}
	in.Patches = len(used)
	for i, p := range dr.patches {
		if used[int32(i)] {
			in.Feasible = in.Feasible && p.feasible
			if in.Deadline.IsZero() || p.verdict.Deadline.Before(in.Deadline) {
				in.Deadline = p.verdict.Deadline
			}
		}
	}
	in.Start = dr.start()
	for _, name := range sortedKeys(counts) {
		in.Services = append(in.Services, d.planService(name, counts[name]))
		in.HighestRank = min(in.HighestRank, in.Services[len(in.Services)-1].Rank)
	}
	in.SLASeconds = d.promised(in.Class)
	d.bound(in.Services, dr.rings, dr.boundPatch)
	return in
}

// promised is the estate's own SLA for a class, nil where it declares none.
func (d *decider) promised(class string) *int64 {
	span, ok := d.est.Settings.SLA[class]
	if !ok {
		return nil
	}
	seconds := int64(span / time.Second)
	return &seconds
}

func (d *decider) planService(name string, hosts int) policy.PlanService {
	s := d.services[name]
	out := policy.PlanService{Name: name, Owner: s.Owner, Tier: s.Tier, Rank: lastRank, Autonomy: "recommend", Hosts: hosts, Compliance: slices.Concat([]string{}, s.Compliance), Exposure: s.Exposure}
	if t := d.tiers[s.Tier]; t != nil {
		out.Rank, out.Autonomy, out.RiskTolerance = t.Rank, t.Autonomy, &t.RiskTolerance
	}
	return out
}

// start is when the draft's first wave begins, zero when it has none.
func (dr *draft) start() time.Time {
	var first time.Time
	for _, r := range dr.rings {
		for _, w := range r.Waves {
			if first.IsZero() || w.Start.Before(first) {
				first = w.Start
			}
		}
	}
	return first
}
