package risk

import (
	"encoding/binary"
	"math"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Places are the hosts of an estate as scores see them: hosts in the same
// condition share a Spot, so that an Outlook scores it once. Not safe for
// concurrent use.
type Places struct {
	spots map[string]*Spot
	key   []byte
}

// Spot is a condition that hosts may be in.
type Spot struct {
	n      int // its place among all
	host   *inventory.Host
	place  Place
	traits []string
	values []ebm.Value // by Features; those of places alone are set
}

// NewPlaces is no hosts yet.
func NewPlaces() *Places { return &Places{spots: map[string]*Spot{}} }

// Of is a host's spot. It costs about a microsecond, once for each host.
func (ps *Places) Of(h *inventory.Host, s Setting) *Spot { return ps.at(placeOf(h, s), h) }

func (ps *Places) at(p Place, h *inventory.Host) *Spot {
	var values [64]ebm.Value
	row := values[:len(Features)]
	for i := range Features {
		if f := &Features[i]; f.place != nil {
			row[i] = f.banded(f.place(&p))
		}
	}
	ps.key = ps.key[:0]
	for i := range row {
		ps.key = binary.LittleEndian.AppendUint64(ps.key, math.Float64bits(row[i].Number))
		ps.key = append(append(ps.key, row[i].Word...), 0)
	}
	// What rules and traits tell apart and bands do not.
	ps.key = append(ps.key, byte(room(p.MemFreeMB, p.MemMB, 256, 20)), byte(room(p.DiskFreeMB, p.DiskMB, 1024, 20)), byte(uptime(p.UptimeS)))
	if p.Modules == nil {
		ps.key = append(ps.key, 1)
	}
	for _, m := range p.Modules {
		ps.key = append(append(ps.key, m...), 0)
	}
	if h.Facts == nil {
		ps.key = append(ps.key, 1)
	}
	if spot, ok := ps.spots[string(ps.key)]; ok {
		return spot
	}
	spot := &Spot{n: len(ps.spots), host: h, place: p, traits: p.traits(), values: append([]ebm.Value(nil), row...)}
	ps.spots[string(ps.key)] = spot
	return spot
}
