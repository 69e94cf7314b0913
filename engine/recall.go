package engine

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

// recalled works out anew what was known of each change when its plan was made,
// in place of what ledgers say, and returns what people said of scores, with what
// was known then. Of a plan that was taken back only its ledger tells.
func (e *Env) recalled(est *estate.Estate, list []deed) ([]risk.Said, error) {
	var worth []*deed
	for i := range list {
		if !list[i].gone && worthRecalling(&list[i], est.Overrides) {
			worth = append(worth, &list[i])
		}
	}
	// In the order in which they were made, so that what plans share is near.
	slices.SortStableFunc(worth, func(a, b *deed) int { return a.plan.At.Compare(b.plan.At) })
	pseudo := map[string][]outcome.Line{}
	high := map[string]bool{}
	then := recollection{Env: e}
	for _, done := range worth {
		d, err := then.deciderOf(done)
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", done.plan.ID, err)
		}
		done.lines = slices.Clone(done.lines)
		for n := range done.lines {
			if l := &done.lines[n]; l.Patch != "" && l.Host != "" {
				l.Features = d.features(l)
			}
		}
		for n, o := range est.Overrides {
			if l, ok := d.saidOf(done.plan, o); ok {
				key := fmt.Sprint(n, " ", done.plan.ID)
				pseudo[key], high[key] = []outcome.Line{l}, o.Value == "high"
			}
		}
	}
	var said []risk.Said
	for _, key := range sortedKeys(pseudo) {
		for _, t := range risk.Trials(map[string][]outcome.Line{key: pseudo[key]}, nil, true) {
			said = append(said, risk.Said{Trial: t, High: high[key]})
		}
	}
	return said, nil
}

// worthRecalling says whether a plan has something to learn from.
func worthRecalling(d *deed, overrides []outcome.Override) bool {
	return len(d.lines) > 0 || slices.ContainsFunc(overrides, func(o outcome.Override) bool { return o.Kind == "risk" })
}

// recollection reads of earlier commits what features are made of, and keeps it
// for the next plan: most commits change ledgers alone, and most that bring new
// facts bring no new advisories.
type recollection struct {
	*Env
	places     part[*estate.Estate]
	advisories part[[]advisory.Advisory]
}

// part is what was read last, by the hashes of the folders it was read from.
type part[T any] struct {
	key   string
	value T
}

// deciderOf is the estate as it was when a plan was made, with the plan itself, as
// far as features need it: hosts, services and windows, and the advisories.
func (r *recollection) deciderOf(done *deed) (*decider, error) {
	commit := repo.Hash(done.plan.Inputs.Commit)
	fsys, err := r.Repo.At(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit, err)
	}
	places, err := r.readPlaces(fsys)
	if err != nil {
		return nil, err
	}
	est := *places
	if est.Advisories, err = r.readAdvisories(fsys); err != nil {
		return nil, err
	}
	d := frame(&est, r.basis(commit, done.plan.At))
	d.hosts, d.deeds = est.Hosts, []deed{*done}
	return d, nil
}

// The folders that the two parts are read from. Blocks in HCL stand in inventory
// itself.
var (
	placeFolders    = []string{"inventory/facts", "rings"}
	advisoryFolders = []string{"inventory/advisories", "inventory/patches"}
)

func (r *recollection) readPlaces(fsys repo.FS) (*estate.Estate, error) {
	key, err := hashes(fsys, placeFolders, true)
	if err != nil || key == r.places.key {
		return r.places.value, err
	}
	est, faults := estate.Read(partly{fsys, placeFolders})
	if len(faults) > 0 {
		return nil, &FaultsError{faults}
	}
	for i := range est.Hosts {
		est.Hosts[i].Packages = nil // the most of what is in memory, and no feature
	}
	r.places = part[*estate.Estate]{key, est}
	return est, nil
}

// readAdvisories does not ask whether the rest of the estate is in order, of which
// it sees only a part.
func (r *recollection) readAdvisories(fsys repo.FS) ([]advisory.Advisory, error) {
	key, err := hashes(fsys, advisoryFolders, false)
	if err != nil || key == r.advisories.key {
		return r.advisories.value, err
	}
	est, faults := estate.Read(partly{fsys, advisoryFolders})
	faults = slices.DeleteFunc(faults, func(f estate.Fault) bool {
		return !slices.ContainsFunc(advisoryFolders, func(folder string) bool { return below(f.File, folder) })
	})
	if len(faults) > 0 {
		return nil, &FaultsError{faults}
	}
	r.advisories = part[[]advisory.Advisory]{key, est.Advisories}
	return est.Advisories, nil
}

// hashes names what stands in folders and, where it is asked for, the files of
// inventory itself.
func hashes(fsys repo.FS, folders []string, blocks bool) (string, error) {
	var key strings.Builder
	key.WriteString("of")
	entries, err := fs.ReadDir(fsys, "inventory")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !blocks || e.IsDir() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&key, "\x00%s %v", e.Name(), info.Sys())
	}
	for _, folder := range folders {
		if info, err := fs.Stat(fsys, folder); err == nil {
			fmt.Fprintf(&key, "\x00%s %v", folder, info.Sys())
		}
	}
	return key.String(), nil
}

// partly is a commit in which only inventory itself and some folders have anything
// in them.
type partly struct {
	repo.FS
	folders []string
}

func (v partly) ReadDir(path string) ([]fs.DirEntry, error) {
	if path == "inventory" || slices.ContainsFunc(v.folders, func(folder string) bool { return below(path, folder) }) {
		return v.FS.ReadDir(path)
	}
	return nil, nil
}

func below(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// saidOf is a person's disagreement with a score as a line to learn from: of the
// first change of the plan that it was about, while the plan stood. However many
// hosts an override covers, it is one opinion.
func (d *decider) saidOf(p *plan.Plan, o outcome.Override) (outcome.Line, bool) {
	if o.Kind != "risk" || !o.Teaches() || o.At.Before(p.At) || !o.At.Before(p.Expires) || o.Plan != "" && o.Plan != p.ID {
		return outcome.Line{}, false
	}
	for _, r := range p.Rings {
		for _, w := range r.Waves {
			for _, c := range w.Changes {
				h := d.hostOf(c.Host)
				if h == nil || o.Patch != "" && !c.Patch.Matches(o.Patch) || o.Host != "" && o.Host != c.Host || o.Service != "" && !slices.Contains(h.Services, o.Service) {
					continue
				}
				_, _, to, _ := c.Patch.Parts()
				l := outcome.Line{At: o.At, Plan: p.ID, Host: c.Host, Patch: c.Patch, From: c.From, To: to, Event: outcome.Healthy}
				l.Features = d.features(&l)
				return l, true
			}
		}
	}
	return outcome.Line{}, false
}
