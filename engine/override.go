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
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
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

// Zone is the estate's time zone, in which a date alone is meant.
func (e *Env) Zone(ctx context.Context) (*time.Location, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	est, err := e.read(base)
	if err != nil {
		return nil, err
	}
	return ring.Zone(est.Settings.Timezone)
}

// looseMost is how long what takes caution away may last.
const looseMost = 90 * 24 * time.Hour

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
	said := cmp.Or(o.At, e.At)
	o.Schema, o.At = schemaOverride, e.At
	o.Loosens = Loosens(o)
	if err := checkOverride(o); err != nil {
		return recorded{}, err
	}
	if err := e.known(ctx, o); err != nil {
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
	if o.Kind == outcome.Release {
		return e.release(ctx, o, said)
	}
	if o.Loosens {
		return e.loosen(ctx, o, nil)
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
		n, err := e.overrideCommit(base, "overrides/"+e.At.UTC().Format("2006-01")+".jsonl", o)
		if err != nil {
			return err
		}
		r.commit, err = e.advance(ctx, branch, n)
		return err
	})
	return r, err
}

// known refuses names that the protected branch's estate does not have. Where it
// cannot be read what a person says is recorded all the same.
func (e *Env) known(ctx context.Context, o outcome.Override) error {
	_, base, err := e.base(ctx)
	if err != nil {
		return err
	}
	est, err := e.read(base)
	if err != nil {
		e.Log.WithError(err).Warn("whether the estate has the names in this is not known")
		return nil
	}
	if list := strangers(est, o); len(list) > 0 {
		return errors.New(strings.Join(list, "; "))
	}
	return nil
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

// overrideCommit adds lines of one override to a file.
func (e *Env) overrideCommit(base repo.Hash, path string, list ...outcome.Override) (repo.Next, error) {
	data, err := e.readOrEmpty(base, path)
	if err != nil {
		return repo.Next{}, err
	}
	for _, o := range list {
		line, err := plan.Canonical(o)
		if err != nil {
			return repo.Next{}, err
		}
		if why := estate.OverrideProblem(line); why != "" {
			return repo.Next{}, fmt.Errorf("an override that nobody could read is not written: %s", why)
		}
		data = append(append(data, line...), '\n')
	}
	o := list[0]
	message := overrideTitle(o) + "\n\nbecause " + markup.Message(o.Reason)
	if o.Evidence != "" {
		message += "\n\nSaid in " + o.Evidence
	}
	return repo.Next{Base: base, Author: bot, At: e.At, Changes: map[string][]byte{path: data}, Message: message}, nil
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

// checkOverride says what is wrong with an override by itself.
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
	case o.Kind == outcome.Release && !o.Until.IsZero():
		return errors.New("a release has no end; leave out --until")
	case o.Kind != outcome.Release && o.Loosens && o.Until.IsZero():
		return errors.New("what takes caution away ends by itself; say when with --until")
	case o.Loosens && o.Until.After(o.At.Add(looseMost)):
		return errors.New("what takes caution away lasts for 90 days at most; say when it ends with --until")
	case o.Kind == outcome.Lift && o.Patch == "" && o.Host == "":
		return errors.New("what is lifted is the quarantine of a patch, or of a host; say which with --patch or --host")
	case o.Kind == outcome.Exception && (o.Patch == "" || o.Host != "" || o.Plan != ""):
		return errors.New("an exception is about a patch, and a service where it names one; say which with --patch and --service")
	case o.Kind == outcome.Exception && o.Value != "" && !estate.IsRule(o.Value):
		return fmt.Errorf("%q is not the name of a rule; expected as in freeze.deny", o.Value)
	}
	return nil
}

// strangers says which names of an override its estate does not have, nothing where it
// has them all. What is written wrong would do nothing, and say that it did.
func strangers(est *estate.Estate, o outcome.Override) []string {
	var list []string
	if o.Host != "" && !slices.ContainsFunc(est.Hosts, func(h inventory.Host) bool { return h.ID == o.Host }) {
		var names []string
		for _, h := range est.Hosts {
			names = append(names, string(h.ID))
		}
		list = append(list, fmt.Sprintf("there is no host %q; %s", o.Host, hclfile.Expected(string(o.Host), names)))
	}
	if o.Service != "" && !slices.ContainsFunc(est.Services, func(s inventory.Service) bool { return s.Name == o.Service }) {
		var names []string
		for _, s := range est.Services {
			names = append(names, s.Name)
		}
		list = append(list, fmt.Sprintf("there is no service %q; %s", o.Service, hclfile.Expected(o.Service, names)))
	}
	return list
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
		if begun(o, at) && !lapsed(o.Until, at) && concerns(p, names, est.Hosts, o) {
			list = append(list, report.Hold{Kind: o.Kind, What: cmp.Or(overridden(o), "everything"), Why: o.Reason, By: o.By, Until: o.Until, Notice: noticeOf(o.Until, at)})
		}
	}
	report.SortHolds(list)
	return list
}
