package sim

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Past turns the lines of ledgers, in the order of time, into the steps that
// were taken: applied, failed and rolled_back lines, the others are passed
// over. A rollback restores what its change was applied over, whichever way
// round its line says from and to; a failed line after its change was applied
// is a rollback that failed.
func Past(lines []outcome.Line) []Done {
	type change struct {
		host  inventory.HostID
		patch plan.PatchID
	}
	var list []Done
	applied := map[change]fleet.Package{}
	keys := map[string]bool{}
	for _, l := range lines {
		c := change{l.Host, l.Patch}
		p, open := applied[c]
		d := Done{Key: l.Key, Host: l.Host, At: l.At, Detail: l.Detail}
		switch {
		case l.Host == "" || keys[string(l.Event)+"\x00"+l.Key+"\x00"+string(l.Patch)]:
			continue
		case l.Event == outcome.Applied && !open:
			p = moved(l)
			applied[c] = p
			d.Detail = ""
		case l.Event == outcome.Failed && !open:
			p, d.Failed = moved(l), true
		case l.Event == outcome.Failed && !keys[string(outcome.Applied)+"\x00"+l.Key+"\x00"+string(l.Patch)]:
			p.From, p.To = p.To, p.From
			d.Rollback, d.Failed = true, true
		case l.Event == outcome.RolledBack && open:
			delete(applied, c)
			p.From, p.To = p.To, p.From
			d.Rollback, d.Detail = true, ""
		default:
			continue
		}
		keys[string(l.Event)+"\x00"+l.Key+"\x00"+string(l.Patch)] = true
		d.Packages = []fleet.Package{p}
		list = append(list, d)
	}
	return list
}

// moved is the package that a line moved.
func moved(l outcome.Line) fleet.Package {
	kind, rest, _ := strings.Cut(string(l.Patch), ":")
	p := fleet.Package{Type: version.Type(kind), Name: rest, From: l.From, To: l.To, Patch: l.Patch}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		p.Name = rest[:at]
	}
	return p
}
