package risk

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// Chronicle keeps the trials of a history that is looked at again and again as it
// grows. At any time it has what Trials would return, without what was known of
// each (Known is empty for own trials), and costs as much as what is new. The zero
// value is empty. Not safe for concurrent use.
type Chronicle struct {
	trials  []Trial // sorted by time, then host, then patch
	owners  []int32 // of each, by number; 0 is imported history
	numbers map[string]int32
	sizes   []int // owner → trials
	foreign int   // imported trials

	counts   map[string]map[inventory.HostID]int // package → host → trials
	touched  map[string]bool                     // packages whose counts are new
	capped   map[string]bool                     // packages in which a weight is below 1
	imported []outcome.Imported
	rows     map[happened]int // what imported rows are about → own trials of it
	stale    bool             // imported trials have to be made again
	changed  time.Time        // the earliest time since Settle at which something is new
	isNew    bool
}

// happened is a patch on a host.
type happened struct {
	host  inventory.HostID
	patch string
}

// Settled are the trials of one plan, without what was known of each.
func Settled(id string, lines []outcome.Line, sim bool) []Trial {
	list := own(map[string][]outcome.Line{id: lines}, sim)
	for i := range list {
		list[i].recall = nil
	}
	slices.SortFunc(list, compareTrials)
	return list
}

// Put sets the trials of a plan, which are Settled, in the place of those that it
// had.
func (c *Chronicle) Put(id string, list []Trial) {
	if c.numbers == nil {
		c.numbers, c.sizes = map[string]int32{}, []int{0}
		c.counts, c.touched, c.capped = map[string]map[inventory.HostID]int{}, map[string]bool{}, map[string]bool{}
	}
	n, known := c.numbers[id]
	if !known {
		n = int32(len(c.sizes))
		c.numbers[id], c.sizes = n, append(c.sizes, 0)
	}
	c.replace(n, list)
}

// replace sets the trials of an owner.
func (c *Chronicle) replace(n int32, list []Trial) {
	for i := len(c.trials) - 1; i >= 0 && c.sizes[n] > 0; i-- {
		if c.owners[i] == n {
			c.count(&c.trials[i], -1, n)
			c.sizes[n]--
			c.trials, c.owners = slices.Delete(c.trials, i, i+1), slices.Delete(c.owners, i, i+1)
		}
	}
	if len(list) == 0 {
		return
	}
	for i := range list {
		c.count(&list[i], 1, n)
	}
	c.sizes[n] = len(list)
	c.merge(n, list)
}

// count keeps the numbers that follow from a trial.
func (c *Chronicle) count(t *Trial, by int, owner int32) {
	hosts := c.counts[t.Package]
	if hosts == nil {
		hosts = map[inventory.HostID]int{}
		c.counts[t.Package] = hosts
	}
	hosts[t.Host] += by
	if hosts[t.Host] == 0 {
		delete(hosts, t.Host)
	}
	c.touched[t.Package] = true
	c.note(t.At)
	if owner == 0 {
		c.foreign += by
		return
	}
	key := happened{t.Host, t.Patch}
	if n, ok := c.rows[key]; ok {
		c.rows[key] = n + by
		c.stale = c.stale || n == 0 || n+by == 0
	}
}

func (c *Chronicle) note(at time.Time) {
	if !c.isNew || at.Before(c.changed) {
		c.changed, c.isNew = at, true
	}
}

// merge puts a sorted list among the trials. What is new is late, so that only
// the end of what is there moves.
func (c *Chronicle) merge(n int32, list []Trial) {
	i, j := len(c.trials)-1, len(list)-1
	c.trials = append(c.trials, list...)
	c.owners = append(c.owners, make([]int32, len(list))...)
	for at := len(c.trials) - 1; j >= 0; at-- {
		if i >= 0 && byTime(&c.trials[i], &list[j]) > 0 {
			c.trials[at], c.owners[at] = c.trials[i], c.owners[i]
			i--
			continue
		}
		c.trials[at], c.owners[at] = list[j], n
		j--
	}
}

// byTime orders by time, host, patch and what became of it.
func byTime(a, b *Trial) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Patch, b.Patch), compareBool(a.Failed, b.Failed))
}

// Import sets the imported history.
func (c *Chronicle) Import(rows []outcome.Imported) {
	if len(rows) == len(c.imported) && (len(rows) == 0 || reflect.DeepEqual(rows, c.imported)) {
		return
	}
	c.imported, c.rows, c.stale = rows, map[happened]int{}, true
	for _, r := range rows {
		c.rows[happened{r.Host, r.Patch}] = 0
	}
	for i := range c.trials {
		if key := (happened{c.trials[i].Host, c.trials[i].Patch}); c.owners[i] != 0 {
			if n, ok := c.rows[key]; ok {
				c.rows[key] = n + 1
			}
		}
	}
}

// Settle brings the weights of hosts up to date and returns the trials, sorted by
// time, and the earliest time from which on they are not as when it was last
// called; ok is false where nothing is new. The slice is the chronicle's, until it
// changes.
func (c *Chronicle) Settle() (trials []Trial, changed time.Time, ok bool) {
	if c.stale {
		c.stale = false
		c.remakeForeign()
	}
	if len(c.touched) > 0 {
		c.weigh()
	}
	changed, ok = c.changed, c.isNew
	c.changed, c.isNew = time.Time{}, false
	return c.trials, changed, ok
}

// remakeForeign makes the trials of imported rows that no ledger has.
func (c *Chronicle) remakeForeign() {
	if c.sizes == nil {
		c.Put("", nil)
	}
	var own []Trial
	for key, n := range c.rows {
		if n > 0 {
			own = append(own, Trial{Host: key.host, Patch: key.patch})
		}
	}
	list := foreign(c.imported, own)
	slices.SortFunc(list, func(a, b Trial) int { return byTime(&a, &b) })
	c.replace(0, list)
}

// weigh sets the weights in packages whose counts are new, as Trials does. In
// most no host has so many that it is capped, and nothing is done.
func (c *Chronicle) weigh() {
	limits := map[string]float64{}
	for name := range c.touched {
		hosts := c.counts[name]
		if len(hosts) == 0 {
			continue
		}
		most := 0
		for _, n := range hosts {
			most = max(most, n)
		}
		l := limit(hosts)
		if capped := l < float64(most); capped || c.capped[name] {
			limits[name], c.capped[name] = l, capped
		}
	}
	clear(c.touched)
	if len(limits) == 0 {
		return
	}
	for i := range c.trials {
		t := &c.trials[i]
		l, ok := limits[t.Package]
		if !ok {
			continue
		}
		if w := min(1, l/float64(c.counts[t.Package][t.Host])); w != t.Weight {
			t.Weight = w
			c.note(t.At)
		}
	}
}

// Measure is Measure of the chronicle's trials.
func (c *Chronicle) Measure(at time.Time) History {
	end, _ := slices.BinarySearchFunc(c.trials, at, func(t Trial, at time.Time) int {
		if t.At.After(at) {
			return 1
		}
		return -1
	})
	// The first outcomes are enough to tell how far history reaches.
	var first []Trial
	imported := 0
	for i := 0; i < end && (len(first) < enough || c.foreign > 0); i++ {
		switch {
		case c.owners[i] == 0:
			imported++
		case len(first) < enough:
			first = append(first, c.trials[i])
		}
	}
	h := Measure(first, at)
	h.Outcomes, h.Imported = end-imported, imported
	return h
}
