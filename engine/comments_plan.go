package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// pulls are the pull requests that are listened to, by branch: open plans, and those
// that are carried out, of which a hold is most urgent.
func (a *answering) pulls(ctx context.Context) (map[string]forge.PullRequest, error) {
	pulls, err := a.openPulls(ctx)
	if err != nil {
		return nil, err
	}
	all, err := deeds(a.est)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		g, err := rollout.Read(d.plan, d.lines)
		if err != nil {
			return nil, err
		}
		if branch := prefix + d.plan.ID; !g.Complete && !d.gone {
			pr, err := a.Forge.Find(ctx, branch)
			switch {
			case errors.Is(err, forge.ErrNotFound):
			case err != nil:
				return nil, err
			case pr.State == "merged":
				pulls[branch] = pr
			}
		}
	}
	return pulls, nil
}

// plan plans again, since what was decided or asked for may change plans, and
// looks at the pull requests anew.
func (a *answering) plan(ctx context.Context, threads []*thread) error {
	if err := a.look(ctx); err != nil {
		return err
	}
	if err := a.catchUp(ctx); err != nil {
		a.Log.WithError(err).Warn("what is checked out is not the protected branch as it is now; the next run of plan takes up what was decided")
		return nil
	}
	r, err := a.Plan(ctx, PlanOptions{Open: true})
	if err != nil {
		return fmt.Errorf("planning again: %w", err)
	}
	a.planned = true
	open, err := a.openPulls(ctx)
	if err != nil {
		return err
	}
	for _, t := range threads {
		pr, ok := open[t.pr.Branch]
		if !ok && t.pr.State == "open" {
			t.closed = "nothing stands behind it any more"
			if i := slices.IndexFunc(r.Closed, func(c Closed) bool { return c.Branch == t.pr.Branch }); i >= 0 {
				t.closed = r.Closed[i].Why
			}
		}
		if !ok {
			continue
		}
		t.pr = pr
		if t.plan, t.why, err = a.openPlan(ctx, pr); err != nil {
			return err
		}
	}
	return nil
}

// catchUp brings what is checked out to the protected branch, which others may
// have moved since the clone was made.
func (a *answering) catchUp(ctx context.Context) error {
	branch, err := a.Forge.Base(ctx)
	if err != nil {
		return err
	}
	head, err := a.Repo.Head()
	if err != nil || head.Commit == a.base {
		return err
	}
	if head.Branch != branch {
		return fmt.Errorf("%s is not checked out", branch)
	}
	if older, err := a.Repo.IsAncestor(head.Commit, a.base); err != nil || !older {
		return errors.Join(err, fmt.Errorf("%s has commits here that it does not have on the forge", branch))
	}
	return a.follow(branch, head.Commit, a.base)
}
