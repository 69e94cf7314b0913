package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// Override records a disagreement. What tightens is committed to the protected
// branch at once; what loosens becomes a pull request for the owners (Trust 4).
// It returns the pull request, nil where there is none.
func (e *Env) Override(ctx context.Context, o outcome.Override) (*forge.PullRequest, error) {
	r, err := e.disagree(ctx, o)
	return r.pull, err
}

// schemaOverride is the schema of overrides/*.jsonl.
const schemaOverride = "ringmaster/override/v1"

// recorded is where an override stands.
type recorded struct {
	override outcome.Override
	commit   repo.Hash          // of the protected branch that brought it, "" where none did
	pull     *forge.PullRequest // that proposes it, nil where none does
	gone     bool               // people took its line out since
}

// disagree records an override, unless one of its evidence was recorded before:
// then that one is returned, also where it was taken out since.
func (e *Env) disagree(ctx context.Context, o outcome.Override) (recorded, error) {
	o.Schema, o.At = schemaOverride, e.At
	o.Loosens = Loosens(o)
	if err := checkOverride(o); err != nil {
		return recorded{}, err
	}
	if o.Kind == outcome.BreakGlass {
		digest, err := e.versionOf(ctx, o.Plan)
		if err != nil {
			return recorded{}, fmt.Errorf("looking for the plan that is to begin: %w", err)
		}
		o.Value = digest
	}
	if o.Kind == "risk" && o.Predicted == nil {
		o.Predicted = e.predicted(ctx, o)
	}
	if o.Loosens {
		return e.loosen(ctx, o)
	}
	r := recorded{override: o}
	err := contest("recording an override", func() error {
		branch, base, err := e.base(ctx)
		if err != nil {
			return err
		}
		if o.Evidence != "" {
			all, err := e.evidences(base)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(all, func(b recorded) bool { return saysSame(b.override, o) }); i >= 0 {
				r = all[i]
				return nil
			}
		}
		n, err := e.overrideCommit(base, o, "overrides/"+e.At.UTC().Format("2006-01")+".jsonl")
		if err != nil {
			return err
		}
		r.commit, err = e.advance(ctx, branch, n)
		return err
	})
	return r, err
}

// predicted is the score that an override disagrees with: the worst of what it is
// about, in the plans that would be made now and those that are carried out. It
// is nil where nothing is scored, or nothing can be: what a person says is
// recorded all the same.
func (e *Env) predicted(ctx context.Context, o outcome.Override) *float64 {
	plans, hosts, err := e.scored(ctx)
	if err != nil {
		e.Log.WithError(err).Warn("which score this disagrees with is not known, and is not recorded")
		return nil
	}
	return scoreOf(plans, hosts, o)
}

func (e *Env) scored(ctx context.Context) ([]*plan.Plan, []inventory.Host, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, nil, err
	}
	est, err := e.read(base)
	if err != nil {
		return nil, nil, err
	}
	plans, err := e.decide(est, base, e.At, e.Version)
	if err != nil {
		return nil, nil, err
	}
	merged, err := deeds(est)
	for _, d := range merged {
		if !d.gone {
			plans = append(plans, d.plan)
		}
	}
	return plans, est.Hosts, err
}

// scoreOf is the worst score among the changes, or patches, that an override is
// about; nil where there is none.
func scoreOf(plans []*plan.Plan, hosts []inventory.Host, o outcome.Override) *float64 {
	serves := map[inventory.HostID]bool{}
	for _, h := range hosts {
		serves[h.ID] = slices.Contains(h.Services, o.Service)
	}
	var worst *float64
	see := func(patch plan.PatchID, p float64) {
		if (o.Patch == "" || patch.Matches(o.Patch)) && (worst == nil || p > *worst) {
			worst = &p
		}
	}
	for _, p := range plans {
		if o.Plan != "" && p.ID != o.Plan {
			continue
		}
		for _, r := range p.Rings {
			for _, w := range r.Waves {
				for _, c := range w.Changes {
					if (o.Host == "" || o.Host == c.Host) && (o.Service == "" || serves[c.Host]) {
						see(c.Patch, c.DeployRisk.P)
					}
				}
			}
		}
		for _, x := range p.Patches {
			if o.Host == "" && o.Service == "" {
				see(x.ID, x.DeployRisk.P)
			}
		}
	}
	return worst
}

// overrideCommit adds the override's line to a file.
func (e *Env) overrideCommit(base repo.Hash, o outcome.Override, path string) (repo.Next, error) {
	line, err := plan.Canonical(o)
	if err != nil {
		return repo.Next{}, err
	}
	if why := estate.OverrideProblem(line); why != "" {
		return repo.Next{}, fmt.Errorf("an override that nobody could read is not written: %s", why)
	}
	old, err := e.readOrEmpty(base, path)
	if err != nil {
		return repo.Next{}, err
	}
	message := overrideTitle(o) + "\n\nbecause " + markup.Message(o.Reason)
	if o.Evidence != "" {
		message += "\n\nSaid in " + o.Evidence
	}
	return repo.Next{Base: base, Author: bot, At: e.At, Changes: map[string][]byte{path: append(append(old, line...), '\n')}, Message: message}, nil
}

func overrideTitle(o outcome.Override) string {
	return markup.Message(fmt.Sprintf("override: %s by %s", o.Kind, o.By))
}

func (e *Env) readOrEmpty(at repo.Hash, path string) ([]byte, error) {
	blob, err := e.Repo.Blob(at, path)
	if err != nil || blob == "" {
		return nil, err
	}
	return e.Repo.ReadFile(at, path)
}

// overridePrefix begins the ids of overrides that are proposed.
const overridePrefix = "override-"

// loosen proposes an override to the owners, in a file of its own: one that
// others add to meanwhile could not be merged. What was proposed before, of the
// same evidence, is not again, whatever became of it.
func (e *Env) loosen(ctx context.Context, o outcome.Override) (recorded, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return recorded{}, err
	}
	named := o
	if o.Evidence != "" {
		named = said(o)
	}
	name, err := plan.Canonical(named)
	if err != nil {
		return recorded{}, err
	}
	id := fmt.Sprintf("%s%.10s", overridePrefix, strings.TrimPrefix(plan.Sum(name), "sha256:"))
	if o.Evidence != "" {
		pr, err := e.Forge.Find(ctx, prefix+id)
		if err == nil || !errors.Is(err, forge.ErrNotFound) {
			return recorded{override: o, pull: &pr}, err
		}
	}
	n, err := e.overrideCommit(base, o, "overrides/"+id+".jsonl")
	if err != nil {
		return recorded{}, err
	}
	h, err := e.Repo.Write(n)
	if err != nil {
		return recorded{}, err
	}
	if h, err = e.signed(ctx, prefix+id, h); err != nil {
		return recorded{}, err
	}
	pr, err := e.Forge.Propose(ctx, forge.Proposal{
		Branch: prefix + id, Commit: string(h), Author: o.By, At: e.At,
		Title: overrideTitle(o), Labels: []string{"override"},
		Body: "This takes caution away, so an owner other than who asked for it must approve it.\n\n" + quoted(askedFor(o)) + "\n",
	})
	return recorded{override: o, pull: &pr}, err
}

// askedFor is an override as its pull request tells it.
func askedFor(o outcome.Override) string {
	ends := "it is taken back"
	if !o.Until.IsZero() {
		ends = stamp(o.Until)
	}
	text := fmt.Sprintf("%s: %s\nasked for by %s, until %s", o.Kind, cmp.Or(overridden(o), "everything"), o.By, ends)
	if o.ReasonType != "" {
		text += "\nreason: " + o.ReasonType
	}
	text += "\n\n" + o.Reason
	if o.Evidence != "" {
		text += "\n\nsaid in " + o.Evidence
	}
	return text
}

// quoted makes text from outside inert in Markdown: a block that nothing ends,
// not even a carriage return, which Markdown takes for the end of a line.
func quoted(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
		b.WriteString("    " + line + "\n")
	}
	return b.String()
}

// bearing are the overrides that hold of a plan at a time, or ended lately: what
// ends first, first. No plan has none.
func bearing(est *estate.Estate, p *plan.Plan, at time.Time) []report.Hold {
	if p == nil {
		return nil
	}
	var list []report.Hold
	names := hostNames(p)
	for _, o := range est.Overrides {
		if !o.At.After(at) && !lapsed(o.Until, at) && concerns(p, names, est.Hosts, o) {
			list = append(list, report.Hold{Kind: o.Kind, What: overridden(o), Why: o.Reason, By: o.By, Until: o.Until, Notice: noticeOf(o.Until, at)})
		}
	}
	report.SortHolds(list)
	return list
}

func checkOverride(o outcome.Override) error {
	switch {
	case o.By == "":
		return errors.New("an override has an author; say who with --by")
	case strings.TrimSpace(o.Reason) == "":
		return errors.New("an override has a reason, which models learn from; say it with --reason")
	case o.Host != "" && !o.Host.Valid():
		return fmt.Errorf("%q is not a host's name", o.Host)
	case !o.Until.IsZero() && !o.Until.After(o.At):
		return fmt.Errorf("until %s is not after now", stamp(o.Until))
	case o.Kind == outcome.BreakGlass && o.Plan == "":
		return errors.New("break-glass is about one plan; say which with --plan")
	case o.Kind == outcome.BreakGlass && (o.Until.IsZero() || o.Until.Sub(o.At) > outcome.GlassLasts):
		return fmt.Errorf("break-glass ends within %d hours; say when with --until", int(outcome.GlassLasts.Hours()))
	}
	return nil
}
