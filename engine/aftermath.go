package engine

import (
	"context"
	"time"
)

// telling is for how long each run tells of a plan that is over: a forge that was
// down when it ended, or a token that was not in order, is so again after a
// weekend. While something of a plan may still be done each run tells of it, for
// what it says may change by time alone; what says the same sends nothing.
const telling = 72 * time.Hour

// hearing is how long a run waits for a forge that does not take what it is told.
const hearing = 2 * time.Minute

// Show tells the forge how far merged plans have come: one comment in the thread
// of each one's pull request, and its progress in each ring. Everything follows
// from the ledgers on the base branch and from what this run refused, so that a
// run that did not look at the plans tells nothing. What the forge does not take is
// logged and told by a later run: nothing that happens to hosts waits for it.
func (x *Executor) Show(ctx context.Context, done *Executed) {
	ctx, stop := context.WithTimeout(ctx, hearing)
	defer stop()
	list, broken, err := x.tales(ctx, done)
	if err == nil {
		err = x.tellBroken(ctx, broken)
	}
	if err != nil {
		x.Log.WithError(err).Warn("telling how far plans have come; the next run tells it")
		return
	}
	var untold, unshown []error // what is refused of one plan keeps no other from being told
	for _, t := range list {
		if err := x.Forge.Say(ctx, prefix+t.told.Plan.ID, "outcome", t.told.Markdown()); err != nil {
			untold = append(untold, err)
		}
	}
	for _, t := range list {
		for _, p := range t.progress(x.At) {
			if err := x.Forge.Mirror(ctx, p); err != nil {
				unshown = append(unshown, err)
			}
		}
	}
	if n := len(untold); n > 0 {
		x.Log.WithError(untold[0]).Warnf("telling what became of plans, %d of them in vain; the next run tells it", n)
	}
	if n := len(unshown); n > 0 {
		x.Log.WithError(unshown[0]).Warnf("showing how far plans have come in their rings, %d of them in vain; the next run shows it", n)
	}
	x.Remind(ctx)
}
