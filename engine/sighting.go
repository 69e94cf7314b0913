package engine

import (
	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

// verdict is what a judgement comes to at this time, together with the one under load
// where there is one.
func (h *sighting) verdict(j *job, v health.Verdict, due bool) (Result, bool) {
	if j.change.State == rollout.Back {
		return h.afterRollback(j, v, due)
	}
	under, loaded := h.loaded[j]
	switch {
	case loaded && under.State == "":
		return Result{}, false
	case loaded && h.source == nil:
		v = under
	case loaded:
		v = health.Both(v, under)
	}
	r := h.result(j, v)
	switch {
	case v.State == health.Degraded && j.change.Applied.Before(h.t.newest(j.change.Host)):
		return r, false // put down to what was applied after it
	case v.State == health.Degraded:
		r.Event = outcome.Degraded
	case due && v.State == health.Healthy:
		r.Event = outcome.Healthy
	case due && !h.At.Before(waitsUntil(j.change, h.patience)):
		r.Event, r.Detail = outcome.Held, "no verdict on its health: "+v.Why+remedy
	case due:
		h.Log.WithField("plan", r.Plan).WithField("host", r.Host).Info("no verdict on its health yet: " + v.Why)
		return r, false
	default:
		return r, false
	}
	return r, true
}

func (h *sighting) result(j *job, v health.Verdict) Result {
	return Result{Key: j.key, Plan: j.live.plan.ID, Host: j.change.Host, Patch: j.change.Patch, At: h.At, Detail: v.Why,
		Fleet: h.block.Kind, Measured: &outcome.Measured{Before: v.Before, After: v.After}}
}

// afterRollback is what a judgement of a host that was rolled back comes to: that it
// is well again is the rollback's evidence, and one that is not needs a person. While
// something else soaks there, trouble is that one's.
func (h *sighting) afterRollback(j *job, v health.Verdict, due bool) (Result, bool) {
	r := h.result(j, v)
	switch {
	case !due || v.State == health.Degraded && !h.t.newest(j.change.Host).IsZero():
		return r, false
	case v.State == health.Healthy:
		r.Event, r.Detail = outcome.RolledBack, "well again: "+v.Why
	case v.State == health.Degraded:
		r.Event, r.Detail = outcome.Degraded, "still unwell after it was rolled back, and a person is needed: "+v.Why
	case h.At.Before(waitsUntil(j.change, h.patience)):
		return r, false
	default:
		r.Event, r.Detail = outcome.Held, "rolled back, and no verdict on its health since then: "+v.Why
	}
	return r, true
}

// unmeasured says of changes whose soak is over that nothing is known.
func (h *sighting) unmeasured(due bool, why string) []Result {
	if !due {
		h.Log.WithField("hosts", len(h.group)).Warn("measuring health: " + why)
		return nil
	}
	var results []Result
	for _, j := range h.group {
		if r, ok := h.verdict(j, health.Verdict{State: health.Inconclusive, Why: why}, true); ok {
			results = append(results, r)
		}
	}
	return results
}
