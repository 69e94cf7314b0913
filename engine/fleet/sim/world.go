package sim

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// Randomness is a hash of the seed and what it is about, so that it does not
// depend on what was asked before, nor on the machine.

// hash is FNV-1a over the seed and the parts, finished by mix.
func hash(seed uint64, parts ...string) uint64 {
	h := uint64(14695981039346656037) ^ mix(seed)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211 // a byte that no name has, so that parts do not run together
	}
	return mix(h)
}

// mix is the finaliser of splitmix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// uniform is in [0, 1).
func uniform(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// normal is about N(0, 1): four uniforms of 16 bits added (Irwin and Hall).
func normal(h uint64) float64 {
	sum := float64(h&0xffff) + float64(h>>16&0xffff) + float64(h>>32&0xffff) + float64(h>>48)
	return float64((sum/65536 - 2) * 1.7320508075688772)
}

// hit returns the first fault of that kind that strikes a package on a host.
func (f *Fleet) hit(h inventory.Host, p fleet.Package, kind Kind) (Fault, bool) {
	for i, fault := range f.truth.Faults {
		if fault.Kind == kind && f.strikes(i, fault, h, p) {
			return fault, true
		}
	}
	return Fault{}, false
}

func (f *Fleet) strikes(i int, fault Fault, h inventory.Host, p fleet.Package) bool {
	if fault.Patch != "" && !glob(fault.Patch, string(p.Patch)) || fault.Package != "" && !glob(fault.Package, p.Name) || !fault.takes(h) {
		return false
	}
	name := cmp.Or(fault.Name, strconv.Itoa(i))
	return fault.P == nil || uniform(hash(f.seed, "fault", name, string(h.ID), string(p.Patch))) < *fault.P
}

// down says whether a host takes no steps: its telemetry may be down for an
// install's sake, but only the background takes the way in.
func (f *Fleet) down(h inventory.Host, at time.Time) bool {
	for _, b := range f.truth.Background {
		if b.Kind == Down && anyGlob(b.Hosts, string(h.ID)) && (effect{from: b.At, to: ends(b.At, b.ForS)}).on(at) {
			return true
		}
	}
	return false
}

// effect is a symptom over [from, to); a zero to is for good.
type effect struct {
	kind     Kind
	from, to time.Time
	Size
}

func (e effect) on(at time.Time) bool {
	return !at.Before(e.from) && (e.to.IsZero() || at.Before(e.to))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func ends(from time.Time, s float64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return from.Add(seconds(s))
}

// effects are all symptoms a host ever has: of what was installed, as far as
// the steps go, and of the background that is declared.
func (f *Fleet) effects(h inventory.Host, steps []Done) []effect {
	var list []effect
	for _, b := range f.truth.Background {
		if anyGlob(b.Hosts, string(h.ID)) {
			list = append(list, effect{b.Kind, b.At, ends(b.At, b.ForS), b.Size})
		}
	}
	for i, d := range steps {
		if d.Rollback {
			continue
		}
		for _, p := range d.Packages {
			if f.after(h, d, p) == p.To {
				list = append(list, f.symptoms(h, p, d.At, f.undone(h, p, steps[i+1:]))...)
			}
		}
	}
	return list
}

// undone is when a package was next moved, the zero time if never.
func (f *Fleet) undone(h inventory.Host, p fleet.Package, later []Done) time.Time {
	for _, d := range later {
		for _, q := range d.Packages {
			if q.Name == p.Name && f.after(h, d, q) == q.To {
				return d.At
			}
		}
	}
	return time.Time{}
}

// symptoms of one install that lasted from at until undone.
func (f *Fleet) symptoms(h inventory.Host, p fleet.Package, at, undone time.Time) []effect {
	var list []effect
	for i, fault := range f.truth.Faults {
		if !slices.Contains(symptoms, fault.Kind) || !f.strikes(i, fault, h, p) {
			continue
		}
		from := at.Add(seconds(fault.AfterS))
		to := ends(from, fault.ForS)
		if !undone.IsZero() && (to.IsZero() || undone.Before(to)) {
			to = undone
		}
		list = append(list, effect{fault.Kind, from, to, fault.Size})
	}
	return list
}

// Probe is the simulated hosts' telemetry: the health kind "sim". Closing it
// leaves the fleet open.
func (f *Fleet) Probe() telemetry.Source { return probe{f} }

type probe struct{ fleet *Fleet }

func (probe) Close() error { return nil }

// Measure gives a point at each whole minute of [from, to] that has come by
// now. A host that is down has only up, which is 0.
func (p probe) Measure(ctx context.Context, now time.Time, hosts []inventory.HostID, from, to time.Time) (telemetry.Series, error) {
	f := p.fleet
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	if to.After(now) {
		to = now
	}
	found := telemetry.Series{}
	for _, id := range hosts {
		h, ok := f.host(id)
		if !ok {
			continue
		}
		f.mu.Lock()
		steps := slices.Clone(f.steps[id])
		f.mu.Unlock()
		if signals := f.measure(h, steps, from, to); len(signals) > 0 {
			found[id] = signals
		}
	}
	return found, nil
}

func (f *Fleet) measure(h inventory.Host, steps []Done, from, to time.Time) map[string][]telemetry.Point {
	effects := f.effects(h, steps)
	signals := map[string][]telemetry.Point{}
	for minute := -(-from.Unix() / 60); minute*60 <= to.Unix(); minute++ {
		at := time.Unix(minute*60, 0).UTC()
		if at.Before(from) {
			continue
		}
		for signal, v := range f.at(h, effects, minute, at) {
			signals[signal] = append(signals[signal], telemetry.Point{At: at, V: v})
		}
	}
	return signals
}

// at is a host's signals at one minute.
func (f *Fleet) at(h inventory.Host, effects []effect, minute int64, at time.Time) map[string]float64 {
	v := f.healthy(h, minute, at)
	if e, ok := f.stray(h.ID, at); ok {
		v["error_ratio"] = max(v["error_ratio"], e)
	}
	for _, e := range effects {
		if !e.on(at) {
			continue
		}
		wobble := 1 + float64(0.05*f.noise(h.ID, "effect", minute))
		switch e.kind {
		case Errors:
			v["error_ratio"] = max(v["error_ratio"], min(1, float64(number(e.ErrorRatio, 0.3)*wobble)))
		case Slow:
			v["latency_seconds"] *= number(e.LatencyFactor, 5)
		case Load:
			v["load_ratio"] = max(v["load_ratio"], min(1, float64(number(e.LoadRatio, 0.98)*wobble)))
		case Down:
			return map[string]float64{"up": 0}
		}
	}
	return v
}

func number(v *float64, otherwise float64) float64 {
	if v == nil {
		return otherwise
	}
	return *v
}

// healthy is a host with nothing wrong: a level of its own, the load of the
// hour, and noise of which a part lasts a quarter of an hour, as real noise
// does.
func (f *Fleet) healthy(h inventory.Host, minute int64, at time.Time) map[string]float64 {
	n := f.truth.Noise
	own := 0.5 + uniform(hash(f.seed, "level", string(h.ID)))
	load := f.load(h, at) + float64(0.03*f.noise(h.ID, "load", minute))
	load = min(1, max(0, load))
	errors := float64(number(n.ErrorRatio, 0.004) * own)
	errors += float64(0.3 * errors * f.noise(h.ID, "errors", minute))
	latency := float64(number(n.LatencySeconds, 0.08) * own * (0.85 + float64(0.5*load)))
	latency += float64(0.1 * latency * f.noise(h.ID, "latency", minute))
	return map[string]float64{"up": 1, "error_ratio": min(1, max(0, errors)), "latency_seconds": max(0.0001, latency), "load_ratio": load}
}

// load is what the host's facts say of the hour of the week, or a day that is
// busiest at 14:00 UTC.
func (f *Fleet) load(h inventory.Host, at time.Time) float64 {
	if h.Facts != nil && len(h.Facts.Load) == 168 {
		return h.Facts.Load[(int(at.Weekday())+6)%7*24+at.Hour()]
	}
	away := float64(max(at.Hour()-14, 14-at.Hour())) // hours from 14:00
	mean := number(f.truth.Noise.LoadRatio, 0.3)
	return mean + float64(mean*(0.5-away/14))
}

func (f *Fleet) noise(host inventory.HostID, signal string, minute int64) float64 {
	base := hash(f.seed, "noise", signal, string(host))
	return float64(0.8*normal(mix(base+uint64(minute)))) + float64(0.6*normal(mix(base^mix(uint64(minute/15)))))
}

// stray is a fault that no patch causes: with the chance of the noise a host
// and day, for 20 to 60 minutes, which may last into the next day.
func (f *Fleet) stray(host inventory.HostID, at time.Time) (float64, bool) {
	if f.truth.Noise.FaultsPerDay <= 0 {
		return 0, false
	}
	for _, day := range []time.Time{at.Truncate(24 * time.Hour), at.Truncate(24*time.Hour).AddDate(0, 0, -1)} {
		h := hash(f.seed, "stray", string(host), day.Format(time.DateOnly))
		if uniform(h) >= f.truth.Noise.FaultsPerDay {
			continue
		}
		from := day.Add(time.Duration(mix(h)%1440) * time.Minute)
		long := time.Duration(20+mix(h+1)%41) * time.Minute
		if (effect{from: from, to: from.Add(long)}).on(at) {
			return 0.2 + float64(0.3*uniform(mix(h+2))), true
		}
	}
	return 0, false
}
