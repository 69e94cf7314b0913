package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// descriptionMost is how many characters GitHub takes of the text of a deployment
// and of a commit status.
const descriptionMost = 140

// commitStates are the states of a ring as a commit status has them.
var commitStates = map[string]string{"pending": "pending", "in_progress": "pending", "success": "success", "failure": "failure", "inactive": "error"}

// Mirror is a deployment to the environment ringmaster/<ring>, whose task names
// the plan, with its newest status, and on the commit a status of the context
// ringmaster/<plan>/<ring>. GitHub is told neither to merge anything for it nor to
// wait for checks, and nothing reads it back: it is for people. The commit's comes
// last, so that one request tells that nothing is to be done. A token that may not
// make the deployment may still give it.
func (f *Forge) Mirror(ctx context.Context, p forge.Progress) error {
	if err := f.mirror(ctx, p); err != nil {
		return fmt.Errorf("showing how far %s has come in ring %q: %w", p.Plan, p.Ring, err)
	}
	return nil
}

func (f *Forge) mirror(ctx context.Context, p forge.Progress) error {
	if commitStates[p.State] == "" {
		return fmt.Errorf("state %q; expected one of pending, in_progress, success, failure, inactive", p.State)
	}
	done, unseen := f.marked(ctx, p)
	if done || unseen != nil && said(unseen) != http.StatusForbidden {
		return unseen
	}
	err := f.show(ctx, p)
	if err != nil && said(err) != http.StatusForbidden || unseen != nil {
		return errors.Join(err, unseen)
	}
	return errors.Join(err, f.mark(ctx, p))
}

// show makes the deployment and gives it its status.
func (f *Forge) show(ctx context.Context, p forge.Progress) error {
	d, err := f.deployed(ctx, p)
	if err == nil && d == nil {
		d, err = f.deploy(ctx, p)
	}
	if err != nil {
		return err
	}
	return f.state(ctx, d.GetID(), p.State, trimmed(p.Text))
}

func trimmed(text string) string {
	if r := []rune(text); len(r) > descriptionMost {
		return string(r[:descriptionMost-1]) + "…"
	}
	return text
}

func taskOf(p forge.Progress) string        { return "ringmaster:" + p.Plan }
func environmentOf(p forge.Progress) string { return "ringmaster/" + p.Ring }

// deployed is our deployment of a plan, ring and commit, nil where there is
// none. Of several the oldest counts.
func (f *Forge) deployed(ctx context.Context, p forge.Progress) (*github.Deployment, error) {
	me, err := f.whoami(ctx)
	if err != nil {
		return nil, err
	}
	list, err := all(func(page github.ListOptions) ([]*github.Deployment, *github.Response, error) {
		return f.api.Repositories.ListDeployments(ctx, f.owner, f.name, &github.DeploymentsListOptions{SHA: p.Commit, Task: taskOf(p), Environment: environmentOf(p), ListOptions: page})
	})
	if err != nil {
		return nil, fmt.Errorf("listing deployments: %w", err)
	}
	list = slices.DeleteFunc(list, func(d *github.Deployment) bool {
		return d.GetCreator().GetID() != me.ID || d.GetSHA() != p.Commit || d.GetTask() != taskOf(p) || d.GetEnvironment() != environmentOf(p)
	})
	if len(list) == 0 {
		return nil, nil
	}
	return slices.MinFunc(list, func(a, b *github.Deployment) int { return cmp.Compare(a.GetID(), b.GetID()) }), nil
}

// deploy makes the deployment. Where another run made one in the same moment,
// the newer one is put out of use.
func (f *Forge) deploy(ctx context.Context, p forge.Progress) (*github.Deployment, error) {
	var made *github.Deployment
	err := f.once(ctx, func() (err error) {
		made, _, err = f.api.Repositories.CreateDeployment(ctx, f.owner, f.name, &github.DeploymentRequest{
			Ref: &p.Commit, Task: github.String(taskOf(p)), Environment: github.String(environmentOf(p)),
			Description: github.String(trimmed(p.Plan + " in ring " + p.Ring)), Payload: map[string]string{"plan": p.Plan, "ring": p.Ring, "at": p.At.UTC().Format(time.RFC3339)},
			AutoMerge: github.Bool(false), RequiredContexts: &[]string{}, ProductionEnvironment: github.Bool(false), TransientEnvironment: github.Bool(false),
		})
		return err
	}, func() (bool, error) {
		found, err := f.deployed(ctx, p)
		made = found
		return found != nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("making a deployment: %w", err)
	}
	oldest, err := f.deployed(ctx, p)
	if err != nil || oldest == nil || oldest.GetID() == made.GetID() {
		return made, err
	}
	return oldest, f.state(ctx, made.GetID(), "inactive", "made twice")
}

// state gives a deployment its next status, unless it has that one.
func (f *Forge) state(ctx context.Context, id int64, state, text string) error {
	is := func() (bool, error) {
		list, _, err := f.api.Repositories.ListDeploymentStatuses(ctx, f.owner, f.name, id, &github.ListOptions{PerPage: pageSize})
		if err != nil {
			return false, fmt.Errorf("listing the statuses of a deployment: %w", wrong(err))
		}
		if len(list) == 0 {
			return false, nil
		}
		newest := slices.MaxFunc(list, func(a, b *github.DeploymentStatus) int { return cmp.Compare(a.GetID(), b.GetID()) })
		return newest.GetState() == state && newest.GetDescription() == text, nil
	}
	done, err := is()
	if err != nil || done {
		return err
	}
	err = f.once(ctx, func() error {
		_, _, err := f.api.Repositories.CreateDeploymentStatus(ctx, f.owner, f.name, id, &github.DeploymentStatusRequest{State: &state, Description: &text, AutoInactive: github.Bool(false)})
		return err
	}, is)
	if err != nil {
		return fmt.Errorf("giving a deployment a status: %w", err)
	}
	return nil
}

// statusOf is what a commit is to have of a ring.
func statusOf(p forge.Progress) *github.RepoStatus {
	s := &github.RepoStatus{Context: github.String(lead + p.Plan + "/" + p.Ring), State: github.String(commitStates[p.State]), Description: github.String(trimmed(p.Text))}
	if p.URL != "" {
		s.TargetURL = &p.URL
	}
	return s
}

// marked says whether the commit has that status. Of a context the newest counts,
// whoever gave it: one that says the same needs no other.
func (f *Forge) marked(ctx context.Context, p forge.Progress) (bool, error) {
	list, err := all(func(page github.ListOptions) ([]*github.RepoStatus, *github.Response, error) {
		c, resp, err := f.api.Repositories.GetCombinedStatus(ctx, f.owner, f.name, p.Commit, &page)
		if err != nil {
			return nil, resp, err
		}
		return c.Statuses, resp, nil
	})
	if err != nil {
		return false, fmt.Errorf("listing the statuses of commit %.10s: %w", p.Commit, err)
	}
	want := statusOf(p)
	return slices.ContainsFunc(list, func(s *github.RepoStatus) bool {
		return s.GetContext() == want.GetContext() && s.GetState() == want.GetState() && s.GetDescription() == want.GetDescription() && s.GetTargetURL() == want.GetTargetURL()
	}), nil
}

// mark gives the commit its next status.
func (f *Forge) mark(ctx context.Context, p forge.Progress) error {
	err := f.once(ctx, func() error {
		_, _, err := f.api.Repositories.CreateStatus(ctx, f.owner, f.name, p.Commit, statusOf(p))
		return err
	}, func() (bool, error) { return f.marked(ctx, p) })
	if err != nil {
		return fmt.Errorf("giving commit %.10s a status: %w", p.Commit, err)
	}
	return nil
}
