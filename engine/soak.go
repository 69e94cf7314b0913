package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// watched adds to a ring how its hosts are watched, and the gate that this is.
func (d *decider) watched(r *plan.Ring) {
	var blocks []int
	soak := time.Duration(-1)
	for _, w := range r.Waves {
		if s, err := hclfile.ParseDuration(w.Soak); err == nil && (soak < 0 || s < soak) {
			soak = s
		}
		last := inventory.HostID("")
		for _, c := range w.Changes {
			if h := d.hostOf(c.Host); h != nil && c.Host != last {
				if n := d.healthOf(h); !slices.Contains(blocks, n) {
					blocks = append(blocks, n)
				}
			}
			last = c.Host
		}
	}
	var list []ring.Health
	said := false // by a block of which more is known than that the fleet measures
	for _, n := range blocks {
		block := ring.Health{}
		if n >= 0 {
			block = d.est.Healths[n]
		}
		said = said || !slices.Contains([]string{"", "sim", "exec"}, block.Kind)
		list = append(list, block)
	}
	if !said {
		return
	}
	r.Watch = watchOf(list, max(0, soak))
	if n := r.Watch.MinRequests; n > 0 {
		r.Gates = append(r.Gates, fmt.Sprintf("a host is healthy when it has served %d requests since its change, and no sooner", n))
	}
}

// watchOf is what blocks see of a host in one soak, all of them.
func watchOf(blocks []ring.Health, soak time.Duration) *plan.Watch {
	w := &plan.Watch{Signals: []string{}}
	step, least := time.Duration(0), -1
	for _, s := range telemetry.Signals {
		if !slices.ContainsFunc(blocks, func(h ring.Health) bool { return !measures(h, s) }) {
			w.Signals = append(w.Signals, s)
		}
	}
	for _, h := range blocks {
		if h.Kind != "prometheus" {
			return w
		}
		step = max(step, cmp.Or(h.Step, telemetry.Step))
		if least < 0 || h.MinRequests < least {
			least = h.MinRequests
		}
	}
	reach := health.ReachOf(soak, step)
	w.Step, w.Points, w.MinRequests = hclfile.FormatDuration(step), reach.Points, least
	if reach.Within > 0 {
		w.Within = hclfile.FormatDuration(rounded(reach.Within))
	}
	if slices.Contains(w.Signals, "error_ratio") {
		w.Rise = health.Rise("error_ratio")
	}
	return w
}

// rounded is a duration as people say it, and no longer than it was.
func rounded(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Hour:
		return d.Truncate(time.Hour)
	case d >= 10*time.Minute:
		return d.Truncate(time.Minute)
	}
	return d
}

// measures says whether a block measures a signal; the fleet's own probe may.
func measures(h ring.Health, signal string) bool {
	switch h.Kind {
	case "prometheus":
		return h.Signals[signal] != ""
	case "http", "command":
		return signal == "up"
	}
	return h.Kind != ""
}

// healthOf is the last health block that takes a host, by its place; -1 where none does.
func (d *decider) healthOf(h *inventory.Host) int {
	m := d.member(h)
	for i := len(d.est.Healths) - 1; i >= 0; i-- {
		if d.est.Healths[i].Matches(m) {
			return i
		}
	}
	return -1
}
