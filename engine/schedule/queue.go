package schedule

import "container/heap"

// event is when a job is tried again, or, as -1-fleet, a fleet has a lane free.
type event struct {
	at  int64
	job int32
}

// queue is events by time, then by job; fleets wake before jobs are tried.
type queue []event

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.job < o.job }

func (q *queue) push(e event) {
	*q = append(*q, e)
	h := *q
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(h[up]) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *queue) pop() event {
	h := *q
	first, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	*q = h
	for i := 0; ; {
		low := 2*i + 1
		if low >= last {
			return first
		}
		if low+1 < last && h[low+1].before(h[low]) {
			low++
		}
		if !h[low].before(h[i]) {
			return first
		}
		h[i], h[low] = h[low], h[i]
		i = low
	}
}

// wait lets a job wait for a lane of its fleet.
func (pl *placer) wait(i int32, now int64) {
	f := pl.jobs[i].fleet
	heap.Push(&pl.waiting[f], i)
	pl.rouse(f, now)
}

// rouse makes a fleet wake when it next has a lane free.
func (pl *placer) rouse(f int, now int64) {
	if !pl.awake[f] {
		pl.awake[f] = true
		pl.queue.push(event{pl.p.laneUse[f].free(now, 1, pl.lanes(f)), int32(-1 - f)})
	}
}

// wake tries what waits for a fleet until its lanes are all in use again.
func (pl *placer) wake(f int, now int64) {
	pl.awake[f] = false
	for len(pl.waiting[f]) > 0 {
		if pl.p.laneUse[f].most(now, now+1) >= pl.lanes(f) {
			pl.rouse(f, now)
			return
		}
		pl.try(heap.Pop(&pl.waiting[f]).(int32), now)
	}
}
