package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// declined is a plan whose pull request a person closed. That stands, however
// often the plan is made again and whenever its waves would be, until the plan
// brings something that they had not before them.
type declined struct {
	id   string
	pull forge.PullRequest
	news []string // what they had not before them; nil: it stays closed
}

func (d *declined) String() string {
	if d.news == nil {
		return fmt.Sprintf("%s closed its pull request, and it brings nothing new; `ringmaster pr reopen %s` opens it again", d.pull.ClosedBy, d.id)
	}
	const most = 3
	list, more := d.news[:min(len(d.news), most)], ""
	if rest := len(d.news) - most; rest > 0 {
		more = fmt.Sprintf(", and %d more", rest)
	}
	return fmt.Sprintf("%s closed its pull request, and new since is %s%s", d.pull.ClosedBy, strings.Join(list, ", "), more)
}

// declined are the plans, among those for which no pull request is open, whose
// pull request somebody closed who may write, by branch: it takes a writer to keep
// something from happening, and forges let others close, too.
func (e *Env) declined(ctx context.Context, plans []*plan.Plan, open map[string]forge.PullRequest) (map[string]*declined, error) {
	found := map[string]*declined{}
	for _, p := range plans {
		branch := prefix + p.ID
		if _, is := open[branch]; is || len(p.Rings) == 0 {
			continue
		}
		pr, err := e.Forge.Find(ctx, branch)
		switch {
		case errors.Is(err, forge.ErrNotFound):
			continue
		case err != nil:
			return nil, fmt.Errorf("asking for the pull request of plan %s: %w", p.ID, err)
		case pr.State != "closed" || pr.ClosedBy == "":
			continue
		}
		level, err := e.Forge.Permission(ctx, pr.ClosedBy)
		if err != nil {
			return nil, fmt.Errorf("asking what %q may do, who closed plan %s: %w", pr.ClosedBy, p.ID, err)
		}
		if !writes(level) {
			continue
		}
		was, why, err := e.openPlan(ctx, pr)
		if err != nil {
			return nil, err
		}
		d := &declined{id: p.ID, pull: pr, news: news(was, p)}
		if was == nil {
			d.news = []string{"a plan that can be read: " + why}
		}
		found[branch] = d
	}
	return found, nil
}

// news is what a plan asks for that another did not, sorted; nil where there is
// nothing. That it is done at another time, or would be riskier, is none: who
// wants no more of it, or wants it later, holds it.
func news(was, now *plan.Plan) []string {
	if was == nil {
		return nil
	}
	had := spots(was)
	var list []string
	for w := range spots(now) {
		if _, known := had[w]; !known {
			list = append(list, fmt.Sprintf("%s on %s", w.patch, w.host))
		}
	}
	for _, x := range now.Patches {
		if x.KnownExploited && !slices.ContainsFunc(was.Patches, func(y plan.Patch) bool { return y.ID == x.ID && y.KnownExploited }) {
			list = append(list, fmt.Sprintf("that %s is known to be exploited", x.ID))
		}
	}
	slices.Sort(list)
	return list
}
