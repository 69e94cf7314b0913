package engine

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// presenter brings moments of the past before the builder, the oldest first. What
// many commits share is read once: ledgers as they grow, and folders as long as
// they are the same.
type presenter struct {
	*Env
	timeline *timeline
	moments  []pastMoment
	laws     *laws
	imported int

	places     part[*estate.Estate]
	advisories part[*estate.Estate]

	mu      sync.Mutex
	builder *replay.Builder
}

func (e *Env) presenter(head repo.Hash, b *replay.Builder, l *laws) (*presenter, error) {
	p := &presenter{Env: e, laws: l, builder: b}
	var err error
	if p.timeline, err = e.timeline(head, b.Happened); err != nil {
		return nil, fmt.Errorf("reading the history of plans and outcomes: %w", err)
	}
	if p.moments, err = p.timeline.moments(b.Skip); err != nil {
		return nil, err
	}
	fsys, err := e.Repo.At(head)
	if err != nil {
		return nil, err
	}
	est, err := p.placesAt(fsys)
	if err != nil {
		return nil, err
	}
	p.imported, p.timeline.sim = len(est.Imported), est.Settings.Clock == "given"
	b.Troubled(est.Incidents)
	_, err = e.taken(head) // older commits lie on the same line
	return p, err
}

// all presents every moment: in their order up to where each is ready to be
// decided, and side by side from there.
func (p *presenter) all(ctx context.Context) error {
	ready := make(chan func())
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for do := range ready {
				do()
			}
		})
	}
	gates := p.gates()
	for _, m := range p.moments {
		if ctx.Err() != nil {
			break
		}
		for gates.upTo(m.place - 1) {
			gates.present(ready)
		}
		r, err := p.reopen(m)
		ready <- func() { p.present(m, r, err) }
	}
	for ctx.Err() == nil && gates.upTo(len(p.timeline.steps)-1) {
		gates.present(ready)
	}
	close(ready)
	workers.Wait()
	p.timeline.goTo(len(p.timeline.steps) - 1)
	for _, id := range sortedKeys(p.timeline.broken) {
		p.builder.Unread(id, p.timeline.broken[id].Error())
	}
	return ctx.Err()
}

// present decides the plans of a moment and hands each to the builder, or the
// reason why it cannot be decided.
func (p *presenter) present(m pastMoment, r *reopened, err error) {
	if err == nil {
		err = r.open()
	}
	for _, id := range m.plans {
		made, why := replay.Plan{}, ""
		if err != nil {
			why = fmt.Sprintf("at commit %.10s: %v", m.commit, err)
		} else if data, err := p.planAt(id); err != nil {
			why = err.Error()
		} else {
			made, why = r.replay(id, data)
		}
		p.mu.Lock()
		if why != "" {
			p.builder.Skip(id, why)
		} else {
			p.builder.Add(made)
		}
		p.mu.Unlock()
	}
}

// planAt is a plan's document as it lies at the line's end.
func (p *presenter) planAt(id string) ([]byte, error) {
	path := plan.Path(id)
	return p.Repo.ReadFile(p.timeline.steps[p.timeline.last[path]].commit, path)
}

// reopen makes an estate ready to be decided as it was at a moment.
func (p *presenter) reopen(m pastMoment) (*reopened, error) {
	taken, err := p.taken(m.commit)
	if err != nil {
		return nil, err
	}
	b := basis{commit: m.commit, at: m.at, version: m.version, taken: taken}
	r := &reopened{env: p.Env, laws: p.laws}
	if m.place >= 0 {
		p.timeline.goTo(m.place)
		est, err := p.estateAt(m.commit)
		if err != nil {
			return nil, err
		}
		if (est.Settings.Clock == "given") == p.timeline.sim {
			if r.decider, r.meant, err = p.timeline.decider(est, b); err == nil {
				r.policies, err = p.laws.compiled(est)
			}
			return r, err
		}
	}
	// A commit beside the line, or one whose clock was another: it is read by itself.
	est, err := p.read(m.commit)
	if err != nil {
		return nil, err
	}
	set, err := p.laws.compiled(est)
	if err != nil {
		return nil, err
	}
	b.sets = &policySets{digest: est.Digests.Policies, set: set}
	r.decider, err = newDecider(est, b)
	return r, err
}

// Folders that are read apart from the rest of an estate, and those that the
// timeline knows.
var (
	advisoryParts = []string{"inventory/advisories", "inventory/patches"}
	ledgerParts   = []string{"plans", "outcomes", "approvals"}
	placeParts    = []string{"rings", "policies", "models", "overrides"}
)

// estateAt is a commit's estate without plans and ledgers. What it holds is
// shared with other commits, and nobody changes it.
func (p *presenter) estateAt(commit repo.Hash) (*estate.Estate, error) {
	fsys, err := p.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	places, err := p.placesAt(fsys)
	if err != nil {
		return nil, err
	}
	est := *places
	key, err := hashes(fsys, advisoryParts, false)
	if err != nil {
		return nil, err
	}
	if key != p.advisories.key {
		read, faults := estate.Read(partly{fsys, advisoryParts})
		faults = slices.DeleteFunc(faults, func(f estate.Fault) bool {
			return !slices.ContainsFunc(advisoryParts, func(folder string) bool { return below(f.File, folder) })
		})
		if len(faults) > 0 {
			return nil, &FaultsError{faults}
		}
		p.advisories = part[*estate.Estate]{key, read}
	}
	a := p.advisories.value
	est.Advisories, est.Knowledge, est.Notices, est.Digests.Advisories = a.Advisories, a.Knowledge, a.Notices, a.Digests.Advisories
	return &est, nil
}

// placesAt is what an estate declares, apart from advisories, plans and ledgers.
func (p *presenter) placesAt(fsys repo.FS) (*estate.Estate, error) {
	key, err := placesKey(fsys)
	if err != nil || key == p.places.key {
		return p.places.value, err
	}
	est, faults := estate.Read(without{fsys, slices.Concat(advisoryParts, ledgerParts)})
	if len(faults) > 0 {
		return nil, &FaultsError{faults}
	}
	p.places = part[*estate.Estate]{key, est}
	return est, nil
}

// placesKey names what placesAt reads.
func placesKey(fsys repo.FS) (string, error) {
	folders := slices.Clone(placeParts)
	entries, err := fsys.ReadDir("inventory")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if path := "inventory/" + e.Name(); e.IsDir() && !slices.Contains(advisoryParts, path) {
			folders = append(folders, path)
		}
	}
	return hashes(fsys, folders, true)
}

// without is a tree in which some folders have nothing in them.
type without struct {
	fs.FS
	folders []string
}

func (v without) ReadDir(path string) ([]fs.DirEntry, error) {
	if slices.ContainsFunc(v.folders, func(folder string) bool { return below(path, folder) }) {
		return nil, nil
	}
	return fs.ReadDir(v.FS, path)
}

func (v without) ReadFile(path string) ([]byte, error) { return fs.ReadFile(v.FS, path) }

// rulesAndModels reads of a tree what plans are judged by.
func rulesAndModels(fsys fs.FS) *estate.Estate {
	est, _ := estate.Read(without{fsys, slices.Concat([]string{"inventory", "rings", "overrides"}, ledgerParts)})
	return est
}
