package engine

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// What execute asks when a wave is due is asked of the commit before the one in which
// it wrote the answer: of that commit's estate and ledgers, at the time that the lines
// say. All of it is in Git but for two things. Which plans the forge confirmed is taken
// from who got lines; and a run that wrote nothing, since everything was held with the
// words of before, left nothing to ask again.

// gates goes along the line behind the plans' moments, and asks again at each commit
// at which execute wrote answers down.
type gates struct {
	*presenter
	place   int // of the next step that is looked at
	ledgers map[string]*grown
}

// gates are nil where nothing that is asked when a wave is due differs.
func (p *presenter) gates() *gates {
	l := p.laws
	if l.models != nil || l.alone || l.before == nil || l.same || l.before.SameWhenDue(l.candidate) {
		return nil
	}
	p.builder.Gated()
	return &gates{presenter: p, place: 1, ledgers: map[string]*grown{}}
}

// upTo says whether there is a step left of which the commit before it is at a place
// or earlier.
func (g *gates) upTo(place int) bool {
	return g != nil && g.place < len(g.timeline.steps) && g.place-1 <= place
}

// present reads the next step and, where it wrote answers, hands over their replay.
func (g *gates) present(ready chan<- func()) {
	w, err := g.next(g.place)
	g.place++
	if err != nil || w == nil {
		g.unread(w, err)
		return
	}
	a, err := g.reopen(w)
	if err != nil {
		g.unread(w, err)
		return
	}
	ready <- func() { a.again(g.tell, g.skip) }
}

// unread notes answers that cannot be asked for again.
func (g *gates) unread(w *answersOf, err error) {
	if err == nil {
		return
	}
	id := fmt.Sprintf("commit %.10s", g.timeline.steps[g.place-1].commit)
	if w != nil {
		id = w.plans[0].plan.ID
	}
	g.skip(id, err.Error())
}

func (g *gates) tell(list []replay.Gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.builder.AddGates(list)
}

func (g *gates) skip(id, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.builder.SkipGate(id, why)
}

// reopen makes the estate ready as it was when the answers were given.
func (g *gates) reopen(w *answersOf) (*asked, error) {
	in, err := g.standing(w)
	if err != nil {
		return nil, err
	}
	g.timeline.goTo(w.place)
	commit := g.timeline.steps[w.place].commit
	est, err := g.estateAt(commit)
	if err != nil {
		return nil, err
	}
	d, _, err := g.timeline.unmodelled(est, basis{commit: commit, at: w.at, version: g.Version})
	if err != nil {
		return nil, err
	}
	own, err := g.laws.compiled(est)
	if err != nil {
		return nil, err
	}
	return &asked{w, &tip{commit: commit, est: est, decider: d, live: in, begun: map[inventory.HostID]*live{}}, g.laws, own}, nil
}

// answersOf is what a commit of execute added to ledgers as answers of the policies:
// intents, and holds of single changes.
type answersOf struct {
	place int // of the commit before it
	at    time.Time
	plans []answered // by urgency, as execute goes through them
}

// answered is a plan that got answers, as it stood before them.
type answered struct {
	plan  *plan.Plan
	lines []outcome.Line
	said  map[work]string // what was asked about → why it was held, "" where it began
}

// grown is a ledger so far, with its plan.
type grown struct {
	plan  *plan.Plan
	text  []byte
	lines []outcome.Line
}

// next reads what the step at a place wrote into ledgers, and returns it where that
// were answers of policies: nil where it were none.
func (g *gates) next(place int) (*answersOf, error) {
	w := &answersOf{place: place - 1}
	for _, c := range g.timeline.steps[place].changes {
		if id, ok := planAt(c.Path); ok && c.After == "" {
			delete(g.ledgers, id) // it was taken back, and nothing of it is carried out
		}
		id, ok := ledgerAt(c.Path)
		if !ok {
			continue
		}
		l, added, err := g.read(id, place, c)
		if err != nil {
			return nil, err
		}
		if l == nil {
			continue
		}
		if said := saidIn(added); len(said) > 0 {
			before := l.lines[: len(l.lines)-len(added) : len(l.lines)-len(added)]
			w.at = added[0].At
			w.plans = append(w.plans, answered{l.plan, before, said})
		}
		if completed(added) {
			delete(g.ledgers, id)
		}
	}
	if len(w.plans) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(w.plans, func(a, b answered) int { return urgency(a.plan, b.plan) })
	return w, nil
}

// read takes in what a ledger has more of than before. It is nil where it was
// rewritten, or is no plan's: audit tells of those.
func (g *gates) read(id string, place int, c repo.Change) (*grown, []outcome.Line, error) {
	now, before := g.timeline.steps[place].commit, g.timeline.steps[place-1].commit
	l, err := g.ledgerOf(id, before, c.Before)
	if err != nil || l == nil || c.After == "" {
		delete(g.ledgers, id)
		return nil, nil, err
	}
	text, err := g.Repo.ReadFile(now, c.Path)
	if err != nil {
		return nil, nil, err
	}
	rest, grew := bytes.CutPrefix(text, l.text)
	if !grew {
		delete(g.ledgers, id)
		return nil, nil, nil
	}
	added, err := g.timeline.brief.Parse(rest, l.chain())
	if err != nil {
		delete(g.ledgers, id)
		return nil, nil, nil
	}
	l.text, l.lines = text, append(l.lines, added...)
	g.ledgers[id] = l
	return l, added, nil
}

// ledgerOf is a ledger as it stood before a step, nil where its plan was not there.
func (g *gates) ledgerOf(id string, before, blob repo.Hash) (*grown, error) {
	if l := g.ledgers[id]; l != nil {
		return l, nil
	}
	there, err := g.Repo.Blob(before, plan.Path(id))
	if err != nil || there == "" {
		return nil, err
	}
	data, err := g.Repo.ReadFile(before, plan.Path(id))
	if err != nil {
		return nil, err
	}
	l := &grown{}
	if l.plan, err = plan.Decode(data); err != nil {
		return nil, nil
	}
	if blob != "" {
		if l.text, err = g.Repo.ReadFile(before, outcome.Path(id)); err != nil {
			return nil, err
		}
		if l.lines, err = g.timeline.brief.Parse(l.text, l.plan.Digest); err != nil {
			return nil, nil
		}
	}
	return l, nil
}

// chain is what the next line of a ledger begins with.
func (l *grown) chain() string {
	if len(l.text) == 0 {
		return l.plan.Digest
	}
	return "sha256:" + estate.HeadOf(l.text)
}

// saidIn are the answers of policies among lines.
func saidIn(lines []outcome.Line) map[work]string {
	said := map[work]string{}
	for _, l := range lines {
		switch {
		case l.Host == "" || l.Patch == "":
		case l.Event == outcome.Held:
			said[work{l.Host, l.Patch}] = l.Detail
		case l.Event == outcome.Intended && !undone(l):
			said[work{l.Host, l.Patch}] = ""
		}
	}
	return said
}

// undone says that an intent is one to roll back.
func undone(l outcome.Line) bool { return strings.HasSuffix(l.Key, "/rollback") }

// standing are the plans that execute had in hand before a step, with what became of
// them so far, the most urgent first.
func (g *gates) standing(w *answersOf) ([]*live, error) {
	var list []*live
	for _, id := range sortedKeys(g.ledgers) {
		lines := g.ledgers[id].lines
		if i := slices.IndexFunc(w.plans, func(a answered) bool { return a.plan.ID == id }); i >= 0 {
			lines = w.plans[i].lines
		}
		done := deed{plan: g.ledgers[id].plan, lines: lines}
		progress, err := rollout.Read(done.plan, done.lines)
		if err != nil {
			return nil, err
		}
		list = append(list, &live{done, progress, nil})
	}
	slices.SortStableFunc(list, func(a, b *live) int { return urgency(a.plan, b.plan) })
	return list, nil
}

// asked is one commit's answers, ready to be asked for again.
type asked struct {
	*answersOf
	tip  *tip
	laws *laws
	own  *policy.Set
}

// again asks once more, under the policies of then and under those that are compared,
// and hands each plan's answers to tell, or to skip why there are none.
func (a *asked) again(tell func([]replay.Gate), skip func(id, why string)) {
	a.tip.disturb()
	for _, p := range a.plans {
		i := slices.IndexFunc(a.tip.live, func(l *live) bool { return l.plan.ID == p.plan.ID })
		if i < 0 {
			continue // it was completed in this very step
		}
		l := a.tip.live[i]
		due := slices.DeleteFunc(rollout.Next(l.progress, a.at).Apply, func(c *rollout.Change) bool { return a.tip.occupied(l, c.Host) })
		own := a.under(a.own, l, due)
		if why := p.differs(own, due); why != "" {
			skip(p.plan.ID, fmt.Sprintf("at %s %s", a.at.Format(time.RFC3339), why))
		} else {
			tell(a.compared(p, l, due, own))
		}
		for w, why := range p.said {
			if why == "" {
				a.tip.begun[w.host] = l
			}
		}
	}
}

// compared are the answers of both sides about what was written.
func (a *asked) compared(p answered, l *live, due []*rollout.Change, own []replay.Verdict) []replay.Gate {
	sides := [2][]replay.Verdict{own, own}
	for i, set := range [2]*policy.Set{a.laws.before, a.laws.candidate} {
		if a.laws.digests[i] != a.tip.est.Digests.Policies {
			sides[i] = a.under(set, l, due)
		}
	}
	var list []replay.Gate
	for n, c := range due {
		if _, written := p.said[work{c.Host, c.Patch}]; written {
			list = append(list, replay.Gate{Plan: p.plan.ID, At: a.at, Host: c.Host, Patch: c.Patch, Was: sides[0][n], Is: sides[1][n]})
		}
	}
	return list
}

// differs says how what the policies of then answer now is not what was written, ""
// where it is.
func (p *answered) differs(own []replay.Verdict, due []*rollout.Change) string {
	met := 0
	for i, c := range due {
		why, written := p.said[work{c.Host, c.Patch}]
		now := own[i].Says()
		switch {
		case written && why != now:
			return fmt.Sprintf("%s on %s was answered with %q, and now with %q", c.Patch, c.Host, cmp.Or(why, "yes"), cmp.Or(now, "yes"))
		case written:
			met++
		case now != c.HeldWith:
			return fmt.Sprintf("%s on %s was due and not asked about", c.Patch, c.Host)
		}
	}
	if met < len(p.said) {
		return fmt.Sprintf("%d changes were asked about that were not due", len(p.said)-met)
	}
	return ""
}

// under are the answers of a set of policies about what is due.
func (a *asked) under(set *policy.Set, l *live, due []*rollout.Change) []replay.Verdict {
	d := *a.tip.decider
	d.policies = set
	t := *a.tip
	t.decider = &d
	list := make([]replay.Verdict, len(due))
	for i, s := range t.stoppers(l, due) {
		if s != nil {
			list[i] = replay.Verdict{Effect: s.Effect, Rule: s.Rule, Message: s.Message, Until: until(s)}
		}
	}
	return list
}
