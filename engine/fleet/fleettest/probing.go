package fleettest

import (
	"context"
	"fmt"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// prober is a fleet that measures too.
type prober interface{ Probe() telemetry.Source }

func probes(b *bench) error {
	p, ok := b.fleet.(prober)
	if !ok {
		return errSkip("the fleet has no Probe")
	}
	h := b.fix.Hosts[0]
	from, to := b.now.Add(-10*time.Minute), b.now
	series, err := p.Probe().Measure(b.ctx, b.now, []inventory.HostID{h, absent}, from, to)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if got, ok := series[absent]; ok {
		return fmt.Errorf("probe measured a host that is not there: %v", got)
	}
	for host, signals := range series {
		if host != h {
			return fmt.Errorf("probe measured host %q, which was not asked for", host)
		}
		for signal, points := range signals {
			if err := within(signal, points, from, to); err != nil {
				return err
			}
		}
	}
	if len(series[h]["up"]) == 0 {
		return fmt.Errorf("probe has no point of up for host %q in the last 10 minutes", h)
	}
	return nil
}

func within(signal string, points []telemetry.Point, from, to time.Time) error {
	for i, p := range points {
		if p.At.Before(from) || p.At.After(to) {
			return fmt.Errorf("probe has a point of %s at %s, outside %s to %s", signal, p.At, from, to)
		}
		if i > 0 && p.At.Before(points[i-1].At) {
			return fmt.Errorf("probe has points of %s out of order at %s", signal, p.At)
		}
	}
	return nil
}

func future(b *bench) error {
	p, ok := b.fleet.(interface {
		Future(ctx context.Context, now time.Time) error
	})
	if !ok {
		return errSkip("the fleet speaks no protocol")
	}
	return p.Future(b.ctx, b.now)
}

func closed(b *bench) error {
	if err := b.fleet.Close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	if err := b.fleet.Close(); err != nil {
		return fmt.Errorf("closing twice: %w", err)
	}
	_, err := b.fleet.Apply(b.ctx, b.now, b.step(b.fix.Hosts[0]))
	if err == nil {
		return fmt.Errorf("a closed fleet took a step")
	}
	return b.open()
}
