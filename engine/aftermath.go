package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// telling is for how long after a plan's newest line, or its merge, each run tells
// of it: a forge that was down when something happened hears of it from a later
// one, and a plan at which nothing happens is not told of again and again.
const telling = 24 * time.Hour

// hearing is how long a run waits for a forge that does not take what it is told.
const hearing = 2 * time.Minute

// Show tells the forge how far merged plans have come: one comment in the thread
// of each one's pull request, and its progress in each ring. Everything follows
// from the ledgers on the base branch and from what this run refused. What the
// forge does not take is logged and told by a later run: nothing that happens to
// hosts waits for it.
func (x *Executor) Show(ctx context.Context, done *Executed) {
	ctx, stop := context.WithTimeout(ctx, hearing)
	defer stop()
	list, broken, err := x.tales(ctx, done)
	if err == nil {
		err = x.tellBroken(ctx, broken)
	}
	if err != nil {
		x.Log.WithError(err).Warn("telling how far plans have come; the next run tells it")
		return
	}
	var untold, unshown []error // what is refused of one plan keeps no other from being told
	for _, t := range list {
		if err := x.Forge.Say(ctx, prefix+t.told.Plan.ID, "outcome", t.told.Markdown()); err != nil {
			untold = append(untold, err)
		}
	}
	for _, t := range list {
		for _, p := range t.progress(x.At) {
			if err := x.Forge.Mirror(ctx, p); err != nil {
				unshown = append(unshown, err)
			}
		}
	}
	if n := len(untold); n > 0 {
		x.Log.WithError(untold[0]).Warnf("telling what became of plans, %d of them in vain; the next run tells it", n)
	}
	if n := len(unshown); n > 0 {
		x.Log.WithError(unshown[0]).Warnf("showing how far plans have come in their rings, %d of them in vain; the next run shows it", n)
	}
	x.Remind(ctx)
}

// tale is what is told of one plan.
type tale struct {
	told  *report.Aftermath
	merge forge.PullRequest // by which it was merged
	rings []ringEnd
}

// ringEnd is a ring's counts, and whether it stopped.
type ringEnd struct {
	report.RingAftermath
	stopped bool
}

// tales are those of the plans at which something happened not long ago, and the
// plans that began under break-glass.
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
	refused := map[string]string{}
	for _, r := range done.Refused {
		refused[r.Plan] = r.Why
	}
	var list []tale
	for _, d := range all {
		if d.gone {
			continue
		}
		pulls, err := x.mergesOf(ctx, prefix+d.plan.ID)
		if err != nil {
			return nil, nil, err
		}
		if len(pulls) == 0 {
			continue // refused, and there is no thread to say so in
		}
		last := pulls[len(pulls)-1].MergedAt
		if n := len(d.lines); n > 0 {
			last = d.lines[n-1].At
		}
		if x.At.Sub(last) >= telling {
			continue
		}
		g, err := rollout.Read(d.plan, d.lines)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, taleOf(d, g, refused[d.plan.ID], pulls[len(pulls)-1], x.At))
	}
	broken, err := x.brokenGlass(ctx, est.Overrides, all)
	return list, broken, err
}

func taleOf(d deed, g *rollout.Progress, refused string, pr forge.PullRequest, at time.Time) tale {
	step, whys := rollout.Next(g, at), troubles(d)
	t := tale{merge: pr, told: &report.Aftermath{Plan: g.Plan, Begun: len(d.lines) > 0, Over: g.Complete, Refused: refused, Next: step.Wake, For: step.For}}
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
		if what := r.count(c, g.Complete); what != "" {
			t.told.Wrong = append(t.told.Wrong, report.Wrong{Host: string(c.Host), Patch: string(c.Patch), Ring: c.Ring, What: what, Why: cmp.Or(whys[work{c.Host, c.Patch}], c.Detail)})
		}
		if why := c.HeldWith; why != "" && !g.Complete && !slices.Contains(t.told.Held, why) {
			t.told.Held = append(t.told.Held, why)
		}
		r.stopped = r.stopped || c.State == rollout.Stuck || c.Bad && g.Held[c.Patch] != ""
	}
	for _, r := range t.rings {
		t.told.Rings = append(t.told.Rings, r.RingAftermath)
	}
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
	case rollout.RolledBack:
		r.RolledBack++
		return "rolled back"
	case rollout.Stuck:
		r.Failed++
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
	case rollout.Skipped, rollout.Unreachable:
		r.Unreached++
		if c.State == rollout.Skipped {
			return "left out"
		}
		return "out of reach"
	}
	if over {
		r.NotBegun++
	} else {
		r.Waiting++
	}
	return ""
}

// progress is a plan's, ring by ring, as the forge mirrors it.
func (t *tale) progress(at time.Time) []forge.Progress {
	var list []forge.Progress
	for _, r := range t.rings {
		all := r.Waiting + r.UnderWay + r.Healthy + r.Failed + r.RolledBack + r.Unreached + r.NotBegun
		p := forge.Progress{Plan: t.told.Plan.ID, Ring: r.Name, Commit: t.merge.Merge, URL: t.merge.URL, At: at, State: "in_progress", Text: fmt.Sprintf("%d of %d healthy", r.Healthy, all)}
		switch {
		case r.stopped:
			p.State = "failure"
		case r.Waiting+r.NotBegun == all && (t.told.Over || t.told.Refused != ""):
			p.State = "inactive"
		case r.Waiting == all:
			p.State = "pending"
		case r.Waiting+r.UnderWay == 0 && r.Healthy > 0:
			p.State = "success"
		case r.Waiting+r.UnderWay == 0:
			p.State = "failure"
		}
		if wrong := r.Failed + r.RolledBack; wrong > 0 {
			p.Text += fmt.Sprintf(", %d failed or rolled back", wrong)
		}
		if t.told.Refused != "" {
			p.Text = "not carried out: " + t.told.Refused
		}
		list = append(list, p)
	}
	return list
}
