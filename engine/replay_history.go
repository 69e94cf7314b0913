package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
	"github.com/ringmaster-dev/ringmaster/engine/risk/watch"
)

// timeline is what happened to plans and ledgers along a line of commits, so that
// each of them is read once however many commits are looked at.
type timeline struct {
	*Env
	place map[repo.Hash]int // commit → how many come before it
	steps []step            // by place
	last  map[string]int    // path → place of its last change

	at      int // steps gone through
	plans   map[string]fileAt
	ledgers map[string]fileAt
	dirty   map[string]bool // ids whose plan or ledger was changed and not read
	said    func(id string, fates []replay.Fate)

	known  map[string]*chapter
	broken map[string]error // ids whose plan or ledger cannot be read
	order  []string         // ids of known, sorted
	heads  map[string]string
	sim    bool
	brief  outcome.Briefly
	risk.Chronicle
	watch.Memory
}

// step is a commit with the files of plans/ and outcomes/ that it changed.
type step struct {
	commit  repo.Hash
	changes []repo.Change
}

// fileAt is a file as it is in a commit.
type fileAt struct {
	commit repo.Hash
	blob   repo.Hash
}

// chapter is a deed without its lines.
type chapter struct {
	deed
	*meaning
}

func (e *Env) timeline(head repo.Hash, said func(string, []replay.Fate)) (*timeline, error) {
	t := &timeline{Env: e, place: map[repo.Hash]int{}, last: map[string]int{}, plans: map[string]fileAt{}, ledgers: map[string]fileAt{},
		dirty: map[string]bool{}, known: map[string]*chapter{}, broken: map[string]error{}, heads: map[string]string{}, said: said}
	for _, folder := range []string{"plans", "outcomes"} {
		n := 0
		for s, err := range e.Repo.Under(head, folder) {
			if err != nil {
				return nil, err
			}
			if folder == "plans" {
				t.steps = append(t.steps, step{s.Commit.Hash, s.Changes})
			} else {
				t.steps[n].changes = append(t.steps[n].changes, s.Changes...)
			}
			n++
		}
	}
	slices.Reverse(t.steps)
	for i, s := range t.steps {
		t.place[s.commit] = i
		for _, c := range s.changes {
			t.last[c.Path] = i
		}
	}
	return t, nil
}

// goTo goes on to a place of the line: what stands there then is known, and what
// of it cannot be read.
func (t *timeline) goTo(place int) {
	for ; t.at <= place; t.at++ {
		s := t.steps[t.at]
		for _, c := range s.changes {
			if id, ok := planAt(c.Path); ok {
				set(t.plans, id, fileAt{s.commit, c.After})
				t.dirty[id] = true
			} else if id, ok := ledgerAt(c.Path); ok {
				set(t.ledgers, id, fileAt{s.commit, c.After})
				t.dirty[id] = true
			}
		}
	}
	for _, id := range sortedKeys(t.dirty) {
		delete(t.broken, id)
		if err := t.read(id); err != nil {
			t.broken[id] = err
		}
	}
	clear(t.dirty)
}

func set(files map[string]fileAt, id string, v fileAt) {
	if v.blob == "" {
		delete(files, id)
		return
	}
	files[id] = v
}

// ledgerAt is the id of the plan whose ledger lies at a path.
func ledgerAt(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "outcomes/")
	if !ok || strings.Contains(rest, "/") {
		return "", false
	}
	return strings.CutSuffix(rest, ".jsonl")
}

// read reads a plan and its ledger as they stand now.
func (t *timeline) read(id string) error {
	d, head, err := t.deedOf(id)
	if err != nil {
		return err
	}
	if head == "" {
		delete(t.heads, id)
	} else {
		t.heads[id] = head
	}
	i, there := slices.BinarySearch(t.order, id)
	if d.plan == nil {
		if there {
			t.order = slices.Delete(t.order, i, i+1)
		}
		delete(t.known, id)
		t.Put(id, nil)
		return nil
	}
	m, err := t.meaning(d)
	if err != nil {
		return err
	}
	t.Put(id, risk.Settled(id, d.lines, t.sim))
	if t.last[plan.Path(id)] < t.at && t.last[outcome.Path(id)] < t.at {
		t.said(id, replay.Fates(d.lines))
	}
	d.plan = &plan.Plan{ID: id, Digest: d.plan.Digest, Expires: d.plan.Expires} // the rest is most of what is in memory
	d.ledger, d.lines = nil, nil
	if !there {
		t.order = slices.Insert(t.order, i, id)
	}
	t.known[id] = &chapter{d, m}
	return nil
}

// deedOf is a plan with its ledger as they stand now; its plan is nil where
// there is none and nothing of it was begun. head names the ledger's last line.
func (t *timeline) deedOf(id string) (d deed, head string, err error) {
	var ledger []byte
	if v, ok := t.ledgers[id]; ok {
		if ledger, err = t.Repo.ReadFile(v.commit, outcome.Path(id)); err != nil {
			return d, "", err
		}
		head = estate.HeadOf(ledger)
	}
	v, ok := t.plans[id]
	if !ok {
		if len(ledger) == 0 {
			return d, head, nil
		}
		d, err = takenBack(id, ledger)
		return d, head, err
	}
	data, err := t.Repo.ReadFile(v.commit, plan.Path(id))
	if err != nil {
		return d, "", err
	}
	p, err := headOf(data, id)
	if err != nil {
		return d, "", fmt.Errorf("%s: %w", plan.Path(id), err)
	}
	if d.lines, err = t.brief.Parse(ledger, p.Digest); err != nil {
		return d, "", fmt.Errorf("%s: %w", outcome.Path(id), err)
	}
	d.plan = p
	if !completed(d.lines) {
		d.plan, err = plan.Decode(data)
	}
	return d, head, err
}

// headOf is a plan without its changes.
func headOf(data []byte, id string) (*plan.Plan, error) {
	var head struct {
		ID      string
		Digest  string
		Expires time.Time
		Patches []struct{ ID plan.PatchID }
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if head.ID != id {
		return nil, fmt.Errorf("its id is %q", head.ID)
	}
	p := &plan.Plan{ID: id, Digest: head.Digest, Expires: head.Expires}
	for _, x := range head.Patches {
		p.Patches = append(p.Patches, plan.Patch{ID: x.ID})
	}
	return p, nil
}

// completed says that nothing of a plan is open any more.
func completed(lines []outcome.Line) bool {
	return slices.ContainsFunc(lines, func(l outcome.Line) bool { return l.Event == outcome.Completed && l.Host == "" })
}

// meaning is meaningOf; of a plan that is complete only the lines are looked at.
func (t *timeline) meaning(d deed) (*meaning, error) {
	if d.gone || !completed(d.lines) {
		return meaningOf(d)
	}
	m := &meaning{stopped: map[plan.PatchID]outcome.Line{}}
	for i := range d.plan.Patches {
		m.patches = append(m.patches, d.plan.Patches[i].ID)
	}
	m.take(d.lines)
	return m, nil
}

// chapters are the deeds that are known, sorted by id, with what each means.
func (t *timeline) chapters() (done []deed, meant []*meaning) {
	for _, id := range t.order {
		done, meant = append(done, t.known[id].deed), append(meant, t.known[id].meaning)
	}
	return done, meant
}

// decider is the estate of the place that the timeline stands at, ready for
// decisions but for the policies.
func (t *timeline) decider(est *estate.Estate, b basis) (*decider, []*meaning, error) {
	d, meant, err := t.unmodelled(est, b)
	if err != nil {
		return nil, nil, err
	}
	return d, meant, d.readModels()
}

// unmodelled is decider without models: what is due was scored when it was planned.
func (t *timeline) unmodelled(est *estate.Estate, b basis) (*decider, []*meaning, error) {
	for _, id := range sortedKeys(t.broken) {
		return nil, nil, fmt.Errorf("%s and its outcomes, which were there: %w", id, t.broken[id])
	}
	est.Digests.Outcomes = estate.HeadsOf(t.heads)
	d := frame(est, b)
	var meant []*meaning
	d.deeds, meant = t.chapters()
	t.Import(est.Imported)
	trials, changed, isNew := t.Settle()
	if isNew {
		t.Forget(changed)
	}
	d.history, d.alarms = t.Measure(b.at), t.Alarms(trials, b.at)
	d.places = risk.NewPlaces()
	d.apply(meant)
	return d, meant, nil
}

// readModels reads the models of the decider's estate.
func (d *decider) readModels() error {
	var err error
	if d.model, err = deploymentOf(d.est); err != nil {
		return err
	}
	d.record = nil
	if data, ok := d.est.Models[trackRecord]; ok {
		if d.record, err = risk.ParseTrackRecord(data); err != nil {
			return fmt.Errorf("%s: %w", trackRecord, err)
		}
	}
	return nil
}

// pastMoment is a commit and time at which plans were made, that are still there.
type pastMoment struct {
	moment
	place int // -1: not on the line
	plans []string
}

// moments are those of the plans at a commit, by place and time. A plan that
// cannot be read is skipped, with the reason.
func (t *timeline) moments(skip func(id, why string)) ([]pastMoment, error) {
	by := map[moment][]string{}
	for path, place := range t.last {
		id, ok := planAt(path)
		if !ok {
			if id, ok = ledgerAt(path); ok && t.isGone(id) && !t.deleted(path) {
				skip(id, "it was taken back after it had begun, and is known by its ledger alone")
			}
			continue
		}
		if t.deleted(path) {
			continue
		}
		data, err := t.Repo.ReadFile(t.steps[place].commit, path)
		if err != nil {
			return nil, err
		}
		var p struct {
			At     time.Time
			Inputs struct{ Engine, Commit string }
		}
		if err := json.Unmarshal(data, &p); err != nil {
			skip(id, err.Error())
			continue
		}
		m := moment{repo.Hash(p.Inputs.Commit), p.At.UTC(), p.Inputs.Engine}
		by[m] = append(by[m], id)
	}
	var list []pastMoment
	for m, ids := range by {
		slices.Sort(ids)
		place, ok := t.place[m.commit]
		if !ok {
			place = -1
		}
		list = append(list, pastMoment{m, place, ids})
	}
	slices.SortFunc(list, func(a, b pastMoment) int {
		return cmp.Or(cmp.Compare(a.place, b.place), a.at.Compare(b.at), cmp.Compare(a.commit, b.commit), cmp.Compare(a.version, b.version))
	})
	return list, nil
}

// deleted says that a file is no longer there at the line's end.
func (t *timeline) deleted(path string) bool {
	changes := t.steps[t.last[path]].changes
	i := slices.IndexFunc(changes, func(c repo.Change) bool { return c.Path == path })
	return changes[i].After == ""
}

// isGone says that there is no plan of this id at the line's end.
func (t *timeline) isGone(id string) bool {
	_, ever := t.last[plan.Path(id)]
	return !ever || t.deleted(plan.Path(id))
}

// readPeers reads what became of patches so far, in any plan, with what was known of
// each: ledgers that tell of them are read again.
func (d *decider) readPeers(r *repo.Repo, patches map[plan.PatchID]bool, meant []*meaning) error {
	lines := map[string][]outcome.Line{}
	for i, m := range meant {
		done := &d.deeds[i]
		if !slices.ContainsFunc(m.patches, func(p plan.PatchID) bool { return patches[p] }) {
			continue
		}
		ledger, err := r.ReadFile(d.commit, outcome.Path(done.plan.ID))
		if err != nil {
			return err
		}
		if lines[done.plan.ID], err = outcome.Parse(ledger, done.plan.Digest); err != nil {
			return err
		}
	}
	d.peers = map[string][]risk.Trial{}
	for _, trial := range risk.Trials(lines, d.est.Imported, d.est.Settings.Clock == "given") {
		if patches[plan.PatchID(trial.Patch)] {
			d.peers[trial.Patch] = append(d.peers[trial.Patch], trial)
		}
	}
	return nil
}
