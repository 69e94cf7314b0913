// Package probe measures whether hosts are up by asking them now: by HTTP, or by
// a command such as a monitoring plugin.
//
// A probe has no past. It says up or not, some times in a row, and nothing where
// the time that is asked for is over; how fast and how rightly a service answers
// is a matter of comparison, for which telemetry that is kept is needed.
package probe

import (
	"context"
	"sync"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// Defaults of Options.
const (
	Times   = 6
	Every   = 2 * time.Second
	Timeout = 10 * time.Second
)

// parallel is how many hosts are asked at a time.
const parallel = 16

// Look asks a host once: whether it is up, and whether that is known at all. An
// error beside what is known is why the host is not up; where nothing is known it is
// about the asking, and the host is Unasked.
type Look func(ctx context.Context, h inventory.HostID) (up, known bool, err error)

// Options say how to ask. Their zero values are the defaults.
type Options struct {
	Look  Look
	Times int                                             // how often in a row
	Every time.Duration                                   // between two looks
	Wait  func(ctx context.Context, d time.Duration) bool // lets time pass; false when it was cut short
	// Down is told of each host that was not up at the last look, and why; nil: nobody
	// is. Points have no room for it, and people look for nothing else.
	Down func(h inventory.HostID, why error)
}

// Source asks hosts. It is a telemetry.Source.
type Source struct{ Options }

// New returns a source.
func New(o Options) *Source {
	if o.Times == 0 {
		o.Times = Times
	}
	if o.Every == 0 {
		o.Every = Every
	}
	return &Source{o}
}

// Close does nothing.
func (s *Source) Close() error { return nil }

// Measure asks every host where now lies in [from, to], and answers with nothing
// where it does not. The looks of one measurement are told apart by the
// milliseconds before now at which they are put, the last one at now.
func (s *Source) Measure(ctx context.Context, now time.Time, hosts []inventory.HostID, from, to time.Time) (telemetry.Series, error) {
	series := telemetry.Series{}
	if now.Before(from) || now.After(to) {
		return series, nil
	}
	points, errs, down := make([][]telemetry.Point, len(hosts)), make([]error, len(hosts)), make([]error, len(hosts))
	for n := range s.Times {
		if n > 0 && !s.Wait(ctx, s.Every) {
			return nil, context.Cause(ctx)
		}
		s.round(ctx, hosts, points, errs, down, now.Add(time.Duration(n+1-s.Times)*time.Millisecond))
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	unasked := telemetry.Unasked{}
	for i, h := range hosts {
		switch {
		case errs[i] != nil:
			unasked[h] = errs[i]
		case len(points[i]) > 0:
			series[h] = map[string][]telemetry.Point{"up": points[i]}
		}
		if down[i] != nil && s.Down != nil {
			s.Down(h, down[i])
		}
	}
	return series, unasked.Err()
}

// round looks once at every host that could be asked so far.
func (s *Source) round(ctx context.Context, hosts []inventory.HostID, points [][]telemetry.Point, errs, down []error, at time.Time) {
	next := make(chan int)
	var done sync.WaitGroup
	for range min(parallel, len(hosts)) {
		done.Go(func() {
			for i := range next {
				up, known, err := s.Look(ctx, hosts[i])
				if !known {
					errs[i] = err
					continue
				}
				v := 0.0
				if up {
					v = 1
				}
				points[i], down[i] = append(points[i], telemetry.Point{At: at, V: v}), err
			}
		})
	}
	for i := range hosts {
		if errs[i] == nil {
			next <- i
		}
	}
	close(next)
	done.Wait()
}
