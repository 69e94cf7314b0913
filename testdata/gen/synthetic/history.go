package synthetic

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// months is how long history from before ringmaster is; rows how much of it was
// kept at most.
const months, rows = 6, 20_000

// history writes imported outcomes, and an incident for some that failed.
func (e *maker) history() {
	rng := e.chance(forHistory)
	var list []outcome.Imported
	var incidents []outcome.Incident
	for range min(rows, 3*e.Hosts) {
		h := &e.fleet[rng.IntN(len(e.fleet))]
		s := &e.services[h.service]
		src := h.system.sources[rng.IntN(common)]
		at := e.ago(1 + rng.Float64()*30*months)
		updates := src.by(at)
		if updates == 0 {
			continue
		}
		o := outcome.Imported{
			At: at, Host: h.id, Service: s.name, Type: string(h.system.typ), Package: src.name, Vendor: h.system.vendor,
			From: src.at(h.system, updates-1), To: src.at(h.system, updates), Event: outcome.Healthy, Kind: "security",
			Role: s.role, Env: env(s), Tier: s.tier, Exposed: ptr(h.exposed), UptimeS: ptr(int64(rng.IntN(9_000_000))), MemFreeMB: ptr(int64(256 + rng.IntN(4000))),
		}
		o.Patch = fmt.Sprintf("%s:%s@%s", o.Type, o.Package, o.To)
		if roll := rng.Float64(); roll < 0.03 {
			o.Event, o.Detail = outcome.Failed, "the service did not come back"
			incidents = append(incidents, outcome.Incident{Opened: at.Add(10 * time.Minute), Host: h.id, Service: s.name, Closed: at.Add(100 * time.Minute), Patch: o.Patch, Minutes: ptr(90.0), Action: "rolled back"})
		} else if roll < 0.04 {
			o.Event = outcome.Degraded
		}
		list = append(list, o)
	}
	slices.SortStableFunc(list, func(a, b outcome.Imported) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Host, b.Host)) })
	slices.SortStableFunc(incidents, func(a, b outcome.Incident) int {
		return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.Host, b.Host))
	})
	e.files["inventory/history/outcomes.jsonl"] = lines(list)
	e.files["inventory/history/incidents.jsonl"] = lines(incidents)
}

func lines[T any](list []T) []byte {
	var b bytes.Buffer
	for _, v := range list {
		b.Write(line(v))
	}
	return b.Bytes()
}
