package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// tale is what is told of one plan.
type tale struct {
	told  *report.Aftermath
	merge forge.PullRequest // by which it was merged
	rings []ringEnd
	last  time.Time // when something last happened to it
}

// ringEnd is a ring's counts, and whether it stopped.
type ringEnd struct {
	report.RingAftermath
	stopped bool
}

// tales are those of the merged plans of which something may still be done, or
// that ended not long ago, and the plans that began under break-glass.
func (x *Executor) tales(ctx context.Context, done *Executed) ([]tale, []broken, error) {
	_, base, err := x.base(ctx)
	if err != nil {
		return nil, nil, err
	}
	est, err := x.read(base)
	if err != nil {
		return nil, nil, err
	}
	all, err := deeds(est)
	if err != nil {
		return nil, nil, err
	}
	if err := x.list(ctx); err != nil {
		return nil, nil, err
	}
	refused := map[string]string{}
	for _, r := range done.Refused {
		refused[r.Plan] = r.Why
	}
	list, err := x.talesOf(est, all, refused)
	if err != nil {
		return nil, nil, err
	}
	broken, err := x.brokenGlass(ctx, est.Overrides, all)
	return list, broken, err
}

// talesOf are those of the plans that pull requests brought: what has none is
// refused, and there is no thread to say so in.
func (x *Executor) talesOf(est *estate.Estate, all []deed, refused map[string]string) ([]tale, error) {
	known := map[string]deed{}
	for _, d := range all {
		known[prefix+d.plan.ID] = d
	}
	var list []tale
	for _, branch := range sortedKeys(x.told.byBranch) {
		pulls := x.told.byBranch[branch]
		pr := pulls[len(pulls)-1]
		d, here := known[branch]
		if n := len(d.lines); n > 0 && d.lines[n-1].Event == outcome.Completed && (d.gone || x.At.Sub(d.lines[n-1].At) >= telling) {
			continue // of many: what they say is not even worked out
		}
		if !here || d.gone {
			taken, ok := x.asMerged(d, branch, repo.Hash(pr.Merge))
			if !ok {
				continue
			}
			d = taken
		}
		g, err := rollout.Read(d.plan, d.lines)
		if err != nil && d.gone {
			continue // a ledger of another plan of that name
		}
		if err != nil {
			return nil, err
		}
		t := taleOf(d, g, refused[d.plan.ID], pr, x.At)
		if !t.told.Over {
			t.told.Stand = bearing(est, d.plan, x.At)
		}
		if !t.told.Over || x.At.Sub(t.last) < telling {
			list = append(list, t)
		}
	}
	return list, nil
}

// asMerged is a plan that the base branch has no longer, as it was merged, with
// what its ledger says; false where it is no plan.
func (x *Executor) asMerged(d deed, branch string, merge repo.Hash) (deed, bool) {
	id := strings.TrimPrefix(branch, prefix)
	if _, _, _, ok := plan.ParseID(id); !ok {
		return d, false
	}
	p, _ := x.planAt(merge, id)
	d.plan, d.gone = p, true
	return d, p != nil
}

func taleOf(d deed, g *rollout.Progress, refused string, pr forge.PullRequest, at time.Time) tale {
	step, whys, begun := rollout.Next(g, at), troubles(d), !d.begun().IsZero()
	over := g.Complete || d.gone || !begun && !at.Before(d.plan.Expires)
	if d.gone {
		refused = cmp.Or(refused, "it was taken back, and nothing more of it is done")
	}
	t := tale{merge: pr, last: pr.MergedAt, told: &report.Aftermath{Plan: g.Plan, Begun: begun, Over: over, Refused: refused, Next: step.Wake, For: step.For}}
	if n := len(d.lines); n > 0 {
		t.last = d.lines[n-1].At
	}
	if !g.Complete && d.plan.Expires.After(t.last) {
		t.last = d.plan.Expires // by then at the latest
	}
	for _, p := range g.Plan.Patches {
		if why := g.Held[p.ID]; why != "" {
			t.told.Stopped = append(t.told.Stopped, fmt.Sprintf("%s: %s", p.ID, why))
		}
	}
	for _, c := range g.Changes {
		if n := len(t.rings); n == 0 || t.rings[n-1].Name != c.Ring {
			t.rings = append(t.rings, ringEnd{RingAftermath: report.RingAftermath{Name: c.Ring}})
		}
		r := &t.rings[len(t.rings)-1]
		if what := r.count(c, over); what != "" {
			t.told.Wrong = append(t.told.Wrong, report.Wrong{Host: string(c.Host), Patch: string(c.Patch), Ring: c.Ring, What: what, Why: cmp.Or(whys[work{c.Host, c.Patch}], c.Detail), Instead: instead(c)})
		}
		if why := c.HeldWith; why != "" && !over && !slices.Contains(t.told.Held, why) {
			t.told.Held = append(t.told.Held, why)
		}
		r.stopped = r.stopped || c.State == rollout.Stuck || c.Bad && g.Held[c.Patch] != ""
	}
	for _, r := range t.rings {
		t.told.Rings = append(t.told.Rings, r.RingAftermath)
	}
	t.told.Tried = tried(d, g)
	return t
}

// troubles are what was said of changes when they failed or degraded; what was
// said later, of their rollbacks, tells nobody why.
func troubles(d deed) map[work]string {
	why := map[work]string{}
	for _, l := range d.lines {
		if l.Event == outcome.Failed || l.Event == outcome.Degraded {
			why[work{l.Host, l.Patch}] = l.Detail
		}
	}
	return why
}

// count adds a change, and says what went wrong with it, "" where nothing did.
func (r *ringEnd) count(c *rollout.Change, over bool) string {
	switch c.State {
	case rollout.Healthy:
		r.Healthy++
		return ""
	case rollout.Back, rollout.RolledBack:
		r.RolledBack++
		return "rolled back"
	case rollout.Stuck:
		r.Failed++
		if c.Stays != nil {
			return "went wrong and cannot be rolled back, and a person is needed"
		}
		if !c.WentBack.IsZero() {
			return "was rolled back and is still unwell, and a person is needed"
		}
		return "its rollback failed, and a person is needed"
	case rollout.Failed:
		r.Failed++
		return "failed"
	case rollout.Degraded, rollout.Undo:
		r.UnderWay++
		return "is being rolled back"
	case rollout.Intended, rollout.Applied:
		r.UnderWay++
		return ""
	case rollout.Skipped:
		r.Unreached++
		return "left out"
	case rollout.Unreachable:
		r.Unreached++
		return "out of reach"
	case rollout.Unknown:
		r.Unreached++
		return "out of reach, and perhaps changed"
	}
	if over {
		r.NotBegun++
	} else {
		r.Waiting++
	}
	return ""
}

// healthy tells a large ring in whole percent, rounded down: a forge takes no more
// than some thousand states of one thing.
func healthy(n, all int) string {
	if all <= 200 {
		return fmt.Sprintf("%d of %d healthy", n, all)
	}
	return fmt.Sprintf("%d %% of %d healthy", n*100/all, all)
}

// instead is what people do about a change, "" where nothing is left to them.
func instead(c *rollout.Change) string {
	if c.State == rollout.Stuck && c.Stays != nil {
		return c.Stays.Instead
	}
	return ""
}

// progress is a plan's, ring by ring, as the forge mirrors it.
func (t *tale) progress(at time.Time) []forge.Progress {
	var list []forge.Progress
	for _, r := range t.rings {
		all := r.Waiting + r.UnderWay + r.Healthy + r.Failed + r.RolledBack + r.Unreached + r.NotBegun
		p := forge.Progress{Plan: t.told.Plan.ID, Ring: r.Name, Commit: t.merge.Merge, URL: t.merge.URL, At: at, State: "in_progress", Text: healthy(r.Healthy, all)}
		switch {
		case r.stopped:
			p.State = "failure"
		case r.Waiting+r.NotBegun == all && (t.told.Over || t.told.Refused != ""):
			p.State = "inactive"
		case r.Waiting == all:
			p.State = "pending"
		case r.Waiting+r.UnderWay+r.NotBegun == 0 && r.Healthy > 0:
			p.State = "success"
		case r.Waiting+r.UnderWay == 0 || t.told.Over:
			p.State = "failure"
		}
		if wrong := r.Failed + r.RolledBack; wrong > 0 {
			p.Text += fmt.Sprintf(", %d failed or rolled back", wrong)
		}
		p.Text += underLoad(t.told.Tried, r.Name)
		switch {
		case t.told.Refused != "" && t.told.Begun:
			p.Text += "; stopped: " + t.told.Refused
		case t.told.Refused != "":
			p.Text = "not carried out: " + t.told.Refused
		}
		list = append(list, p)
	}
	return list
}
