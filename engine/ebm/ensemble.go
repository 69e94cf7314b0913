package ebm

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pace is how a stage of boosting goes.
type pace struct {
	rate     float64
	every    int // rounds between two judgements
	patience int // judgements without a better one, after which it ends
	rounds   int // at most
}

// ensemble is bags that walk in step, so that they stop together where the rows
// that each left out, taken together, are best foretold. A single bag's fold is
// too small to say when to stop; all folds are all rows.
type ensemble struct {
	r    *rows
	bags []*bag
}

// newEnsemble readies a bag for every fold. f is each bag's log-odds of the rows
// at the start, which it takes over.
func newEnsemble(r *rows, parts []*part, f [][]float32) *ensemble {
	e := &ensemble{r: r, bags: make([]*bag, r.folds())}
	e.each(func(b int) { e.bags[b] = newBag(r, b, parts, f[b]) })
	return e
}

// each does something for every bag.
func (e *ensemble) each(do func(b int)) { parallel(len(e.bags), do) }

// parallel does n things that share nothing, on as many processors as there are.
func parallel(n int, do func(k int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				do(k)
			}
		}()
	}
	wait.Wait()
}

// judge is the log loss of every row by the bag that left it out, summed.
func (e *ensemble) judge() float64 {
	loss := make([]float64, len(e.bags))
	e.each(func(b int) { loss[b] = e.bags[b].judge() })
	sum := 0.0
	for _, l := range loss {
		sum += l
	}
	return sum
}

// boost walks until the rows left out are foretold no better, goes back to where
// they were foretold best, and returns the loss there.
func (e *ensemble) boost(p pace) (best float64) {
	best = e.judge()
	kept := e.snapshot(nil)
	since := 0
	for done := 0; done < p.rounds && since < p.patience; done += p.every {
		e.each(func(b int) {
			for range p.every {
				e.bags[b].round(p.rate)
			}
		})
		if loss := e.judge(); loss < best {
			best, since = loss, 0
			kept = e.snapshot(kept)
		} else {
			since++
		}
	}
	for b, tables := range kept {
		e.bags[b].table = tables
	}
	return best
}

// snapshot copies every bag's tables, into what an earlier snapshot no longer needs.
func (e *ensemble) snapshot(into [][][]float64) [][][]float64 {
	if into == nil {
		into = make([][][]float64, len(e.bags))
		for b := range into {
			into[b] = make([][]float64, len(e.bags[b].table))
		}
	}
	for b, bag := range e.bags {
		for j, t := range bag.table {
			into[b][j] = append(into[b][j][:0], t...)
		}
	}
	return into
}
