package risk

import (
	"math"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// Feature is one input of the learnt correction: what it is called, what it
// means, and from where on its bands begin. Numbers count as the lower edge of
// their band, so that hosts in much the same condition share a score and a shape
// has a step where a person would put one.
type Feature struct {
	Name     string
	About    string
	Edges    []float64 // of numbers: where bands begin; nil for words
	Monotone int       // +1: more is never less risky

	update func(*Update) ebm.Value // exactly one of the three
	place  func(*Place) ebm.Value
	cross  func(cross) ebm.Value
}

// cross is what is known of a change from patch and host together.
type cross struct {
	hit, maybe int      // known issues
	record     evidence // the track record of the closest group
	vendor     float64  // the vendor's rate; NaN unknown
}

var flags = []float64{0, 1}

// Features are the columns of the deployment model, in their order. Vendors,
// packages, modules and components are no columns: there are too many of each,
// with too few failures. They speak through track records and incompatibilities.
var Features = []Feature{
	{Name: "type", About: "kind of package: deb, rpm, apk, windows, generic", update: func(u *Update) ebm.Value { return word(u.Type) }},
	{Name: "kind", About: "what the update is for: security, bugfix, feature", update: func(u *Update) ebm.Value { return word(u.Kind) }},
	{Name: "version jump", About: "the first part of the version that differs", update: func(u *Update) ebm.Value { return word(jump(u)) }},
	{Name: "size", About: "download, MB", Edges: []float64{0, 1, 10, 30, 100, 300, 1000}, update: func(u *Update) ebm.Value { return whole(u.SizeBytes, 1e6) }},
	{Name: "reboot", About: "the host is restarted: 1, not: 0", Edges: flags, update: func(u *Update) ebm.Value { return truth(u.Reboot) }},
	{Name: "restart", About: "the bulletin's word: none, service, reboot", update: func(u *Update) ebm.Value { return word(u.Restart) }},
	{Name: "components", About: "parts that the update touches, 0 where none is stated", Edges: []float64{0, 1, 2, 4}, update: func(u *Update) ebm.Value { return number(float64(len(u.Components))) }},
	{Name: "age", About: "days since it was published", Edges: []float64{0, 3, 8, 27, 60}, update: func(u *Update) ebm.Value { return count64(u.AgeDays) }},
	{Name: "cves", About: "CVEs fixed at once", Edges: []float64{0, 1, 3, 6, 20}, update: func(u *Update) ebm.Value { return count64(u.CVEs) }},
	{Name: "reports", About: "of trouble, by other users", Edges: []float64{0, 1, 3, 10}, Monotone: 1, update: func(u *Update) ebm.Value { return count64(u.Reports) }},

	{Name: "known issues", About: "0 none stands, 1 one may be about the host, 2 one is", Edges: []float64{0, 1, 2}, Monotone: 1, cross: func(c cross) ebm.Value { return number(issueLevel(c)) }},
	{Name: "record", About: "shrunk failure rate of the closest group with a track record, %", Edges: rates, cross: func(c cross) ebm.Value { return number(100 * c.record.p) }},
	{Name: "vendor record", About: "shrunk failure rate of the vendor, %", Edges: rates, cross: func(c cross) ebm.Value { return number(100 * c.vendor) }},

	{Name: "role", About: "what the host is for", place: func(p *Place) ebm.Value { return word(p.Role) }},
	{Name: "tier", About: "how critical its service is", place: func(p *Place) ebm.Value { return word(p.Tier) }},
	{Name: "env", About: "environment: production, test, …", place: func(p *Place) ebm.Value { return word(p.Env) }},
	{Name: "os", About: "operating system and release", place: func(p *Place) ebm.Value { return word(p.OS) }},
	{Name: "os age", About: "years since that release came out", Edges: []float64{0, 1, 3, 5, 8}, place: func(p *Place) ebm.Value { return days(p.OSAgeDays, 365) }},
	{Name: "exposed", About: "reachable from the Internet: 1, not: 0", Edges: flags, place: func(p *Place) ebm.Value { return truth(p.Exposed) }},
	{Name: "uptime", About: "days since the host was started", Edges: []float64{0, 7, 30, 90, 180, 365}, place: func(p *Place) ebm.Value { return whole(p.UptimeS, 86400) }},
	{Name: "memory free", About: "MB", Edges: []float64{0, 256, 512, 1024, 4096, 16384}, place: func(p *Place) ebm.Value { return whole(p.MemFreeMB, 1) }},
	{Name: "disk free", About: "MB", Edges: []float64{0, 1024, 4096, 16384, 65536}, place: func(p *Place) ebm.Value { return whole(p.DiskFreeMB, 1) }},
	{Name: "drift", About: "differs from what is declared: 1, not: 0", Edges: flags, place: func(p *Place) ebm.Value { return truth(p.Drift) }},
	{Name: "reboot pending", About: "an earlier change is only half done: 1, not: 0", Edges: flags, place: func(p *Place) ebm.Value { return truth(p.RebootPending) }},
	{Name: "load", About: "at the hour at which the change begins, 0 to 1", Edges: []float64{0, 0.25, 0.5, 0.75}, place: func(p *Place) ebm.Value { return fraction(p.Load) }},
	{Name: "dependents", About: "services that depend on one of the host's", Edges: []float64{0, 1, 3, 10}, place: func(p *Place) ebm.Value { return count64(p.Dependents) }},
	{Name: "redundancy", About: "other hosts of its primary service", Edges: []float64{0, 1, 3, 10}, place: func(p *Place) ebm.Value { return count64(p.Redundancy) }},
}

// rates are bands of failure rates, in per cent.
var rates = []float64{0, 0.5, 1, 2, 3, 5, 8, 12, 20}

// featureNames are the columns' names, in their order.
func featureNames() []string {
	names := make([]string, len(Features))
	for i, f := range Features {
		names[i] = f.Name
	}
	return names
}

// banded brings a number to the lower edge of its band. What is below the first
// edge is in the first band.
func (f *Feature) banded(v ebm.Value) ebm.Value {
	if f.Edges == nil || math.IsNaN(v.Number) {
		return v
	}
	at := 0
	for at+1 < len(f.Edges) && v.Number >= f.Edges[at+1] {
		at++
	}
	return ebm.Value{Number: f.Edges[at]}
}

func word(s string) ebm.Value       { return ebm.Value{Number: math.NaN(), Word: text(strings.TrimSpace(s))} }
func number(x float64) ebm.Value    { return ebm.Value{Number: x} }
func nothing() ebm.Value            { return ebm.Value{Number: math.NaN()} }
func count64(n *int) ebm.Value      { return given(n, func(n int) float64 { return float64(n) }) }
func fraction(x *float64) ebm.Value { return given(x, func(x float64) float64 { return x }) }

func whole(n *int64, unit float64) ebm.Value {
	return given(n, func(n int64) float64 { return float64(n) / unit })
}

func days(n *int, unit float64) ebm.Value {
	return given(n, func(n int) float64 { return float64(n) / unit })
}

func truth(b *bool) ebm.Value {
	return given(b, func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	})
}

func given[T any](v *T, as func(T) float64) ebm.Value {
	if v == nil {
		return nothing()
	}
	return number(as(*v))
}

func jump(u *Update) string {
	if u.Type == "" || u.Type == "windows" {
		return ""
	}
	if j := version.Jump(version.Type(u.Type), u.From, u.To); j != "unknown" {
		return j
	}
	return ""
}

func issueLevel(c cross) float64 {
	switch {
	case c.hit > 0:
		return 2
	case c.maybe > 0:
		return 1
	}
	return 0
}
