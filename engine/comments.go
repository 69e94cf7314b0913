package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/command"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/report"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// CommentsOptions are what answering comments takes from outside.
type CommentsOptions struct {
	Tell func(*Explanation) string // an explanation as plain text
}

// Thread is what became of the commands below one pull request.
type Thread struct {
	Plan    string
	Answers report.Answers
}

// How long a command may wait for its answer, and for how long one to plan again
// is heard: after that the schedule has.
const (
	commandLife = 7 * 24 * time.Hour
	replanLife  = 6 * time.Hour
	// clocksApart is how far the forge's clock may be before the run's.
	clocksApart = 5 * time.Minute
)

// toldMost is how many of a thread's newest commands are explained; that takes
// deciding the plan again for each.
const toldMost = 5

// Comments reads what people wrote below the pull requests of plans that are open, or
// merged and not over, does what those ask for who may, and answers each pull
// request in one comment, which is edited. It remembers nothing: what was decided is known by its evidence in
// overrides/, and everything else is answered anew from what is there, so that a run
// may be killed anywhere and another one come after it.
func (e *Env) Comments(ctx context.Context, o CommentsOptions) ([]Thread, error) {
	if err := e.ready(ctx); err != nil {
		return nil, err
	}
	a, err := e.answering(ctx, o)
	if err != nil {
		return nil, err
	}
	pulls, err := a.pulls(ctx)
	if err != nil {
		return nil, err
	}
	var wrong []error // of one pull request: the others are answered all the same
	var threads []*thread
	for _, branch := range sortedKeys(pulls) {
		t, err := a.hear(ctx, pulls[branch])
		if err != nil {
			wrong = append(wrong, fmt.Errorf("answering %s: %w", branch, err))
		}
		if t != nil && len(t.heard)+len(t.refused) > 0 {
			threads = append(threads, t)
		}
	}
	if a.wanted {
		if err := a.plan(ctx, threads); err != nil {
			wrong = append(wrong, err)
		}
	}
	var list []Thread
	for _, t := range threads {
		answers, err := a.answers(ctx, t)
		if err == nil {
			err = e.Forge.Say(ctx, t.pr.Branch, "commands", answers.Markdown())
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("answering %s: %w", t.pr.Branch, err))
			continue
		}
		list = append(list, Thread{t.id, *answers})
	}
	return list, errors.Join(wrong...)
}

// answering is one run over all pull requests.
type answering struct {
	*Env
	tell    func(*Explanation) string
	base    repo.Hash
	est     *estate.Estate // of the base
	zone    *time.Location
	before  []recorded // overrides with an evidence that the base ever held
	may     map[string]string
	wanted  bool // to plan again
	planned bool // again, in this run
}

func (e *Env) answering(ctx context.Context, o CommentsOptions) (*answering, error) {
	a := &answering{Env: e, tell: o.Tell, may: map[string]string{}}
	return a, a.look(ctx)
}

// look reads the protected branch. Where that fails, what was read before stays.
func (a *answering) look(ctx context.Context) error {
	_, base, err := a.Env.base(ctx)
	if err != nil {
		return err
	}
	est, err := a.read(base)
	if err != nil {
		return err
	}
	zone, err := ring.Zone(est.Settings.Timezone)
	if err != nil {
		return err
	}
	before, err := a.evidences(base)
	if err == nil {
		a.base, a.est, a.zone, a.before = base, est, zone, before
	}
	return err
}

// thread is one pull request with what was said below it.
type thread struct {
	pr      forge.PullRequest
	id      string
	plan    *plan.Plan // nil where the pull request brings none that can be read
	why     string     // then
	closed  string     // why it was closed by this run
	heard   []*heard   // oldest first
	refused []report.Refusal
}

// heard is a command with what became of it, "" as long as that is to be found.
type heard struct {
	command.Command
	comment forge.Comment
	became  string
	link    string
	detail  string
}

// hear reads a pull request's comments and does what is decided in them.
func (a *answering) hear(ctx context.Context, pr forge.PullRequest) (*thread, error) {
	t := &thread{pr: pr, id: strings.TrimPrefix(pr.Branch, prefix)}
	comments, err := a.Forge.Comments(ctx, pr.Branch)
	if err != nil {
		return nil, err
	}
	if t.plan, t.why, err = a.openPlan(ctx, pr); err != nil {
		return nil, err
	}
	var wrong []error
	for _, c := range comments {
		if c.Bot || c.At.After(a.At.Add(clocksApart)) {
			continue
		}
		if c.Edited.After(c.At) {
			t.recall(a.before, c)
		}
		for _, said := range command.Parse(c.Body, a.zone) {
			if err := a.listen(ctx, t, &heard{Command: said, comment: c}); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	return t, errors.Join(wrong...)
}

// recall tells what was recorded of a comment that was edited since.
func (t *thread) recall(before []recorded, c forge.Comment) {
	for _, r := range before {
		if strings.HasPrefix(r.override.Evidence, evidenceOf(t, c)) {
			h := &heard{comment: c, became: "recorded before the comment was edited, as it was then"}
			h.Text = r.override.Kind + " " + overridden(r.override)
			t.heard = append(t.heard, h)
		}
	}
}

// listen settles a command as far as it can be without the plan that may have to
// be made again. The order matters: what stands in Git is told whoever asks, and
// nothing else is for those who may not write.
func (a *answering) listen(ctx context.Context, t *thread, h *heard) error {
	o := a.overrideOf(t, h)
	if o != nil && !h.edited() {
		if i := slices.IndexFunc(a.before, func(r recorded) bool { return saysSame(r.override, *o) }); i >= 0 {
			h.became, h.link = a.standing(a.before[i])
			t.heard = append(t.heard, h)
			return nil
		}
	}
	level, err := a.permission(ctx, h.comment.By)
	if err != nil {
		return err
	}
	if !writes(level) {
		t.refuse(h.comment.By, level)
		return nil
	}
	t.heard = append(t.heard, h)
	switch {
	case h.edited():
		h.became = "the comment was edited since it was written, perhaps by somebody else, so nothing of it is done; write it in a comment of its own"
	case a.At.Sub(h.comment.At) > commandLife:
		h.became = "it waited for more than 7 days, and is not done any more; write it again where it still holds"
	case len(h.Faults) > 0:
		h.became = "not understood: " + strings.Join(h.Faults, "; ")
	case o != nil:
		return a.decide(ctx, t, h, *o)
	case h.Verb == command.Replan && a.At.Sub(h.comment.At) <= replanLife:
		a.wanted = true
		put(&a.wished, t.id, append(a.wished[t.id], h.comment.By))
	}
	return nil
}

func (h *heard) edited() bool { return h.comment.Edited.After(h.comment.At) }

// refuse counts somebody who may not ask.
func (t *thread) refuse(by, may string) {
	switch {
	case by == "":
		by = "a deleted account"
	case !isLogin(by):
		by = strconv.QuoteToASCII(by) // it may look like another
	}
	i := slices.IndexFunc(t.refused, func(r report.Refusal) bool { return r.By == by })
	if i < 0 {
		i = len(t.refused)
		t.refused = append(t.refused, report.Refusal{By: by, May: may})
	}
	t.refused[i].Many++
}

// isLogin says whether a name is of letters that forges give.
func isLogin(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return name != "" && len(name) <= 100 && strings.Trim(name, letters) == ""
}

// permission asks the forge what somebody may do now, once in a run. A name that
// no forge gives, as with letters that look like others, may do nothing.
func (a *answering) permission(ctx context.Context, by string) (string, error) {
	if !isLogin(by) {
		return "none", nil
	}
	if level, ok := a.may[by]; ok {
		return level, nil
	}
	level, err := a.Forge.Permission(ctx, by)
	if err != nil {
		return "", fmt.Errorf("asking what %q may do: %w", by, err)
	}
	a.may[by] = level
	return level, nil
}

// answers are a thread's, newest first.
func (a *answering) answers(ctx context.Context, t *thread) (*report.Answers, error) {
	out := &report.Answers{Timezone: a.est.Settings.Timezone, Refused: t.refused, Stand: bearing(a.est, t.plan, a.At)}
	told := 0
	for _, h := range slices.Backward(t.heard) {
		if h.became == "" {
			told++
			if err := a.reply(ctx, t, h, told <= toldMost); err != nil {
				return nil, err
			}
		}
		url := ""
		if t.pr.URL != "" {
			url = t.pr.URL + "#issuecomment-" + h.comment.ID
		}
		out.List = append(out.List, report.Answer{At: h.comment.At, By: h.comment.By, Text: h.Text, URL: url, Became: h.became, Link: h.link, Detail: h.detail})
	}
	return out, nil
}

// writes says whether a right, as the forge has it, is that to write or more.
func writes(level string) bool { return level == "write" || level == "maintain" || level == "admin" }
