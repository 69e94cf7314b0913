package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// edit is a pull request that changes what may loosen, on its way to the base branch
// or there already.
type edit struct {
	before, after repo.Hash     // the commits between which the changes lie
	changes       []repo.Change // that may loosen
	at            time.Time
	pull          forge.PullRequest
}

// edited is an edit of which only what may loosen is kept.
func edited(before, after repo.Hash, at time.Time, pr forge.PullRequest, changes []repo.Change) edit {
	list := slices.DeleteFunc(slices.Clone(changes), func(c repo.Change) bool { return !loosens(c.Path) })
	return edit{before, after, list, at, pr}
}

// disinterested is an edit without the approvals of those who asked for an override
// in it, and who these are: the bot writes what others ask for, and is the author of
// its pull request.
func (e *Env) disinterested(d edit) (edit, []asker, error) {
	asked, err := e.askers(d.before, d.after, d.changes)
	d.pull.Approvals = slices.DeleteFunc(slices.Clone(d.pull.Approvals), func(a forge.Review) bool {
		return slices.ContainsFunc(asked, func(who asker) bool { return who.is(a) })
	})
	return d, asked, err
}

// refused says what an edit lacks: nothing takes caution away without an owner other
// than its author whom the estate before it names (Trust 4), and the policies before
// it may ask for more, or deny it. They never make it less.
func (e *Env) refused(ctx context.Context, d edit, r rules) (string, error) {
	d, asked, err := e.disinterested(d)
	if err != nil {
		return "", err
	}
	by, err := e.owner(ctx, d.pull, r.owners, r.teams)
	if err != nil {
		return "", err
	}
	if by == "" {
		but := fmt.Sprintf("its author %q", d.pull.Author)
		for _, who := range asked {
			if who.by != d.pull.Author {
				but += fmt.Sprintf(" and %q, who asked for it", who.by)
			}
		}
		return fmt.Sprintf("%s was merged by %s without the approval of an owner (%s) other than %s", d.changes[0].Path, d.pull.Branch, strings.Join(r.owners, ", "), but), nil
	}
	if why := alien(d); why != "" {
		return why, nil
	}
	list, err := e.judged(ctx, d, r)
	if err != nil {
		return "", err
	}
	missing, err := e.unmet(ctx, list, d.pull, r)
	if missing = append(forbidden(list), missing...); err != nil || len(missing) == 0 {
		return "", err
	}
	return fmt.Sprintf("%s was merged by %s, and the policies before it say otherwise: %s", d.changes[0].Path, d.pull.Branch, strings.Join(missing, "; ")), nil
}

// alien says what is changed in a pull request that ringmaster opened and never
// proposes there, "" where nothing is: ringmaster is its author, so that whoever pushed
// it could approve their own words.
func alien(d edit) string {
	id := strings.TrimPrefix(d.pull.Branch, prefix)
	_, _, _, planned := plan.ParseID(id)
	for _, c := range d.changes {
		if planned ||
			strings.HasPrefix(id, overridePrefix) && c.Path != "overrides/"+id+".jsonl" ||
			strings.HasPrefix(d.pull.Branch, modelBranch) && !strings.HasPrefix(c.Path, "models/") {
			return fmt.Sprintf("%s is nothing that ringmaster proposes by %s; it takes a pull request of its own", c.Path, d.pull.Branch)
		}
	}
	return ""
}

// judged are the decisions of the policies before an edit about it.
func (e *Env) judged(ctx context.Context, d edit, r rules) ([]plan.Decision, error) {
	law, _, err := e.editLaw(r.law)
	if err != nil || law == nil || !law.JudgesEdits() {
		return nil, err
	}
	in, err := e.asking(ctx, d, r)
	if err != nil {
		return nil, err
	}
	standing := slices.DeleteFunc(slices.Clone(r.exceptions), func(x inventory.Exception) bool { return !x.Until.IsZero() && !d.at.Before(x.Until) })
	return law.Decide(in, standing), nil
}

// asking is an edit as policies are asked about it.
func (e *Env) asking(ctx context.Context, d edit, r rules) (*policy.Input, error) {
	in := &policy.Input{Schema: policy.Schema, Point: policy.Edit, Phase: "plan", At: d.at.UTC(), Estate: r.estate}
	in.Estate.Owners = r.owners
	var err error
	in.Edit, err = e.editInput(ctx, d, r)
	return in, err
}

// unmet are the approvals that decisions about an edit ask for and that are not
// there, in words.
func (e *Env) unmet(ctx context.Context, list []plan.Decision, pr forge.PullRequest, r rules) ([]string, error) {
	var missing []string
	for _, need := range policy.Approvals(list) {
		teams := []string{need.From}
		if need.From == policy.DefaultTeam {
			teams = r.owners // a rule that does not say whom means any of them
		}
		given, err := e.given(ctx, r.teams, pr, teams...)
		if err != nil {
			return nil, err
		}
		if len(given) < need.Count {
			missing = append(missing, lack(len(given), need))
		}
	}
	return missing, nil
}

// forbidden is what decisions deny or hold, in words.
func forbidden(list []plan.Decision) []string {
	var said []string
	for _, d := range list {
		if d.Effect != plan.Deny && d.Effect != plan.Hold {
			continue
		}
		text := d.Rule + ": " + d.Message
		if d.Remedy != "" {
			text += " (" + d.Remedy + ")"
		}
		said = append(said, text)
	}
	return said
}
