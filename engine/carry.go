package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// do carries out one job. It looks before it acts: a step that an earlier run
// did and could not record is found done. When the wave is over the fleet is
// still asked where it may have accepted the step and be at work on it, or
// cannot say what is installed: it knows the keys it has answered, and refuses
// what it hears of first now. So it is where the brake is on and another run may
// have begun the step. ok is false where the outcome is not known yet, so that a
// later run asks again.
func (h *hand) do(ctx context.Context, j *job, found map[string]string) (Result, bool) {
	r := Result{Key: j.key, Plan: j.live.plan.ID, Host: j.change.Host, Patch: j.change.Patch, At: h.At, Fleet: h.block.Kind}
	packages := h.packages(j)
	at := where(packages, found)
	switch {
	case at == atTo:
		return h.foundDone(r, j), true
	case at == elsewhere:
		return h.surprised(r, j, packages, found)
	case at == atFrom && h.tooLate(j) && !slices.Contains(h.caps.Ops, "status"):
		r.Event, r.Detail = outcome.Skipped, tooLate
		return r, true
	}
	why := h.bars(ctx, j)
	_, inherited := h.inherited(j.live, j.change)
	if at == unknown && inherited && why == "" && !j.undo && !h.tooLate(j) && cmp.Or(j.change.HeldWith, h.unfit[j.change.Host]) != "" {
		// It is measured before it begins, and a run that was killed may have begun it.
		job, err := h.send(ctx, j, packages, false)
		switch e := (*fleet.Error)(nil); {
		case err == nil:
			return h.finish(ctx, r, j, job)
		case !errors.As(err, &e) || e.Code != "refused":
			return h.refused(r, j, err)
		}
		at = atFrom
	}
	var before *telemetry.Load
	if why == "" {
		var unfit string
		if before, unfit = h.before(ctx, j, at); unfit != "" {
			r.Event, r.Detail = outcome.Held, unfit
			return r, true
		}
	}
	if before != nil {
		why = h.bars(ctx, j) // a workload lasts
	}
	if why != "" {
		h.Log.WithField("plan", r.Plan).WithField("host", r.Host).Warn("not begun: " + why)
		if !inherited || h.lasted(h.t) >= longest {
			return r, false
		}
	}
	job, err := h.send(ctx, j, packages, why == "")
	if e := (*fleet.Error)(nil); why != "" && errors.As(err, &e) {
		return r, false
	}
	if err != nil {
		return h.declined(ctx, r, j, packages, err)
	}
	r, ok := h.finish(ctx, r, j, job)
	if r.Event == outcome.Applied && h.At.After(j.change.Began) && (at == atFrom || !inherited && j.change.Attempt <= 1) {
		r.Began = h.At
	}
	if before != nil && r.Event == outcome.Applied {
		r.Measured = &outcome.Measured{Before: before.Signals(), After: map[string]float64{}}
	}
	return r, ok
}

// finish waits for a step that a fleet took.
func (h *hand) finish(ctx context.Context, r Result, j *job, job fleet.Job) (Result, bool) {
	h.taken.Store(j.key, true)
	return h.settle(r, j, h.await(ctx, job))
}

const tooLate = "intended, but its window was over before it began"

func (h *hand) foundDone(r Result, j *job) Result {
	r.Event, r.Detail, r.Ended = succeeded(j), "found done", h.over(j.change)
	return r
}

// declined is a step that was not answered ok. A fleet that refuses it may have
// just done it: the plugin of a run that was killed can still have been at work
// when this one looked, so a refusal is looked into.
func (h *hand) declined(ctx context.Context, r Result, j *job, packages []fleet.Package, err error) (Result, bool) {
	var e *fleet.Error
	if errors.As(err, &e) && e.Code == "busy" && !e.Retryable && h.tooLate(j) {
		e = &fleet.Error{Code: "refused", Message: e.Message}
		err = e
	}
	if e == nil || e.Code != "refused" {
		return h.refused(r, j, err)
	}
	found, ok := h.installed(ctx, []*job{j})
	if !ok {
		return r, false
	}
	if where(packages, found[j.change.Host]) == atTo {
		return h.foundDone(r, j), true
	}
	return h.refused(r, j, err)
}

// place is where a host's packages stand.
type place int

const (
	unknown place = iota
	atFrom
	atTo
	elsewhere
)

// where compares what is found with where the packages come from and go to.
func where(packages []fleet.Package, found map[string]string) place {
	if len(found) == 0 {
		return unknown
	}
	from, to := 0, 0
	for _, p := range packages {
		v, ok := found[p.Name]
		switch {
		case !ok:
			return unknown
		case v == p.To:
			to++
		case v == p.From:
			from++
		}
	}
	switch {
	case to == len(packages):
		return atTo
	case from+to == len(packages):
		return atFrom
	}
	return elsewhere
}

func succeeded(j *job) outcome.Event {
	if j.undo {
		return outcome.RolledBack
	}
	return outcome.Applied
}

// surprised is a host that has a version nobody planned from: nothing is done
// to it, and where it was to go back a person is needed.
func (h *hand) surprised(r Result, j *job, packages []fleet.Package, found map[string]string) (Result, bool) {
	r.Event = outcome.Skipped
	if j.undo {
		r.Event = outcome.Failed
	}
	for _, p := range packages {
		if v := found[p.Name]; v != p.From && v != p.To {
			r.Detail = fmt.Sprintf("refused: %s is at %s, the plan was made for %s", p.Name, cmp.Or(v, "no version (not installed)"), p.From)
			break
		}
	}
	return r, true
}

// now is the time while the run lasts.
func (h *hand) now() time.Time { return h.At.Add(h.lasted(h.t).Truncate(time.Second)) }

// tooLate says that an apply was intended and its wave is over.
func (h *hand) tooLate(j *job) bool { return !j.undo && h.now().After(j.change.NotAfter) }

// send asks the fleet for a step; where it may not begin, only for what came of it.
func (h *hand) send(ctx context.Context, j *job, packages []fleet.Package, begins bool) (fleet.Job, error) {
	now := h.now()
	s := fleet.Step{
		Key: j.key, Host: j.change.Host, Packages: packages, NotBefore: now, NotAfter: j.change.NotAfter, Reboot: "if-needed",
		Labels: map[string]string{"ring": j.change.Ring, "plan": j.live.plan.ID},
	}
	if j.undo {
		s.NotAfter, s.Reason = now.Add(24*time.Hour), j.change.Detail
	}
	if !begins {
		s.NotAfter = now.Add(-time.Second)
	}
	if j.undo {
		return h.fleet.Rollback(ctx, now, s)
	}
	return h.fleet.Apply(ctx, now, s)
}

// refused turns an answer that is not ok into an outcome, where it is one.
func (h *hand) refused(r Result, j *job, err error) (Result, bool) {
	var e *fleet.Error
	if !errors.As(err, &e) {
		h.Log.WithError(err).WithField("host", j.change.Host).Warn("asking the fleet; the step is still open")
		return r, false
	}
	r.Detail = e.Message
	switch e.Code {
	case "unreachable":
		_, inherited := h.inherited(j.live, j.change)
		_, taken := h.taken.Load(j.key)
		if (inherited || taken) && !j.undo && !h.tooLate(j) {
			// It may have been begun, and the host go on with it, or be restarting for it: it
			// is asked again with the same key as long as its wave lasts.
			h.Log.WithError(err).WithField("host", j.change.Host).Warn("asking the host what became of a step that may have begun; the step is still open, and the next run asks again")
			return r, false
		}
		r.Event = outcome.Unreachable
	case "refused":
		if r.Event = outcome.Skipped; j.undo {
			r.Event = outcome.Failed
		}
		if r.Detail = "refused: " + e.Message; h.tooLate(j) {
			r.Detail = tooLate + " (" + e.Message + ")"
		}
	case "invalid":
		r.Event = outcome.Failed
	default:
		h.Log.WithError(err).WithField("host", j.change.Host).Warn("asking the fleet; the step is still open")
		return r, false
	}
	return r, true
}

// How often, and how long at most in one run, a job is looked at.
const (
	firstPoll = time.Second
	lastPoll  = 30 * time.Second
	pollFor   = longest
)

// await looks at an accepted job until it is over, as far as this run waits.
func (h *hand) await(ctx context.Context, j fleet.Job) fleet.Job {
	pause, spent := firstPoll, time.Duration(0)
	limit := cmp.Or(h.block.Timeout, pollFor)
	for looked := false; j.State == fleet.Accepted || j.State == fleet.Running; looked = true {
		if looked {
			if h.Wait == nil || spent >= limit || h.lasted(h.t) >= longest || !h.Wait(ctx, pause) {
				return j
			}
			spent += pause
			pause = min(2*pause, lastPoll)
		}
		now := h.now()
		if passed := h.At.Add(spent); passed.After(now) { // simulated
			now = passed
		}
		list, err := h.fleet.Status(ctx, now, []string{j.ID})
		if err != nil || len(list) != 1 {
			h.Log.WithField("job", j.ID).WithError(err).Warn("asking for a job's state")
			if looked || err != nil {
				return j
			}
			continue
		}
		j = list[0]
	}
	return j
}

// togetherFor is how far apart jobs may end at most for their hosts to be watched from
// one time on.
const togetherFor = 5 * time.Minute

// over is when a job was over, by this machine's clock and not by the host's, which
// may be wrong: a run waits for jobs, and a soak that began with it would be over
// before a slow host is changed. It is zero in simulations, and within the second. It
// is rounded up by a tenth of the soak, so that hosts that were changed at about the
// same time are measured together.
func (h *hand) over(c *rollout.Change) time.Time {
	lasted := h.lasted(h.t)
	if lasted < time.Second {
		return time.Time{}
	}
	step := max(time.Second, min(togetherFor, (c.Soak/10).Truncate(time.Second)))
	return h.At.Add(lasted + step - 1).Truncate(step)
}

// settle makes a result of a job that is over.
func (h *hand) settle(r Result, j *job, done fleet.Job) (Result, bool) {
	r.Detail, r.Ended = done.Detail, h.over(j.change)
	if d := done.Finished.Sub(done.Started).Seconds(); d > 0 {
		r.Seconds = float64(int64(d*1000)) / 1000
	}
	switch done.State {
	case fleet.Succeeded:
		r.Event = succeeded(j)
	case fleet.Failed, fleet.Canceled:
		r.Event, r.Detail = outcome.Failed, cmp.Or(done.Detail, "the fleet says "+string(done.State))
	default:
		return r, false
	}
	return r, true
}
