package engine

import (
	"context"
	"fmt"
	"maps"

	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// baselines says of hosts on which something is to begin why nothing could be told from
// it afterwards: health cannot be opened or asked, or has too little of the hour before.
// A change there would only be held when it has soaked, so it does not begin.
func (h *hand) baselines(ctx context.Context, jobs []*job) map[inventory.HostID]string {
	var begin []*job
	for _, j := range jobs {
		if !j.undo && !h.tooLate(j) {
			begin = append(begin, j)
		}
	}
	why := map[inventory.HostID]string{}
	for _, block := range blocks(h.t, begin) {
		if block.health.Kind != "" {
			maps.Copy(why, h.noBaseline(ctx, block.health, hostsOf(block.jobs)))
		}
	}
	return why
}

// noBaseline is baselines of the hosts of one health block.
func (h *hand) noBaseline(ctx context.Context, block ring.Health, hosts []inventory.HostID) map[inventory.HostID]string {
	why := map[inventory.HostID]string{}
	ask := &asking{at: h.At, hosts: hosts, unasked: telemetry.Unasked{}}
	var before telemetry.Series
	if ask.source, ask.err = h.openedHealth(ctx, block); ask.err == nil {
		defer ask.source.Close()
		if len(block.Signals) == 0 {
			return nil // it has no past, or is the fleet's own and measures what it likes
		}
		before = ask.measure(ctx, h.At.Add(-past), h.At)
	}
	for _, host := range hosts {
		lacks := health.NoBaseline(block.Signals, before[host])
		if err := ask.unasked[host]; err != nil {
			lacks = err.Error()
		}
		if ask.err != nil {
			lacks = ask.err.Error()
		}
		if lacks != "" {
			why[host] = "nothing could be told from the change afterwards: " + lacks + "; it does not begin without a past to compare with"
		}
	}
	return why
}

// openedHealth opens a health block as the protected branch has it.
func (h *hand) openedHealth(ctx context.Context, block ring.Health) (telemetry.Source, error) {
	err := h.unaltered(h.t, block.Command)
	var source telemetry.Source
	if err == nil {
		source, err = h.OpenHealth(ctx, block, h.fleet, h.world)
	}
	if err != nil {
		return nil, fmt.Errorf("opening health %q: %w", block.Kind, err)
	}
	return source, nil
}
