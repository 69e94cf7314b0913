// Package workload puts hosts in a sandbox under load, by HTTP or by a command, and
// counts what came of it (telemetry.Load). It is the door to vegeta.
//
// The load is a week of a service's in a short time, so that what is met before a
// change and what is met after it are the same whenever either is measured: when each
// request is due follows from the week, the rate and the duration alone. Requests are
// made when they are due and not when the one before is answered, so that a service
// that became slow is not spared; those that no connection was left for are not made,
// and their lack shows.
package workload

import (
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// Options say what a host is put under.
type Options struct {
	URL         string   // with {{address}} or {{host}}; scheme, host and port
	Paths       []string // asked for in turn
	Command     []string // arguments with {{address}} or {{host}}
	Rate        float64  // requests a second in the week's busiest hour
	Duration    time.Duration
	Timeout     time.Duration // of one request
	Connections int
	Address     func(inventory.HostID) string
	// Wrong is told of each host some of whose requests went wrong, of how many, and of
	// what was most often said of them; nil: nobody is.
	Wrong func(h inventory.HostID, n int, why string)
}

// due are the times from the start at which requests are due: as many in each hour of
// the week as its share asks for, evenly.
func (o Options) due(week [telemetry.Hours]float64) []time.Duration {
	var list []time.Duration
	hour := o.Duration.Seconds() / telemetry.Hours
	owed := 0.5 // the first is due when half of it is
	for i, share := range week {
		rate := float64(o.Rate * share)
		if rate == 0 {
			continue
		}
		for at := max(0, (1-owed)/rate); at < hour; at += 1 / rate {
			list = append(list, time.Duration((float64(float64(i)*hour)+at)*float64(time.Second)))
			owed -= 1
		}
		owed += float64(rate * hour)
	}
	return list
}

// causes counts what was said of requests that went wrong.
type causes map[string]int

// tell tells of them.
func (c causes) tell(o Options, h inventory.HostID) {
	all, most := 0, ""
	for why, n := range c {
		all += n
		if n > c[most] || n == c[most] && (most == "" || why < most) {
			most = why
		}
	}
	if all > 0 && o.Wrong != nil {
		o.Wrong(h, all, most)
	}
}
