package engine

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// kindsOf sorts an estate's hosts into kinds, by what its facts say of them.
func (d *decider) kindsOf() *ring.Kinds {
	var names []uint64 // hash of a package's name, by its number
	profiles := make([]ring.Profile, len(d.est.Hosts))
	for i := range d.est.Hosts {
		h, p := &d.est.Hosts[i], &profiles[i]
		p.Role = d.role(h)
		if h.Packages.Len() > 0 {
			all := h.Packages.Pool().Packages()
			for n := len(names); n < len(all); n++ {
				names = append(names, ring.Hash(string(all[n].Type)+" "+all[n].Name))
			}
			for _, n := range h.Packages.Numbers() {
				p.Packages.Add(names[n])
			}
		}
		if f := h.Facts; f != nil {
			p.Hardware, p.Load = ring.HardwareOf(f), ring.LoadOf(f.Load)
			if f.OS != nil {
				p.System = strings.TrimSpace(f.OS.ID + " " + f.OS.Version + " " + f.OS.Arch)
			}
		}
	}
	return ring.NewKinds(profiles)
}
