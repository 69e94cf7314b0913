package engine

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/clock"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
	"github.com/ringmaster-dev/ringmaster/engine/risk/watch"
	"github.com/ringmaster-dev/ringmaster/engine/rollback"
)

// Stale is the age at which a host's facts no longer count as fresh.
const Stale = 7 * 24 * time.Hour

// basis is what a decision is made on besides the estate.
type basis struct {
	commit  repo.Hash
	at      time.Time
	version string
	sets    *policySets     // compiled before, nil: none
	taken   map[string]bool // ids of all plans merged up to commit, those taken back too
}

// policySets keeps the last policies that were compiled: a run decides many
// times on the same ones.
type policySets struct {
	digest string
	set    *policy.Set
}

// compile returns an estate's policies, compiled. A nil receiver keeps nothing.
func (c *policySets) compile(est *estate.Estate) (*policy.Set, error) {
	if c != nil && c.set != nil && c.digest == est.Digests.Policies {
		return c.set, nil
	}
	set, faults := policy.Compile(est.Policies)
	if len(faults) > 0 {
		return nil, policyFaults(faults)
	}
	if c != nil {
		c.digest, c.set = est.Digests.Policies, set
	}
	return set, nil
}

// decide makes the plans of an estate: one for each class of each group that
// has a change to make. It is a function of its arguments alone, which is what
// makes every decision in history repeatable; the estate is used up by it. Plans
// are sorted by id, and not sealed yet.
func decide(est *estate.Estate, b basis) ([]*plan.Plan, error) {
	plans, _, err := decideSeeing(est, b)
	return plans, err
}

// decideSeeing is decide that also says which hosts it could find nothing for.
func decideSeeing(est *estate.Estate, b basis) ([]*plan.Plan, Blind, error) {
	d, err := newDecider(est, b)
	if err != nil {
		return nil, Blind{}, err
	}
	found := match.Changes(d.hosts, est.Advisories)
	d.uncovered = len(found.Uncovered)
	blind := d.blind(found)
	d.forgetPackages()
	drafts, seen := d.drafts(found), d.population()
	var plans []*plan.Plan
	for i, dr := range drafts {
		drafts[i] = nil // a draft of a large fleet is large: one at a time
		dr.fill()
		d.score(dr)
		d.admit(dr)
		d.place(dr)
		d.judgeWaves(dr)
		plans = append(plans, d.compose(dr, seen))
	}
	d.leftovers(plans, found)
	slices.SortFunc(plans, byID)
	return plans, blind, nil
}

// forgetPackages lets go of package lists when they are matched: on a large
// fleet they are most of what is in memory, and nothing later reads them.
func (d *decider) forgetPackages() {
	d.kinds()
	for i := range d.hosts {
		d.hosts[i].Packages, d.est.Hosts[i].Packages = nil, nil
	}
}

func byID(a, b *plan.Plan) int {
	if a.ID < b.ID {
		return -1
	}
	return 1
}

// decider is an estate made ready for decisions: what every plan shares.
type decider struct {
	basis
	est      *estate.Estate
	hosts    []inventory.Host // with what ledgers know overlaid on facts
	services map[string]*inventory.Service
	tiers    map[string]*inventory.Tier
	freezes  []ring.Freeze                   // each time of those that come again
	sizes    map[string]int                  // service → hosts it has
	needed   map[string][]*inventory.Service // service → services that depend on it, sorted by name
	deeds    []deed
	running  map[work]string // (host, patch) → the merged plan that has it in hand
	walls    []policy.Quarantine
	policies *policy.Set
	record   *risk.TrackRecord
	model    *risk.Deployment        // nil: none was learnt
	peers    map[string][]risk.Trial // patch → what became of it so far
	places   *risk.Places
	starts   map[string]time.Time // window → when it opens next; made when first asked for
	costs    map[string]risk.Cost // service → what a minute's downtime costs; made when first asked for
	economy  risk.Economy
	exploits *risk.Exploits
	history  risk.History
	alarms   []watch.Alarm
	kinds    func() *ring.Kinds // of hosts, made when first asked for

	uncovered int // hosts that no advisory can speak of
	unnamed   map[match.Built]inventory.Package
}

// work is a patch on a host.
type work struct {
	host  inventory.HostID
	patch plan.PatchID
}

func newDecider(est *estate.Estate, b basis) (*decider, error) {
	done, err := deeds(est)
	if err != nil {
		return nil, err
	}
	d := frame(est, b)
	d.deeds = done
	if err := d.learnt(); err != nil {
		return nil, err
	}
	if err := d.past(); err != nil {
		return nil, err
	}
	d.policies, err = b.sets.compile(est)
	return d, err
}

// foreseen is how far ahead freezes are looked up that come again: no plan reaches
// further.
const foreseen = 3 * 366 * 24 * time.Hour

// frame is a decider of what people declare, without anything that has happened.
func frame(est *estate.Estate, b basis) *decider {
	d := &decider{basis: b, est: est, services: map[string]*inventory.Service{}, tiers: map[string]*inventory.Tier{}, sizes: map[string]int{}, needed: map[string][]*inventory.Service{}}
	d.freezes = ring.Unfold(est.Freezes, b.at, b.at.Add(foreseen))
	for i := range est.Services {
		s := &est.Services[i]
		d.services[s.Name] = s
		for _, on := range s.DependsOn {
			d.needed[on] = append(d.needed[on], s)
		}
	}
	for i := range est.Tiers {
		d.tiers[est.Tiers[i].Name] = &est.Tiers[i]
	}
	for _, h := range est.Hosts {
		for _, s := range h.Services {
			d.sizes[s]++
		}
	}
	d.kinds = sync.OnceValue(d.kindsOf)
	return d
}

// learnt measures the history and reads the model fitted to it.
func (d *decider) learnt() error {
	trials := risk.Trials(linesByPlan(d.deeds), d.est.Imported, d.est.Settings.Clock == "given")
	d.history = risk.Measure(trials, d.at)
	d.alarms = watch.Alarms(trials, d.at)
	d.peers = map[string][]risk.Trial{}
	for _, t := range trials {
		d.peers[t.Patch] = append(d.peers[t.Patch], t)
	}
	d.places = risk.NewPlaces()
	var err error
	if d.model, err = deploymentOf(d.est); err != nil {
		return err
	}
	if data, ok := d.est.Models[trackRecord]; ok {
		m, err := risk.ParseTrackRecord(data)
		if err != nil {
			return fmt.Errorf("%s: %w", trackRecord, err)
		}
		d.record = m
	}
	return nil
}

// alarmsOn are the alarms that a patch is met with.
func (d *decider) alarmsOn(vendor, pkg string) []policy.Alarm {
	list := []policy.Alarm{}
	for _, a := range d.alarms {
		if a.Kind == "all" || a.Kind == "vendor" && a.Name == vendor || a.Kind == "package" && a.Name == pkg {
			list = append(list, policy.Alarm{Kind: a.Kind, Name: a.Name, N: a.N, Bad: a.Bad, Since: a.Since, Until: a.Until, Says: a.Says()})
		}
	}
	return list
}

// modelAge is how many whole days ago the newest outcome was that the models
// have learnt from, nil where there are none.
func (d *decider) modelAge() *int64 {
	if d.record == nil {
		return nil
	}
	days := int64(d.at.Sub(d.record.At) / (24 * time.Hour))
	return &days
}

const trackRecord = "models/track-record.json"

func policyFaults(faults []policy.Fault) error {
	e := &FaultsError{}
	for _, f := range faults {
		e.Faults = append(e.Faults, estate.Fault(f))
	}
	return e
}

// draft is a plan in the making: one class of one group.
type draft struct {
	id      string
	class   plan.Class
	group   string
	patches []*patchDraft // sorted by id
	changes []change      // sorted by host, then patch
	rings   []plan.Ring
	frozen  map[string][]int // services → the freezes that bind their hosts; made when first asked for
	skipped []plan.Skipped
	asked   []plan.Decision // of waves that stay: what they require, the plan requires
	ringOf  map[int32]int   // host → index into est.Rings, -1 none
	stands  []float64       // by ring of the estate: see ring.Assigned
}

// patchDraft is a patch of one draft.
type patchDraft struct {
	id          plan.PatchID
	found       []*match.Patch // one a platform
	advisories  []*advisory.Advisory
	from        []from // sorted by host
	verdict     clock.Verdict
	deploy      plan.Risk
	exploit     plan.Risk
	reasons     []plan.Reason
	test        string
	feasible    bool
	conflict    []plan.Constraint
	waysOut     []plan.WayOut
	reboot      *bool
	knownIssues int
	back        map[string]rollback.Verdict // by the version before: whether it can be rolled back, as far as is known in general
}

// from is a host that needs a patch, and its version now.
type from struct {
	host int32
	from string
}

// change is a patch on a host inside a draft.
type change struct {
	host      int32
	patch     int32 // index into draft.patches
	from      string
	risk      plan.Risk
	decisions []plan.Decision
	notBefore time.Time
	out       bool // not planned after all
}

// leave takes a change out of the draft, with the reason.
func (dr *draft) leave(d *decider, c *change, why string, until time.Time) {
	c.out = true
	p := dr.patches[c.patch]
	dr.skipped = append(dr.skipped, plan.Skipped{Patch: p.id, Host: d.hosts[c.host].ID, Why: why, Until: until,
		Deadline: p.verdict.Deadline, Overdue: d.at.After(p.verdict.Deadline)})
}

// change finds a change among the draft's, which are sorted by host and patch;
// nil where there is none.
func (dr *draft) change(d *decider, host inventory.HostID, patch plan.PatchID) *change {
	i, ok := slices.BinarySearchFunc(dr.changes, work{host, patch}, func(c change, w work) int {
		return cmp.Or(cmp.Compare(d.hosts[c.host].ID, w.host), cmp.Compare(dr.patches[c.patch].id, w.patch))
	})
	if !ok {
		return nil
	}
	return &dr.changes[i]
}

// staying returns the changes that are still in the draft, with their places.
func (dr *draft) staying() []int {
	var list []int
	for i := range dr.changes {
		if !dr.changes[i].out {
			list = append(list, i)
		}
	}
	return list
}
