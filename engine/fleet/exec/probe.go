package exec

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

type wireSeries struct {
	Host   inventory.HostID    `json:"host"`
	Signal string              `json:"signal"`
	Points [][]json.RawMessage `json:"points"`
}

// Probe is the fleet's own measurements, asked of the same process: the health
// kind "exec". Closing it leaves the fleet open.
func (f *Fleet) Probe() telemetry.Source { return probe{f} }

type probe struct{ fleet *Fleet }

func (probe) Close() error { return nil }

// Measure asks for all four signals. What was not asked for, and what lies
// outside the interval, is passed over.
func (p probe) Measure(ctx context.Context, now time.Time, hosts []inventory.HostID, from, to time.Time) (telemetry.Series, error) {
	if _, err := p.fleet.offers("probe"); err != nil {
		return nil, err
	}
	found := telemetry.Series{}
	for part := range slices.Chunk(hosts, perRequest(from, to)) {
		r, err := p.fleet.session.ask(ctx, request{Op: "probe", Now: stamp(now), Hosts: part,
			From: stamp(from), To: stamp(to), Signals: telemetry.Signals})
		if err != nil {
			return nil, err
		}
		if err := r.series(part, from, to, found); err != nil {
			return nil, err
		}
	}
	telemetry.Sort(found)
	return found, nil
}

// perRequest is how many hosts are asked for at once: with a point a minute an
// answer of 50,000 points a signal stays well below the longest line allowed.
func perRequest(from, to time.Time) int {
	minutes := max(1, int(to.Sub(from)/time.Minute))
	return max(1, min(100, 50_000/minutes))
}

func (r *reply) series(hosts []inventory.HostID, from, to time.Time, into telemetry.Series) error {
	for _, s := range r.Series {
		if !slices.Contains(hosts, s.Host) || !slices.Contains(telemetry.Signals, s.Signal) {
			continue
		}
		points, err := s.points(from, to)
		if err != nil {
			return err
		}
		if len(points) == 0 {
			continue
		}
		if into[s.Host] == nil {
			into[s.Host] = map[string][]telemetry.Point{}
		}
		into[s.Host][s.Signal] = append(into[s.Host][s.Signal], points...)
	}
	return nil
}

func (s wireSeries) points(from, to time.Time) ([]telemetry.Point, error) {
	var list []telemetry.Point
	for _, pair := range s.Points {
		if len(pair) != 2 {
			return nil, broken("probe gave a point of %d members for %s of host %q, expected [seconds, value]", len(pair), s.Signal, s.Host)
		}
		var seconds float64
		if err := json.Unmarshal(pair[0], &seconds); err != nil || math.Abs(seconds) > 1e12 {
			return nil, broken("probe gave %s as the time of a point of host %q, expected seconds since 1970", clip(string(pair[0])), s.Host)
		}
		v, err := value(pair[1])
		if err != nil {
			return nil, err
		}
		at := time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
		if !at.Before(from) && !at.After(to) {
			list = append(list, telemetry.Point{At: at, V: v})
		}
	}
	return list, nil
}
