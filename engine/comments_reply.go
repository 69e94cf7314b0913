package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/command"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

// reply answers what changes nothing.
func (a *answering) reply(ctx context.Context, t *thread, h *heard, tell bool) (err error) {
	switch {
	case h.Verb == command.Help:
		h.became, h.detail = "told below", help()
	case h.Verb == command.Replan:
		h.became = a.replanned(t, h)
	case t.plan == nil:
		h.became = "the pull request brings no plan that can be read: " + t.why
	case h.Verb == command.Ask && h.Question == command.Who:
		h.became, err = a.who(ctx, t)
		return err
	case h.Verb == command.Ask:
		h.became = a.asked(t, h)
	case !tell:
		h.became = fmt.Sprintf("only the newest %d questions are answered; ask again", toldMost)
	default:
		return a.explain(t, h)
	}
	return nil
}

// replanned says what became of a wish to plan again. What one that says the same
// is worth is known by the plan's time alone.
func (a *answering) replanned(t *thread, h *heard) string {
	switch {
	case t.closed != "":
		return "planned again, and this pull request is closed: " + t.closed
	case t.pr.State == "merged":
		return "this plan is merged, and not made again; what is left of it when it is over is planned anew"
	case t.plan == nil:
		return "the pull request brings no plan that can be read: " + t.why
	case a.At.Sub(h.comment.At) > replanLife:
		return fmt.Sprintf("wished for over %d hours ago, and left to the schedule since; the plan is that of %s", int(replanLife.Hours()), a.when(t.plan.At))
	case !a.planned:
		return "not yet: the protected branch moved meanwhile; the next run of plan does it"
	}
	return fmt.Sprintf("planned again; the plan is that of %s, and one that would say the same is left alone with its approvals", a.when(t.plan.At))
}

func help() string {
	var b strings.Builder
	for _, u := range command.Usages {
		fmt.Fprintf(&b, "%s\n    %s\n", u.Form, u.Does)
	}
	fmt.Fprintf(&b, "\nDATE is as 2026-03-09, when that day begins where the estate is, or 2026-03-09T09:00:00Z.\nPATCH is an id, in which * and ? stand for others, as in deb:openssl@*.\nTYPE says what kind of reason it is, so that models learn from those that speak of the patch:\n")
	for _, t := range outcome.ReasonTypes {
		fmt.Fprintf(&b, "    %-14s %s\n", t.Word+":", t.Means)
	}
	return b.String()
}

// explainMost is how many patches of a host are explained.
const explainMost = 3

// explain decides the plan again. Its commit has to be the protected branch's: a
// branch that somebody pushed to may name one with policies of its own.
func (a *answering) explain(t *thread, h *heard) error {
	ours, err := a.wasTip(a.base, repo.Hash(t.plan.Inputs.Commit))
	if err != nil {
		return err
	}
	if !ours {
		h.became = "not explained: the plan names a commit that is not the protected branch's"
		return nil
	}
	patches, why := a.patchesOf(t.plan, h)
	if why != "" {
		h.became = why
		return nil
	}
	var names []string
	for i, id := range patches {
		names = append(names, string(id))
		if i >= explainMost {
			continue
		}
		x, err := a.explainPlan(t.plan, "its pull request", ExplainOptions{Plan: t.id, Patch: string(id), Host: string(h.Host)})
		if err != nil {
			h.detail += err.Error() + "\n"
			continue
		}
		h.detail += a.tell(x) + "\n"
	}
	h.became = "explained below: " + strings.Join(names[:min(len(names), explainMost)], ", ")
	if more := len(names) - explainMost; more > 0 {
		h.became += fmt.Sprintf("; of %d more, name one: %s", more, strings.Join(names[explainMost:min(len(names), 2*explainMost)], ", "))
	}
	return nil
}

// patchesOf are the patches of a plan that a question is about, in the plan's
// order, or why there are none.
func (a *answering) patchesOf(p *plan.Plan, h *heard) (list []plan.PatchID, why string) {
	on := map[plan.PatchID]bool{}
	for _, m := range mentions(p, h) {
		on[m.patch] = true
	}
	for _, x := range p.Patches {
		if on[x.ID] {
			list = append(list, x.ID)
		}
	}
	if len(list) > 0 {
		return list, ""
	}
	return nil, "the plan says nothing of it: " + a.unknown(p, h)
}

// unknown says which name of a question the plan does not have.
func (a *answering) unknown(p *plan.Plan, h *heard) string {
	if ids, ok := patchesLike(p, h.Patch); !ok {
		return fmt.Sprintf("there is no patch %q in it; %s", h.Patch, hclfile.Expected(h.Patch, ids))
	}
	names := hostNames(p)
	switch {
	case !slices.Contains(names, string(h.Host)):
		return fmt.Sprintf("there is no host %q in it; %s", h.Host, hclfile.Expected(string(h.Host), names))
	default:
		return fmt.Sprintf("host %q needs no %s, as far as is known", h.Host, h.Patch)
	}
}

// mention is where a plan speaks of a patch on a host: a wave, or why there is
// none.
type mention struct {
	patch   plan.PatchID
	host    inventory.HostID
	ring    string
	wave    *plan.Wave
	number  int
	skipped *plan.Skipped
}

// mentions are those of what a question is about: planned ones first, in the
// plan's order.
func mentions(p *plan.Plan, h *heard) []mention {
	var list []mention
	fits := func(patch plan.PatchID, host inventory.HostID) bool {
		return (h.Patch == "" || patch.Matches(h.Patch)) && (h.Host == "" || host == h.Host || host == "")
	}
	for _, r := range p.Rings {
		for n := range r.Waves {
			w := &r.Waves[n]
			for _, c := range w.Changes {
				if fits(c.Patch, c.Host) {
					list = append(list, mention{patch: c.Patch, host: c.Host, ring: r.Name, wave: w, number: n + 1})
				}
			}
		}
	}
	for i := range p.NotPlanned {
		if s := &p.NotPlanned[i]; fits(s.Patch, s.Host) {
			list = append(list, mention{patch: s.Patch, host: s.Host, skipped: s})
		}
	}
	return list
}

// asked answers a question from the plan alone.
func (a *answering) asked(t *thread, h *heard) string {
	list := mentions(t.plan, h)
	if len(list) == 0 {
		return "the plan says nothing of it: " + a.unknown(t.plan, h)
	}
	var lines []string
	for _, m := range list {
		lines = append(lines, a.mentioned(m, h.Question))
	}
	lines = distinct(lines)
	const most = 4
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d more in plan.md", more))
	}
	return strings.Join(lines, "; ")
}

// mentioned is what the plan says of one change.
func (a *answering) mentioned(m mention, q command.Question) string {
	if m.skipped == nil {
		text := fmt.Sprintf("%s on %s begins in ring %s, wave %d, between %s and %s", m.patch, m.host, m.ring, m.number, a.when(m.wave.Start), a.when(m.wave.End))
		if q == command.WhyNot {
			return "it is planned: " + text
		}
		return text
	}
	about := string(m.patch)
	if m.host != "" {
		about += " on " + string(m.host)
	}
	text := fmt.Sprintf("%s is not planned: %s", about, m.skipped.Why)
	if m.skipped.Until.IsZero() {
		return text + "; no date is known on which that ends"
	}
	return text + "; that ends " + a.when(m.skipped.Until)
}

// distinct leaves out what was said already.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// who says who must approve, and what is missing yet.
func (a *answering) who(ctx context.Context, t *thread) (string, error) {
	if len(t.plan.Approvals) == 0 {
		return "nobody must approve this plan", nil
	}
	var list []string
	for _, x := range t.plan.Approvals {
		text := fmt.Sprintf("%d of %s", x.Count, x.From)
		if !x.By.IsZero() {
			text += " by " + a.when(x.By)
		}
		list = append(list, text+", because "+report.Because(x.Because))
	}
	if t.pr.State == "merged" {
		return strings.Join(list, "; ") + "; it is merged", nil
	}
	missing, err := a.Missing(ctx, t.pr)
	if err != nil {
		return "", err
	}
	if len(missing) == 0 {
		return strings.Join(list, "; ") + "; nothing is missing", nil
	}
	for i := range missing {
		missing[i], _, _ = strings.Cut(missing[i], ": ") // why stands before
	}
	return strings.Join(list, "; ") + "; missing: " + strings.Join(missing, ", "), nil
}
