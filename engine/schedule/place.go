package schedule

// rules says which constraints a run leaves out. The zero value leaves out
// none.
type rules struct {
	noOrder, noSoak, noCapacity, noAvailability, noAfter bool

	noWindow, noFreeze []bool
	extra              span  // one more window for every host that has any
	soakMost           int64 // no soak is longer, where it is not 0
	lanes              []int // by fleet, instead of the declared ones
}

var asDeclared rules

func (r *rules) skips(list []bool, i int) bool { return i < len(list) && list[i] }

// plain says that calendars are as declared.
func (r *rules) plain() bool {
	return r.noWindow == nil && r.noFreeze == nil && r.extra == (span{})
}

// trial is a batch's places as one run found them.
type trial struct {
	kept    int64     // of the pace, in parts of whole
	soaks   []int64   // by ring, with one more for what no ring takes
	afters  []int64   // by ring
	places  [][]place // by class, in time
	ends    []int64   // by class: when the last visit with a place is installed
	missing []int     // by class: visits without a place

	began     []int64 // by place of the patch in the batch
	installed []int64
	healthy   []int64
	unplaced  []int
}

// place is some of a class's visits that start together, up to last.
type place struct {
	start, last int64
	n           int
}

// run places a batch and takes it away again.
func (p *planner) run(b *batch, kept int64, r *rules) *trial {
	rings := len(p.rings)
	t := &trial{
		kept: kept, soaks: make([]int64, rings+1), afters: make([]int64, rings),
		places: make([][]place, len(b.classes)), ends: make([]int64, len(b.classes)), missing: make([]int, len(b.classes)),
	}
	var taken []taking
	next := p.at
	for ring := range b.rings {
		from := p.at
		if ring < rings {
			t.soaks[ring] = p.soak(ring, kept, r)
			t.afters[ring] = p.afterAt(ring, kept)
			if !r.noAfter {
				from = max(from, b.start+t.afters[ring])
			}
		}
		if !r.noOrder {
			from = max(from, next)
		}
		stage := &b.rings[ring]
		if len(stage.classes) == 0 {
			continue
		}
		if ring == rings && !r.noOrder {
			for _, n := range stage.classes {
				t.missing[n] = len(b.classes[n].visits)
			}
			continue
		}
		pl := placer{p: p, b: b, r: r, t: t, taken: taken}
		if done := pl.stage(stage, from); done > 0 && p.awaited(ring, b.patches[0]) {
			next = max(next, done+t.soaks[ring])
		}
		taken = pl.taken
	}
	for _, k := range taken {
		p.take(k, -1)
	}
	t.sum(p, b)
	return t
}

// sum works out what became of each patch.
func (t *trial) sum(p *planner, b *batch) {
	n := len(b.patches)
	t.began, t.installed, t.healthy, t.unplaced = make([]int64, n), make([]int64, n), make([]int64, n), make([]int, n)
	for i := range t.began {
		t.began[i] = never
	}
	for i := range b.classes {
		c := &b.classes[i]
		ring := c.ring
		if ring < 0 {
			ring = len(p.rings)
		}
		t.count(c, i, t.soaks[ring])
	}
}

// count follows a class's visits through its places.
func (t *trial) count(c *class, n int, soak int64) {
	places := t.places[n]
	at, left := 0, 0 // the place to go on with, and its visits that are left
	if len(places) > 0 {
		left = places[0].n
	}
	for i := range c.alike {
		a := &c.alike[i]
		first, last, todo := int64(never), int64(0), a.n
		for todo > 0 && at < len(places) {
			k := min(todo, left)
			first, last = min(first, places[at].start), max(last, places[at].start+c.install)
			todo -= k
			if left -= k; left == 0 {
				if at++; at < len(places) {
					left = places[at].n
				}
			}
		}
		for _, patch := range a.patches {
			t.unplaced[patch] += todo
			if last > 0 {
				t.began[patch] = min(t.began[patch], first)
				t.installed[patch] = max(t.installed[patch], last)
				t.healthy[patch] = max(t.healthy[patch], last+soak)
			}
		}
	}
}

// taking is lanes and hosts of services in use.
type taking struct {
	span
	fleet, set, n int
	restarts      bool
}

func (p *planner) take(k taking, sign int) {
	p.laneUse[k.fleet].add(k.start, k.end, sign*k.n)
	if k.restarts {
		p.turnUse[k.fleet].add(k.start, k.end, sign*k.n)
	}
	for _, service := range p.sets[k.set] {
		p.down[service].add(k.start, k.end, sign*k.n)
	}
}

// placer places one ring's classes. Time runs forward through a queue of
// classes by when each may be tried next; a class that finds its fleet's lanes
// all in use waits with the fleet.
type placer struct {
	p     *planner
	b     *batch
	r     *rules
	t     *trial
	taken []taking

	s       *stage
	jobs    []job // by place in the stage's classes
	sets    []opening
	queue   queue
	waiting []numbers // by fleet: jobs
	awake   []bool    // by fleet: the queue has its waking
	done    int64
}

// job is a class on its way.
type job struct {
	*class
	n      int32 // its number in the batch
	cal    calendar
	left   int
	from   int64
	blocks int     // what must be done before, besides sets
	next   []int32 // jobs that it blocks
}

// opening is where a set stands.
type opening struct {
	waits, left int
	from        int64
	members     []int32
}

// stage places the classes from a time on and returns when the last is
// installed, 0 if none has a place.
func (pl *placer) stage(s *stage, from int64) int64 {
	pl.s = s
	pl.jobs = make([]job, len(s.classes))
	pl.sets = make([]opening, len(s.sets))
	pl.waiting = make([]numbers, len(pl.p.lanes))
	pl.awake = make([]bool, len(pl.p.lanes))
	chained := false
	for i, n := range s.classes {
		c := &pl.b.classes[n]
		j := job{class: c, n: n, cal: pl.p.calendar(c.binding, pl.r), left: len(c.visits), from: from}
		if !pl.r.noAfter {
			j.from = max(from, c.notBefore)
		}
		pl.jobs[i] = j
		pl.t.missing[n] = j.left
		chained = chained || len(c.follows) > 0
		pl.sets[s.setOf[i]].members = append(pl.sets[s.setOf[i]].members, int32(i))
	}
	if chained {
		pl.chain()
	}
	for i := range s.sets {
		pl.sets[i].waits, pl.sets[i].left = s.sets[i].waits, s.sets[i].size
		if pl.r.noOrder {
			pl.sets[i].waits = 0
		}
	}
	for i := range s.sets {
		if pl.sets[i].waits == 0 {
			pl.begin(int32(i))
		}
	}
	for len(pl.queue) > 0 {
		if e := pl.queue.pop(); e.job < 0 {
			pl.wake(int(-1-e.job), e.at)
		} else {
			pl.try(e.job, e.at)
		}
	}
	return pl.done
}

// chain makes visits of the same hosts wait for one another.
func (pl *placer) chain() {
	where := map[int32]int32{}
	for i := range pl.jobs {
		where[pl.jobs[i].n] = int32(i)
	}
	for i := range pl.jobs {
		for _, n := range pl.jobs[i].follows {
			k := where[n] // hosts of both are in the same ring
			pl.jobs[k].next = append(pl.jobs[k].next, int32(i))
			pl.jobs[i].blocks++
		}
	}
}

// begin lets a set's classes be tried.
func (pl *placer) begin(set int32) {
	for _, i := range pl.sets[set].members {
		j := &pl.jobs[i]
		j.from = max(j.from, pl.sets[set].from)
		if j.blocks == 0 {
			pl.queue.push(event{j.from, i})
		}
	}
}

// try places as many of a job's visits as may start now, or finds out when to
// try again.
func (pl *placer) try(i int32, now int64) {
	j := &pl.jobs[i]
	start, last, ok := pl.next(j, now)
	if !ok {
		pl.finish(i)
		return
	}
	room := min(j.left, pl.spare(j, start))
	if start > now {
		pl.queue.push(event{start, i})
		return
	}
	if !pl.r.noCapacity {
		lanes, use := pl.lanes(j.fleet), &pl.p.laneUse[j.fleet]
		if use.most(now, now+1) >= lanes {
			pl.wait(i, now)
			return
		}
		if at := use.free(now, j.install, lanes); at > now {
			pl.queue.push(event{at, i})
			return
		}
		room = min(room, lanes-use.most(now, now+j.install))
		if j.restarts {
			most, use := pl.p.together[j.fleet], &pl.p.turnUse[j.fleet]
			if at := use.free(now, j.install, most); at > now {
				pl.queue.push(event{at, i})
				return
			}
			room = min(room, most-use.most(now, now+j.install))
		}
	}
	pl.put(j, place{start, last, room})
	if j.left == 0 {
		pl.finish(i)
		return
	}
	pl.queue.push(event{now, i})
}

func (pl *placer) put(j *job, at place) {
	k := taking{span{at.start, at.start + j.install}, j.fleet, j.set, at.n, j.restarts}
	pl.p.take(k, 1)
	pl.taken = append(pl.taken, k)
	j.left -= at.n
	pl.t.places[j.n] = append(pl.t.places[j.n], at)
	pl.t.ends[j.n] = max(pl.t.ends[j.n], k.end)
}

// next returns the first start at or after t that windows, freezes, earlier
// visits of the same hosts and services allow, lanes aside.
func (pl *placer) next(j *job, t int64) (start, last int64, ok bool) {
	for {
		start, last, ok = j.cal.first(t, pl.p.cutoff, j.install+j.rollback)
		if !ok || start >= pl.p.reach {
			return 0, 0, false
		}
		t = start
		for moved := true; moved; {
			moved = false
			for _, busy := range j.busy {
				if busy.start < t+j.install && t < busy.end {
					t, moved = busy.end, true
				}
			}
		}
		if !pl.r.noAvailability {
			for _, service := range pl.p.sets[j.set] {
				if pl.p.limits[service] < 1 {
					return 0, 0, false
				}
				t = pl.p.down[service].free(t, j.install, pl.p.limits[service])
			}
		}
		if t == start {
			return start, last, true
		}
	}
}

// spare is how many of the job's hosts its services can do without at start.
func (pl *placer) spare(j *job, start int64) int {
	n := j.left
	if pl.r.noAvailability {
		return n
	}
	for _, service := range pl.p.sets[j.set] {
		n = min(n, pl.p.limits[service]-pl.p.down[service].most(start, start+j.install))
	}
	return n
}

func (pl *placer) lanes(fleet int) int {
	if pl.r.lanes != nil {
		return pl.r.lanes[fleet]
	}
	return pl.p.lanes[fleet]
}

// finish lets begin what waited for the job.
func (pl *placer) finish(i int32) {
	j := &pl.jobs[i]
	pl.t.missing[j.n] = j.left
	end := pl.t.ends[j.n]
	pl.done = max(pl.done, end)
	set := pl.s.setOf[i]
	o := &pl.sets[set]
	for _, k := range j.next {
		next := &pl.jobs[k]
		next.from = max(next.from, end)
		// A job whose set has not begun is queued when that begins.
		if next.blocks--; next.blocks == 0 && pl.sets[pl.s.setOf[k]].waits == 0 {
			pl.queue.push(event{next.from, k})
		}
	}
	if o.left--; o.left > 0 {
		o.from = max(o.from, end)
		return
	}
	if pl.r.noOrder {
		return
	}
	for _, k := range pl.s.sets[set].next {
		next := &pl.sets[k]
		next.from = max(next.from, o.from, end)
		if next.waits--; next.waits == 0 {
			pl.begin(k)
		}
	}
}
