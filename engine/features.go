package engine

import (
	"cmp"
	"slices"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// indexOf finds a host among the decider's, which are sorted by id.
func (d *decider) indexOf(id inventory.HostID) (int, bool) {
	return slices.BinarySearchFunc(d.hosts, id, func(h inventory.Host, id inventory.HostID) int { return cmp.Compare(h.ID, id) })
}

func (d *decider) hostOf(id inventory.HostID) *inventory.Host {
	if i, ok := d.indexOf(id); ok {
		return &d.hosts[i]
	}
	return nil
}

// features is what was known of patch and host when a line was written: what
// models learn from. What nobody reported is left out.
func (d *decider) features(l *outcome.Line) map[string]any {
	f := map[string]any{}
	if l.Patch == "" {
		return f
	}
	put := func(name, value string) {
		if value != "" {
			f[name] = value
		}
	}
	typ, name, _, _ := l.Patch.Parts()
	put("type", typ)
	put("package", name)
	d.patchFeatures(l, f)
	h := d.hostOf(l.Host)
	if h == nil {
		return f
	}
	put("role", d.role(h))
	if s := d.primary(h); s != nil {
		put("service", s.Name)
		put("tier", s.Tier)
	}
	put("env", h.Labels["env"])
	if h.Facts != nil {
		hostFeatures(h.Facts, f)
	}
	return f
}

func (d *decider) patchFeatures(l *outcome.Line, f map[string]any) {
	for _, done := range d.deeds {
		if done.plan.ID != l.Plan {
			continue
		}
		for _, p := range done.plan.Patches {
			if p.ID == l.Patch && p.Vendor != "" {
				f["vendor"] = p.Vendor
			}
		}
	}
}

func hostFeatures(facts *inventory.Facts, f map[string]any) {
	if facts.OS != nil && facts.OS.ID != "" {
		f["os"] = facts.OS.ID + " " + facts.OS.Version
	}
	if len(facts.Modules) > 0 {
		f["modules"] = facts.Modules
	}
	for name, v := range map[string]*int64{"uptime_s": facts.UptimeS, "mem_free_mb": facts.MemFreeMB, "disk_free_mb": facts.DiskFreeMB} {
		if v != nil {
			f[name] = *v
		}
	}
	for name, v := range map[string]*bool{"exposed": facts.Exposed, "drift": facts.Drift, "reboot_pending": facts.RebootPending} {
		if v != nil {
			f[name] = *v
		}
	}
}
