package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/command"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// evidenceOf begins the evidence of what is said in a comment. The comment's hash
// ends it: an auditor can hold what the forge shows against it, and nobody knows it
// before the comment is there.
func evidenceOf(t *thread, c forge.Comment) string {
	return fmt.Sprintf("%s comment %s ", t.pr.Branch, c.ID)
}

// overrideOf is what a command records, nil where it records nothing. It is made
// of the comment alone, so that each run finds what another has recorded.
func (a *answering) overrideOf(t *thread, h *heard) *outcome.Override {
	if len(h.Faults) > 0 {
		return nil
	}
	o := &outcome.Override{
		Schema: schemaOverride, At: h.comment.At, By: h.comment.By, Account: h.comment.Account, Patch: h.Patch, Host: h.Host, Service: h.Service, Until: h.Until, Reason: h.Reason, ReasonType: h.ReasonType,
		Evidence: fmt.Sprintf("%sline %d %s", evidenceOf(t, h.comment), h.Line, plan.Sum([]byte(h.comment.Body))),
	}
	switch h.Verb {
	case command.Hold:
		o.Kind = "hold"
	case command.Exclude:
		o.Kind = "exclude"
	case command.Stop:
		o.Kind = "stop"
		if h.Rollbacks {
			o.Value = outcome.StopAll
		}
	case command.Override:
		o.Kind, o.Value = "risk", h.Risk
		if o.Patch == "" && o.Host == "" {
			o.Plan = t.id
		}
	case command.Exception:
		o.Kind, o.Value = outcome.Exception, h.Rule
	case command.Release:
		o.Kind = outcome.Release
		if o.Patch == "" && o.Host == "" && !h.Everything {
			o.Plan = t.id
		}
	default:
		return nil
	}
	o.Loosens = Loosens(*o)
	return o
}

// decide records an override, where it makes sense.
func (a *answering) decide(ctx context.Context, t *thread, h *heard, o outcome.Override) error {
	if why := a.senseless(t, h, o); why != "" {
		h.became = why
		return nil
	}
	if o.Kind == "risk" {
		o.Predicted = scoreOf([]*plan.Plan{t.plan}, a.est.Hosts, o)
	}
	r, err := a.disagree(ctx, o)
	if err != nil {
		h.became = "it could not be recorded yet; the next run tries again"
		return fmt.Errorf("recording what %s says in comment %s: %w", o.By, h.comment.ID, err)
	}
	a.wanted = a.wanted || r.pull == nil
	h.became, h.link = a.standing(r)
	a.Log.WithField("plan", t.id).WithField("by", o.By).WithField("kind", o.Kind).WithField("loosens", o.Loosens).Info("did what a comment asks for")
	return nil
}

// senseless says what is wrong with an override that was understood: it is about
// nothing here, or over already. "" where nothing is. A stop asks no plan.
func (a *answering) senseless(t *thread, h *heard, o outcome.Override) string {
	if t.plan == nil && o.Kind != "stop" {
		return "the pull request brings no plan that can be read: " + t.why
	}
	list := strangers(a.est, o)
	if o.Kind == outcome.Release {
		if _, why := cautions(a.est.Overrides, o, a.At, o.At); why != "" && len(list) == 0 {
			list = append(list, why)
		}
	} else if o.Patch != "" {
		if ids, ok := patchesLike(t.plan, o.Patch); !ok {
			list = append(list, fmt.Sprintf("the plan has no patch %q; %s", o.Patch, hclfile.Expected(o.Patch, ids)))
		}
	}
	switch {
	case !o.Until.IsZero() && !o.Until.After(a.At):
		list = append(list, fmt.Sprintf("%s is over", a.when(o.Until)))
	case o.Loosens && o.Until.After(h.comment.At.Add(looseMost)):
		list = append(list, fmt.Sprintf("what takes caution away lasts for 90 days at most, and %s is later", a.when(o.Until)))
	case o.Kind == outcome.Exception && o.Value != "" && !estate.IsRule(o.Value):
		list = append(list, fmt.Sprintf("%q is not the name of a rule; expected as in freeze.deny", o.Value))
	}
	if len(list) == 0 {
		return ""
	}
	return "not done: " + strings.Join(list, "; ")
}

// patchesLike are the ids of a plan's patches, and whether a pattern fits any; an
// empty one is about none.
func patchesLike(p *plan.Plan, pattern string) (ids []string, fits bool) {
	fits = pattern == ""
	for _, x := range p.Patches {
		ids = append(ids, string(x.ID))
		fits = fits || x.ID.Matches(pattern)
	}
	return ids, fits
}

// hostNames are the hosts that a plan speaks of, sorted.
func hostNames(p *plan.Plan) []string {
	var names []string
	for _, r := range p.Rings {
		for _, w := range r.Waves {
			for _, c := range w.Changes {
				names = append(names, string(c.Host))
			}
		}
	}
	for _, s := range p.NotPlanned {
		if s.Host != "" {
			names = append(names, string(s.Host))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// concerns says whether an override is about anything of a plan, which speaks of
// the hosts in names.
func concerns(p *plan.Plan, names []string, hosts []inventory.Host, o outcome.Override) bool {
	if o.Plan != "" {
		return o.Plan == p.ID
	}
	if _, fits := patchesLike(p, o.Patch); !fits {
		return false
	}
	if _, found := slices.BinarySearch(names, string(o.Host)); o.Host != "" && !found {
		return false
	}
	return o.Service == "" || slices.ContainsFunc(hosts, func(h inventory.Host) bool {
		_, found := slices.BinarySearch(names, string(h.ID))
		return found && slices.Contains(h.Services, o.Service)
	})
}

// standing says what became of what was said, and where it is seen.
func (a *answering) standing(r recorded) (text, link string) {
	o := r.override
	text = effect(o)
	switch {
	case o.Kind == outcome.Release:
	case o.Until.IsZero():
		text += " until it is released"
	default:
		text += " until " + a.when(o.Until)
	}
	if o.ReasonType != "" {
		text += fmt.Sprintf(" (%s)", o.ReasonType)
	}
	switch {
	case r.pull != nil && r.pull.State == "closed":
		return "proposed and declined: " + text, r.pull.URL
	case r.pull != nil:
		return fmt.Sprintf("proposed, for it takes caution away, so that an owner other than %s must approve it: %s", o.By, text), r.pull.URL
	case r.gone:
		text = "recorded and taken back since: " + text
	case a.released(o):
		text = "recorded and released since: " + text
	case !o.Until.IsZero() && !o.Until.After(a.At):
		text = "recorded, and over: " + text
	default:
		text = "recorded: " + text
	}
	return text, a.Forge.Shows(string(r.commit), a.pathOf(r))
}

// released says whether a release ended what was recorded before its own end.
func (a *answering) released(o outcome.Override) bool {
	return slices.ContainsFunc(a.est.Overrides, func(x outcome.Override) bool {
		early := !x.Until.Equal(o.Until)
		x.Until = o.Until
		return early && saysSame(x, o)
	})
}

// pathOf is the file in which a commit of the protected branch has an override.
func (a *answering) pathOf(r recorded) string {
	changed, err := a.Repo.Changed(r.commit)
	if err == nil {
		for _, path := range changed {
			if strings.HasPrefix(path, "overrides/") {
				return path
			}
		}
	}
	return "overrides"
}

// effect is what an override does, in words.
func effect(o outcome.Override) string {
	about := everything(o)
	switch o.Kind {
	case "hold", "exclude", "stop":
		text := "nothing begins"
		if about != "everything" {
			text = fmt.Sprintf("nothing of %s begins", about)
		}
		if o.Value == outcome.StopAll {
			text += ", and nothing is rolled back,"
		}
		return text
	case "risk":
		return fmt.Sprintf("the risk of %s is taken for %s", about, o.Value)
	case outcome.Exception:
		return fmt.Sprintf("%s lets %s through", cmp.Or(o.Value, "whatever rule yields to exceptions"), about)
	case outcome.Release:
		return fmt.Sprintf("what adds caution about %s ends", about)
	}
	return o.Kind + " " + about
}

// when is a time as the estate's clocks show it; answers say once which they are.
func (a *answering) when(t time.Time) string { return t.In(a.zone).Format("Mon 2 Jan 2006 15:04") }
