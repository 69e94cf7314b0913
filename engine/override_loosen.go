package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// overridePrefix begins the ids of overrides that are proposed.
const overridePrefix = "override-"

// loosen proposes an override to the owners, in a file of its own: one that
// others add to meanwhile could not be merged. A release has a line for each one that
// it ends. What was proposed before, of the same evidence, is not again, whatever
// became of it.
func (e *Env) loosen(ctx context.Context, o outcome.Override, ends []outcome.Override) (recorded, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return recorded{}, err
	}
	id := o.ID()
	if o.Evidence != "" {
		pr, err := e.Forge.Find(ctx, prefix+id)
		if err == nil && pr.State == "open" && !slices.Contains(pr.Labels, "override") { // the run before was cut off there
			pr, err = e.Forge.Propose(ctx, forge.Proposal{Branch: pr.Branch, Commit: pr.Head, Author: o.By, At: e.At, Title: pr.Title, Labels: []string{"override"}, Body: pr.Body})
		}
		if err == nil || !errors.Is(err, forge.ErrNotFound) {
			return recorded{override: o, pull: &pr}, err
		}
	}
	lines := []outcome.Override{o}
	if o.Kind == outcome.Release {
		lines = nil
		for _, x := range ends {
			o.Value = x.Sum()
			lines = append(lines, o)
		}
		o.Value = ""
	}
	n, err := e.overrideCommit(base, "overrides/"+id+".jsonl", lines...)
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
		Body: "This takes caution away, so an owner other than who asked for it must approve it.\n\n" + quoted(askedFor(o, ends)) + "\n",
	})
	return recorded{override: o, pull: &pr}, err
}

// release proposes to end before its time what adds caution about just what the
// release is about. What is said of it later stands.
func (e *Env) release(ctx context.Context, o outcome.Override, said time.Time) (recorded, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return recorded{}, err
	}
	est, err := e.read(base)
	if err != nil {
		return recorded{}, err
	}
	ends, why := cautions(est.Overrides, o, e.At, said)
	if why != "" {
		return recorded{}, errors.New(why)
	}
	return e.loosen(ctx, o, ends)
}

// releaseReach is how long after a release was said what it ends may have been recorded:
// both may have waited for a run.
const releaseReach = time.Hour

// cautions are the overrides that a release said at some time would end now, or why
// there are none.
func cautions(all []outcome.Override, o outcome.Override, now, said time.Time) (list []outcome.Override, why string) {
	var others []string
	for _, x := range all {
		switch {
		case Loosens(x) || !stands(x, now) || said.Before(now) && x.At.After(said.Add(releaseReach)): // said now, it means all that lies there
		case x.Patch == o.Patch && x.Host == o.Host && x.Service == o.Service && x.Plan == o.Plan:
			list = append(list, x)
		default:
			others = append(others, caution(x))
		}
	}
	switch {
	case len(list) > 0:
		return list, ""
	case len(others) == 0:
		return nil, "nothing is held, excluded, stopped or taken for riskier"
	}
	const most = 5
	why = fmt.Sprintf("nothing that stands is about just %s; what stands is %s", everything(o), strings.Join(others[:min(most, len(others))], "; "))
	if more := len(others) - most; more > 0 {
		why += fmt.Sprintf("; and %d more", more)
	}
	return nil, why
}

// caution is an override that adds caution, in words.
func caution(o outcome.Override) string {
	return fmt.Sprintf("%s of %s by %s", o.Kind, everything(o), o.By)
}

// everything is what an override is about, in words.
func everything(o outcome.Override) string {
	o.Value = ""
	return cmp.Or(overridden(o), "everything")
}

// askedFor is an override as its pull request tells it, with what it ends.
func askedFor(o outcome.Override, ends []outcome.Override) string {
	text := fmt.Sprintf("%s: %s\nasked for by %s", o.Kind, cmp.Or(overridden(o), "everything"), o.By)
	if o.Kind != outcome.Release {
		text += ", until " + endOf(o)
	}
	if o.ReasonType != "" {
		text += "\nreason: " + o.ReasonType
	}
	text += "\n\n" + o.Reason
	for i, x := range ends {
		if i == 0 {
			text += "\n\nit ends:"
		}
		text += fmt.Sprintf("\n%s, until %s: %s", caution(x), endOf(x), x.Reason)
	}
	if o.Evidence != "" {
		text += "\n\nsaid in " + o.Evidence
	}
	return text
}

// endOf is when an override ends by itself, in words.
func endOf(o outcome.Override) string {
	if o.Until.IsZero() {
		return "it is released"
	}
	return stamp(o.Until)
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
