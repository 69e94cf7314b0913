package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Result is what became of one committed intent, or of one change that was
// measured: what the apply phase hands to the record phase.
type Result struct {
	Key      string            `json:"key"`
	Plan     string            `json:"plan"`
	Host     inventory.HostID  `json:"host"`
	Patch    plan.PatchID      `json:"patch"`
	Event    outcome.Event     `json:"event"`
	At       time.Time         `json:"at"`
	Seconds  float64           `json:"seconds"`
	Detail   string            `json:"detail"`
	Fleet    string            `json:"fleet"`
	Measured *outcome.Measured `json:"measured,omitempty"`
	Began    time.Time         `json:"began,omitzero"` // as in the ledger's line
	Ended    time.Time         `json:"ended,omitzero"` // likewise
}

// lease is how long another run's intents are left to it, where several clones
// may run at once and a step that is asked for twice at once might be done twice.
const lease = longest

// Apply carries out a shard's share of the committed intents and measures what
// has been applied. It writes nothing to Git. Shard counts from 0; a host is in
// one shard. With an error come the results of what it is not about.
func (x *Executor) Apply(ctx context.Context, shard, of int) ([]Result, error) {
	t, err := x.look(ctx)
	if err != nil {
		return nil, err
	}
	jobs := x.jobs(t, shard, of)
	b := x.braked(t)
	var results []Result
	var broken []error
	for _, n := range sortedFleets(jobs) {
		got, err := x.onFleet(ctx, t, b, n, jobs[n])
		results, broken = append(results, got...), append(broken, err)
	}
	return results, errors.Join(broken...)
}

// job is a change with something to do or to measure.
type job struct {
	live    *live
	change  *rollout.Change
	undo    bool
	measure bool
	key     string
	from    string // the version before
	to      string // the version after

	baseline *baseline // shared by the jobs of a host
}

// jobs are the open intents and the changes to measure, by fleet block.
func (x *Executor) jobs(t *tip, shard, of int) map[int][]*job {
	jobs := map[int][]*job{}
	add := func(j *job) {
		if shardOf(j.change.Host, of) != shard {
			return
		}
		n := -1
		if h := t.decider.hostOf(j.change.Host); h != nil {
			_, n = t.decider.fleetOf(h)
		}
		jobs[n] = append(jobs[n], j)
	}
	for _, l := range t.live {
		step := rollout.Next(l.progress, x.At)
		for _, c := range step.Open {
			if _, theirs := x.theirs(t, l, c); theirs {
				continue
			}
			_, _, to, _ := c.Patch.Parts()
			j := &job{live: l, change: c, key: c.Key(l.plan.ID), from: c.From, to: to}
			if c.State == rollout.Undo {
				j.undo, j.key, j.from, j.to = true, c.UndoKey(l.plan.ID), to, c.From
			}
			add(j)
		}
		for _, c := range step.Judge {
			j := &job{live: l, change: c, measure: true, key: c.Key(l.plan.ID)}
			if c.State == rollout.Back {
				j.key = c.UndoKey(l.plan.ID)
			}
			add(j)
		}
	}
	return jobs
}

// theirs says whether another run, perhaps in another clone, has just intended
// the change and is still at it, and until when it is left to it.
func (x *Executor) theirs(t *tip, l *live, c *rollout.Change) (until time.Time, theirs bool) {
	if x.Remote == nil {
		return until, false
	}
	if h := t.decider.hostOf(c.Host); h != nil {
		if f, _ := t.decider.fleetOf(h); f.Keeps() {
			return until, false // asked twice, a host answers twice, and does it once
		}
	}
	at, inherited := x.inherited(l, c)
	until = at.Add(lease)
	return until, inherited && x.At.Before(until)
}

// inherited says whether another run intended the change, and when: that run may
// have begun it.
func (x *Executor) inherited(l *live, c *rollout.Change) (time.Time, bool) {
	for _, line := range slices.Backward(l.lines) {
		if line.Event == outcome.Intended && line.Host == c.Host && line.Patch == c.Patch {
			return line.At, line.Run != x.Run
		}
	}
	return time.Time{}, false
}

func shardOf(host inventory.HostID, of int) int {
	h := fnv.New32a()
	h.Write([]byte(host))
	return int(h.Sum32() % uint32(max(1, of)))
}

func sortedFleets(jobs map[int][]*job) []int {
	var list []int
	for n := range jobs {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// onFleet does the jobs of one fleet block's hosts.
func (x *Executor) onFleet(ctx context.Context, t *tip, b *brake, n int, jobs []*job) ([]Result, error) {
	if n < 0 {
		x.Log.Warnf("%d changes are on hosts that no fleet block takes; declare one in rings/", len(jobs))
		return nil, nil
	}
	block := t.est.Fleets[n]
	if err := x.unaltered(t, commandOf(block)); err != nil {
		return nil, fmt.Errorf("opening fleet %q: %w", block.Kind, err)
	}
	if err := x.unalteredLoad(t, jobs); err != nil {
		return nil, err
	}
	w, err := x.world(t)
	if err != nil {
		return nil, err
	}
	f, err := x.OpenFleet(ctx, block, w)
	if err != nil {
		return nil, fmt.Errorf("opening fleet %q: %w", block.Kind, err)
	}
	defer f.Close()
	caps, err := f.Hello(ctx, x.At)
	if err != nil {
		return nil, fmt.Errorf("greeting fleet %q: %w", block.Kind, err)
	}
	h := &hand{Executor: x, t: t, world: w, fleet: f, block: block, caps: caps, bars: b.bars}
	results := h.carry(ctx, pick(jobs, false))
	measured, err := h.measure(ctx, pick(jobs, true))
	return append(results, measured...), err
}

func pick(jobs []*job, measure bool) []*job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.measure != measure })
}

// world is what a fleet may know.
func (x *Executor) world(t *tip) (World, error) {
	files, err := x.Repo.At(t.commit)
	if err != nil {
		return World{}, err
	}
	w := World{Files: files, Dir: x.Repo.Dir(), Hosts: t.est.Hosts, Now: x.At}
	for _, d := range t.decider.deeds {
		made := map[string]bool{} // rollbacks: a later line of the same says how the host is
		for _, l := range d.lines {
			if made[l.Key] && l.Event == outcome.RolledBack {
				continue
			}
			made[l.Key] = l.Event == outcome.RolledBack
			if l.Host == "" || l.Event != outcome.Applied && l.Event != outcome.RolledBack && l.Event != outcome.Failed {
				continue
			}
			from, to := l.From, l.To
			w.Past = append(w.Past, Done{Key: l.Key, Host: l.Host, Patch: l.Patch, At: l.At, Rollback: l.Event == outcome.RolledBack, Failed: l.Event == outcome.Failed,
				Packages: t.packages(l.Host, l.Patch, from, to)})
		}
	}
	slices.SortStableFunc(w.Past, func(a, b Done) int { return a.At.Compare(b.At) })
	return w, nil
}

// packages are what moves on a host with a patch: the package itself, or every
// binary that the host has of a source package.
func (t *tip) packages(host inventory.HostID, id plan.PatchID, from, to string) []fleet.Package {
	typ, name, _, _ := id.Parts()
	one := fleet.Package{Type: version.Type(typ), Name: name, From: from, To: to, Patch: t.label(id)}
	i, ok := slices.BinarySearchFunc(t.est.Hosts, host, func(h inventory.Host, id inventory.HostID) int { return cmp.Compare(h.ID, id) })
	if !ok || t.est.Hosts[i].Facts == nil {
		return []fleet.Package{one}
	}
	m := match.Patch{ID: id, Type: version.Type(typ), Package: name, Source: t.bySource(id), Module: t.module(id)}
	var list []fleet.Package
	for _, p := range match.Binaries(t.est.Hosts[i].Packages, m) {
		next := one
		next.Name = p.Name
		if m.Source {
			next.From, next.To = built(&p, from), built(&p, to)
		}
		if !slices.Contains(list, next) {
			list = append(list, next)
		}
	}
	if len(list) == 0 {
		return []fleet.Package{one}
	}
	return list
}

// built is a binary's version where its source has one; the source's where
// nobody can say, which is planned for no host.
func built(b *inventory.Package, source string) string {
	if v, ok := match.Target(b, source); ok {
		return v
	}
	return source
}

// fixOf is an advisory's fix that a patch is.
type fixOf struct {
	advisory *advisory.Advisory
	*advisory.Fix
}

// fixes are the fixes of an estate's advisories by the patch that each is; the
// first advisory by id counts.
func fixes(list []advisory.Advisory) map[plan.PatchID]fixOf {
	byID := map[plan.PatchID]fixOf{}
	for i := range list {
		a := &list[i]
		for n := range a.Fixes {
			f := &a.Fixes[n]
			id := plan.PatchOf(string(f.Type), f.Package, f.Fixed)
			if _, ok := byID[id]; !ok && f.Fixed != "" {
				byID[id] = fixOf{a, f}
			}
		}
	}
	return byID
}

// bySource says whether a patch's package is a source package.
func (t *tip) bySource(id plan.PatchID) bool {
	f, ok := t.fixes[id]
	return ok && f.Source
}

// module is the module stream that a patch belongs to, "" none.
func (t *tip) module(id plan.PatchID) string {
	if f, ok := t.fixes[id]; ok {
		return f.Module
	}
	return ""
}

// label is the patch's name in requests to fleets: the advisory that describes
// it where it is a generic update, else its id.
func (t *tip) label(id plan.PatchID) plan.PatchID {
	if f, ok := t.fixes[id]; ok && f.Type == version.Generic {
		return plan.PatchID(f.advisory.ID)
	}
	return id
}

// hand is one fleet at work.
type hand struct {
	*Executor
	t      *tip
	world  World
	fleet  fleet.Fleet
	block  ring.Fleet
	caps   fleet.Caps
	bars   func(context.Context, *job) string // why a job may not begin now, "" where it may
	loaded map[*job]health.Verdict            // under load, of changes in a sandbox that have soaked
	unfit  map[inventory.HostID]string        // why nothing could be told from a change afterwards
}

// carry does jobs host by host: a host's jobs one after another, as many hosts
// at a time as the fleet's block allows.
func (h *hand) carry(ctx context.Context, jobs []*job) []Result {
	var found map[inventory.HostID]map[string]string
	if !h.block.Keeps() {
		var ok bool
		if found, ok = h.installed(ctx, jobs); !ok {
			return nil // such a fleet need not know keys: nothing is asked of it blindly
		}
	}
	h.unfit = h.baselines(ctx, jobs)
	hosts := byHost(jobs)
	out := make([][]Result, len(hosts))
	h.abreast(hosts, func(i int) {
		shared := &baseline{}
		for _, j := range hosts[i] {
			j.baseline = shared
			if r, ok := h.do(ctx, j, found[j.change.Host]); ok {
				out[i] = append(out[i], r)
			}
		}
	})
	return slices.Concat(out...)
}

// byHost puts the jobs of each host together.
func byHost(jobs []*job) [][]*job {
	var hosts [][]*job
	for _, j := range jobs {
		i := slices.IndexFunc(hosts, func(list []*job) bool { return list[0].change.Host == j.change.Host })
		if i < 0 {
			hosts = append(hosts, nil)
			i = len(hosts) - 1
		}
		hosts[i] = append(hosts[i], j)
	}
	return hosts
}

// abreast does each of hosts, as many at a time as the fleet's block allows.
func (h *hand) abreast(hosts [][]*job, do func(i int)) {
	lanes := make(chan struct{}, max(1, h.block.Parallel))
	var wg sync.WaitGroup
	for i := range hosts {
		lanes <- struct{}{}
		wg.Go(func() {
			defer func() { <-lanes }()
			do(i)
		})
	}
	wg.Wait()
}

// installed asks what the hosts of jobs have now; nil where the fleet does not
// offer to say. ok is false where it does and could not be asked: every job is
// then still open.
func (h *hand) installed(ctx context.Context, jobs []*job) (found map[inventory.HostID]map[string]string, ok bool) {
	if len(jobs) == 0 || !slices.Contains(h.caps.Ops, "installed") {
		return nil, true
	}
	var hosts []inventory.HostID
	var names []string
	for _, j := range jobs {
		if !slices.Contains(hosts, j.change.Host) {
			hosts = append(hosts, j.change.Host)
		}
		for _, p := range h.packages(j) {
			if !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	found, err := h.fleet.Installed(ctx, h.now(), hosts, names)
	if err != nil {
		h.Log.WithError(err).Warnf("asking the fleet what is installed; %d steps are still open", len(jobs))
		return nil, false
	}
	return found, true
}

func (h *hand) packages(j *job) []fleet.Package {
	return h.t.packages(j.change.Host, j.change.Patch, j.from, j.to)
}
