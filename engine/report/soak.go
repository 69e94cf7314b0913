package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/evidence"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// soaks says of each ring why it soaks as long as it does: who said so, and what is
// seen by its end, the hosts of the rings before it included. What is seen of a host
// is said once where it is the same in all rings.
func soaks(p *plan.Plan) string {
	if len(p.Rings) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nWhat a soak sees, 19 times in 20:\n\n")
	seen := watched(p.Rings[0].Watch)
	once := len(p.Rings) > 1 && !slices.ContainsFunc(p.Rings, func(r plan.Ring) bool { return watched(r.Watch) != seen })
	hosts, allowed := map[inventory.HostID]bool{}, 0
	for _, r := range p.Rings {
		allowed += r.MaxFailures
		for _, w := range r.Waves {
			for _, c := range w.Changes {
				hosts[c.Host] = true
			}
		}
		fmt.Fprintf(&b, "- %s soaks %s. %s", inert(r.Name), length(r), ruledOut(len(hosts), allowed))
		if !once {
			b.WriteString(watched(r.Watch))
		}
		b.WriteString("\n")
	}
	if once && seen != "" {
		b.WriteString("\n" + strings.TrimPrefix(seen, " ") + "\n")
	}
	return b.String()
}

// length is how long a ring soaks, and who said so.
func length(r plan.Ring) string {
	shortest := r.Soak
	for _, w := range r.Waves {
		if a, err := hclfile.ParseDuration(w.Soak); err == nil {
			if b, err := hclfile.ParseDuration(shortest); err == nil && a < b {
				shortest = w.Soak
			}
		}
	}
	if shortest != r.Soak {
		return cell(shortest) + " where the clock leaves no more of the " + cell(r.Soak) + " that is declared"
	}
	return cell(r.Soak) + ", as declared"
}

// ruledOut is what so many hosts that were watched tell of all hosts like them.
func ruledOut(hosts, allowed int) string {
	share := evidence.Shown(hosts, allowed)
	if share >= 1 {
		return fmt.Sprintf("Its failures stop nothing: %s by then, and as many may fail.", plural(hosts, "host"))
	}
	return fmt.Sprintf("By then %s: what breaks %.0f %% of such hosts, or more, has shown and stopped it.", plural(hosts, "host"), math.Ceil(100*share))
}

// watched is what is seen of each host.
func watched(w *plan.Watch) string {
	switch {
	case w == nil:
		return ""
	case len(w.Signals) == 0:
		return " Some of its hosts are not measured in any way that others are: without a verdict they hold."
	case w.Step == "":
		return " Hosts are only asked whether they answer, not whether they do so worse than before."
	}
	text := fmt.Sprintf(" A point each %s is %s of each signal of a host", cell(w.Step), plural(w.Points, "point"))
	switch {
	case w.Within != "":
		text += ": trouble that begins within " + cell(w.Within) + " of the change, and lasts, is seen; what begins later is not."
	case w.Points < 5:
		text += ", and 5 are the least: it soaks until there are so many."
	default:
		text += ": too few to be sure of any trouble, which holds where it may be chance."
	}
	if w.Rise > 0 {
		text += fmt.Sprintf(" A rise of the error ratio by less than %g is not blamed.", w.Rise)
	}
	switch {
	case w.MinRequests > 0:
		text += fmt.Sprintf(" It soaks until a host has served %d requests: an error in %.0f has shown by then.", w.MinRequests, math.Floor(1/evidence.Shown(w.MinRequests, 0)))
	case w.Rise > 0:
		text += " How many requests a host must serve is not declared (`min_requests`): of one with little traffic this says little."
	}
	return text
}
