package risk

import (
	"slices"
	"strings"
)

// A trait is one thing that a patch or a host is, as "kind name": "vendor Heron",
// "module hba7". Incompatibilities are between a trait of each.
//
// Of a patch: vendor, package, line (package and first number of the version),
// component, kind, and "reboot yes", "size 100 MB".
// Of a host: module, role, os, env, and "drift yes", "pending yes", "memory 512 MB",
// "disk 4 GB", "uptime 180 days": less is free than that, or longer up.

// traits are a patch's, sorted.
func (u *Update) traits() []string {
	var list []string
	add := func(kind, name string) {
		if name != "" {
			list = append(list, kind+" "+text(name))
		}
	}
	add("vendor", u.Vendor)
	add("package", u.Package)
	add("line", lineOf(u))
	add("kind", u.Kind)
	for _, c := range u.Components {
		add("component", c)
	}
	if u.Reboot != nil && *u.Reboot {
		add("reboot", "yes")
	}
	if u.SizeBytes != nil && *u.SizeBytes >= 30_000_000 {
		add("size", "30 MB")
		if *u.SizeBytes >= 100_000_000 {
			add("size", "100 MB")
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// lineOf is a package and the first number of the version it moves to: what
// vendors call a release line. It is "" where there is no such number, or one so
// long that it is a date or a build.
func lineOf(u *Update) string {
	v := u.To
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest // without its epoch
	}
	v = strings.TrimLeft(v, "vV")
	end := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(v)
	}
	if u.Package == "" || u.Type == "windows" || end == 0 || end > 4 {
		return ""
	}
	return u.Package + " " + v[:end]
}

// traits are a host's, sorted.
func (p *Place) traits() []string {
	var list []string
	add := func(kind, name string) {
		if name != "" {
			list = append(list, kind+" "+text(name))
		}
	}
	add("role", p.Role)
	add("os", p.OS)
	add("env", p.Env)
	for _, m := range p.Modules {
		add("module", m)
	}
	if p.Drift != nil && *p.Drift {
		add("drift", "yes")
	}
	if p.RebootPending != nil && *p.RebootPending {
		add("pending", "yes")
	}
	below := func(n *int64, kind string, steps ...step) {
		for _, s := range steps {
			if n != nil && *n < s.at {
				add(kind, s.name)
			}
		}
	}
	below(p.MemFreeMB, "memory", step{512, "512 MB"}, step{1024, "1 GB"})
	below(p.DiskFreeMB, "disk", step{1024, "1 GB"}, step{4096, "4 GB"})
	if p.UptimeS != nil && *p.UptimeS >= 180*86400 {
		add("uptime", "180 days")
	}
	slices.Sort(list)
	return slices.Compact(list)
}

type step struct {
	at   int64
	name string
}

// said is a trait in words, for a sentence "… with …".
func said(trait string) string {
	kind, name, _ := strings.Cut(trait, " ")
	switch kind {
	case "vendor", "package", "module", "os", "line":
		return name
	case "component":
		return "updates of " + name
	case "kind":
		return name + " updates"
	case "reboot":
		return "updates that reboot"
	case "size":
		return "updates of " + name + " or more"
	case "role":
		return "role " + name
	case "env":
		return "environment " + name
	case "drift":
		return "drifted hosts"
	case "pending":
		return "a pending reboot"
	case "memory":
		return "less than " + name + " of memory free"
	case "disk":
		return "less than " + name + " of disk free"
	case "uptime":
		return "over " + name + " of uptime"
	}
	return trait
}

var patchTraits = []string{"component", "kind", "line", "package", "reboot", "size", "vendor"}
var hostTraits = []string{"disk", "drift", "env", "memory", "module", "os", "pending", "role", "uptime"}

// isTrait says whether s is a trait of one of those kinds.
func isTrait(s string, kinds []string) bool {
	kind, name, ok := strings.Cut(s, " ")
	return ok && name != "" && slices.Contains(kinds, kind)
}
