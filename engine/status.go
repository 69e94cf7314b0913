package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// How long something may be due before its silence is worth a word, and how far
// ahead ends and freezes are told.
const (
	late   = time.Hour
	silent = 7 * 24 * time.Hour // of declared feeds, many of which bring something daily
	notice = 14 * 24 * time.Hour
)

// Status is where the estate stands on the protected branch: what waits for
// people, what runs, what is held, and what should have happened and did not.
// It writes nothing.
func (e *Env) Status(ctx context.Context) (*report.Board, error) {
	x := &Executor{Env: e}
	t, err := x.survey(ctx, func(repo.Hash) error { return nil })
	if err != nil {
		return nil, err
	}
	est, d := t.est, t.decider
	b := &report.Board{Estate: est.Settings.Name, At: e.At, Timezone: est.Settings.Timezone, Commit: string(t.commit),
		Alerts: []string{}, Open: []report.OpenPlan{}, Queue: []report.QueuedPlan{}, Running: []report.RunningPlan{}, Holds: d.standingHolds(), Waiting: []report.Waiting{}, Blind: []string{}}
	if err := e.trusted(ctx, t.commit, "executed"); err != nil {
		b.Alerts = append(b.Alerts, "execute stops: "+err.Error())
	} else if err := x.confirmed(ctx, t); err != nil {
		return nil, err
	}
	broken, err := e.brokenGlass(ctx, est.Overrides, d.deeds)
	if err != nil {
		return nil, err
	}
	for _, x := range broken {
		if x.unreviewed != "" {
			b.Alerts = append(b.Alerts, x.unreviewed)
		}
	}
	if err := e.boardRuns(b, t); err != nil {
		return nil, err
	}
	plans, blind, err := e.decideSeeing(est, t.commit, e.At, e.Version)
	if err != nil {
		return nil, fmt.Errorf("planning: %w", err)
	}
	b.Blind = append(b.Blind, blind.Says()...)
	if err := e.boardPulls(ctx, b, plans, est.Settings.OpenPlans); err != nil {
		return nil, err
	}
	b.Waiting = report.WaitingOf(plans, inHand)
	return b, e.boardSigns(b, t)
}

// boardSigns adds when machines were last heard of, and that they are silent.
func (e *Env) boardSigns(b *report.Board, t *tip) error {
	for i := range t.est.Hosts {
		if f := t.est.Hosts[i].Facts; f != nil && f.At.After(b.Facts) {
			b.Facts = f.At
		}
	}
	if n := t.decider.population(); n.Declared > 0 && n.Fresh == 0 {
		b.Alerts = append(b.Alerts, fmt.Sprintf("no host of %d has fresh facts: nothing can be planned until facts are imported again", n.Declared))
	}
	for _, folder := range []string{"inventory/advisories", "inventory/patches"} {
		for c, err := range e.Repo.PathHistory(t.commit, folder) {
			if err != nil {
				return fmt.Errorf("looking for the newest advisories: %w", err)
			}
			if c.At.After(b.Feeds) {
				b.Feeds = c.At
			}
			break
		}
	}
	if old := e.At.Sub(b.Feeds); len(t.est.Feeds) > 0 && old >= silent {
		b.Alerts = append(b.Alerts, fmt.Sprintf("no feed has brought anything since %s: does `feeds sync` run?", cmp.Or(b.When(b.Feeds), "the beginning")))
	}
	return nil
}

// Pin keeps the board where people find it on the forge, in one place that is
// edited every so often. A run or two may come late; a page that is older says by
// itself that ringmaster has stopped.
func (e *Env) Pin(ctx context.Context, b *report.Board, every time.Duration) error {
	b.Next = b.At.Add(2 * every)
	at, err := e.Forge.Pin(ctx, forge.Page{Key: "status", Title: "Where " + b.Estate + " stands", Body: string(b.Markdown())})
	switch {
	case err != nil:
		return fmt.Errorf("keeping the board on the forge: %w", err)
	case at == "":
		e.Log.Warn("the local forge keeps no pages; `ringmaster status` shows it whenever it is asked")
	default:
		e.Log.WithField("at", at).Info("kept")
	}
	return nil
}

// boardRuns adds merged plans that are not over, and what is late in them.
func (e *Env) boardRuns(b *report.Board, t *tip) error {
	refused := map[string]string{}
	for _, r := range t.refused {
		refused[r.Plan] = r.Why
	}
	for _, done := range t.decider.deeds {
		if n := len(done.lines); n > 0 && done.lines[n-1].At.After(b.Heard) {
			b.Heard = done.lines[n-1].At
		}
		g, err := rollout.Read(done.plan, done.lines)
		if err != nil {
			return err
		}
		if g.Complete || done.gone && refused[done.plan.ID] == "" {
			continue
		}
		told := taleOf(done, g, refused[done.plan.ID], forge.PullRequest{}, e.At).told
		b.Running = append(b.Running, report.RunningPlan{ID: done.plan.ID, Title: report.Title(done.plan), Rings: ringsOf(g), Next: told.Next, For: told.For, Refused: told.Refused, Trouble: told.Trouble()})
		if due, what := overdueSince(g, e.At); !due.IsZero() && refused[done.plan.ID] == "" {
			b.Alerts = append(b.Alerts, fmt.Sprintf("%s has had %s due since %s and nothing was written since: does execute run%s?", done.plan.ID, what, b.When(due), unanswered[what]))
		}
	}
	return nil
}

// unanswered is what else may be silent where something is overdue.
var unanswered = map[string]string{"a verdict": ", and does its health source answer"}

// overdueSince is when the oldest work of a plan was due that nobody has begun
// although its wave is open, or the oldest verdict that nobody has given although
// its soak is over; zero where nothing is late.
func overdueSince(g *rollout.Progress, at time.Time) (due time.Time, what string) {
	step := rollout.Next(g, at)
	see := func(since time.Time, kind string) {
		if g.Last.After(since) {
			since = g.Last
		}
		if at.Sub(since) >= late && (due.IsZero() || since.Before(due)) {
			due, what = since, kind
		}
	}
	for _, c := range slices.Concat(step.Apply, step.Rollback, step.Open) {
		see(c.Start, "work")
	}
	for _, c := range step.Judge {
		see(c.Soaked(), "a verdict")
	}
	return due, what
}

// ringsOf counts a plan's changes by ring, in the plan's order.
func ringsOf(g *rollout.Progress) []report.RingProgress {
	var list []report.RingProgress
	for _, c := range g.Changes {
		if n := len(list); n == 0 || list[n-1].Name != c.Ring {
			list = append(list, report.RingProgress{Name: c.Ring})
		}
		r := &list[len(list)-1]
		r.Changes++
		switch {
		case c.State == rollout.Healthy:
			r.Healthy++
		case c.Bad || c.State == rollout.RolledBack || c.State == rollout.Stuck:
			r.Bad++
		case c.State != rollout.Pending && c.State != rollout.Skipped && c.State != rollout.Unknown:
			r.Between++
		}
	}
	return list
}

// boardPulls adds the open pull requests, and the plans that none stands for.
func (e *Env) boardPulls(ctx context.Context, b *report.Board, plans []*plan.Plan, limit int) error {
	open, err := e.openPulls(ctx)
	if err != nil {
		return err
	}
	_, r, err := e.judge(ctx)
	if err != nil {
		return err
	}
	for _, branch := range sortedKeys(open) {
		pr := open[branch]
		x := report.OpenPlan{ID: strings.TrimPrefix(branch, prefix), Title: pr.Title, URL: pr.URL, Missing: []string{}}
		p, why, err := e.openPlan(ctx, pr)
		if err != nil {
			return err
		}
		if p == nil {
			x.Missing = append(x.Missing, "a plan that can be read")
			b.Alerts = append(b.Alerts, x.ID+": its pull request brings no plan that can be read: "+why)
			b.Open = append(b.Open, x)
			continue
		}
		x.Deadline = report.DeadlineOf(p)
		x.Start = startOf(p)
		_, lacks, err := e.approved(ctx, r.teams, p, pr)
		if err != nil {
			return err
		}
		for _, l := range lacks {
			short, _, _ := strings.Cut(l.String(), ": ") // why each is asked for stands in the plan
			x.Missing = append(x.Missing, short)
		}
		if len(lacks) > 0 && !x.Start.IsZero() && e.At.After(x.Start) {
			b.Alerts = append(b.Alerts, fmt.Sprintf("%s was to start at %s and still lacks %s%s", x.ID, b.When(x.Start), strings.Join(x.Missing, "; "), escalated(lacks)))
		}
		b.Open = append(b.Open, x)
	}
	slices.SortStableFunc(b.Open, func(x, y report.OpenPlan) int { return x.Deadline.Compare(y.Deadline) })
	no, err := e.declined(ctx, plans, open)
	if err != nil {
		return err
	}
	for _, p := range plans {
		if _, ok := open[prefix+p.ID]; !ok && len(p.Rings) > 0 {
			x := report.QueuedPlan{ID: p.ID, Title: report.Title(p), Deadline: report.DeadlineOf(p), Why: "it waits for `plan --open`"}
			if d := no[prefix+p.ID]; d != nil && d.news == nil {
				x.Why, x.URL = d.String(), d.pull.URL
				if !e.At.Before(x.Deadline) {
					b.Alerts = append(b.Alerts, fmt.Sprintf("%s was due at %s, and %s", x.ID, b.When(x.Deadline), x.Why))
				}
			} else if len(open) >= limit && classOf(p) != plan.Critical {
				x.Why = fmt.Sprintf("it waits for its turn: the estate allows %d open at a time, and there are %d", limit, len(open))
			}
			b.Queue = append(b.Queue, x)
		}
	}
	slices.SortStableFunc(b.Queue, func(x, y report.QueuedPlan) int { return x.Deadline.Compare(y.Deadline) })
	return nil
}

// openPlan is the plan of an open pull request, or why it has none: whoever may
// push may push nonsense, and the board is shown all the same.
func (e *Env) openPlan(ctx context.Context, pr forge.PullRequest) (p *plan.Plan, why string, err error) {
	data, err := e.Forge.File(ctx, pr.Head, plan.Path(strings.TrimPrefix(pr.Branch, prefix)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "there is no plan.json", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the plan of %s: %w", pr.Branch, err)
	}
	if p, err = plan.Parse(data); err != nil {
		return nil, err.Error(), nil
	}
	return p, "", nil
}

// endsSoon is how long before its end, and after it, an override or an exception
// is pointed at.
const endsSoon = 7 * 24 * time.Hour

// noticeOf is what to say of an end.
func noticeOf(until, at time.Time) string {
	switch {
	case until.IsZero() || until.After(at.Add(endsSoon)) || lapsed(until, at):
		return ""
	case until.After(at):
		return "ends soon"
	}
	return "ended"
}

// lapsed says whether an end is so long ago that nobody need be told.
func lapsed(until, at time.Time) bool {
	return !until.IsZero() && !at.Before(until.Add(endsSoon))
}

// standingHolds are what keeps things from happening now or soon, and
// exceptions that stand, and overrides and exceptions that ended lately: what ends
// first, first.
func (d *decider) standingHolds() []report.Hold {
	list := []report.Hold{}
	for _, o := range d.est.Overrides {
		if o.Kind != outcome.Exception && begun(o, d.at) && !lapsed(o.Until, d.at) {
			list = append(list, report.Hold{Kind: o.Kind, What: cmp.Or(overridden(o), "everything"), Why: o.Reason, By: o.By, Until: o.Until, Notice: noticeOf(o.Until, d.at)})
		}
	}
	for _, f := range d.freezes {
		if d.at.Before(f.To) && f.From.Before(d.at.Add(notice)) {
			list = append(list, report.Hold{Kind: "freeze", What: fmt.Sprintf("%s: %s", f.Name, strings.Join(f.Services, ", ")), Why: f.Reason, From: f.From, Until: f.To})
		}
	}
	for _, x := range d.est.Exceptions { // those among overrides too
		if !x.From.After(d.at) && !lapsed(x.Until, d.at) {
			list = append(list, report.Hold{Kind: "exception", What: x.Patch + " on " + cmp.Or(strings.Join(x.Services, ", "), "every service"), Why: x.Reason, By: x.Owner, Until: x.Until, Notice: noticeOf(x.Until, d.at)})
		}
	}
	for _, q := range d.walls {
		what := q.Patch + " on " + q.Cohort
		if q.Whole {
			what = "everything on " + q.Host + ", which needs a person"
		}
		if !d.lifted(q, nil) {
			list = append(list, report.Hold{Kind: "quarantine", What: what, Why: q.Why, By: q.Plan, Until: q.Until})
		}
	}
	report.SortHolds(list)
	return list
}

// overridden is what an override is about, in words.
func overridden(o outcome.Override) string {
	var list []string
	for _, x := range []struct{ what, name string }{{"patch", o.Patch}, {"host", string(o.Host)}, {"service", o.Service}, {"plan", o.Plan}, {"", o.Value}} {
		if x.name != "" {
			list = append(list, strings.TrimSpace(x.what+" "+x.name))
		}
	}
	return strings.Join(list, ", ")
}
