package risk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Known is what was known of one change when it was decided, and nothing else:
// what models learn from and score. It is the same whether it comes from a host
// and a patch (Know), from a ledger line's features or from a row of imported
// history. Whatever nobody reported is absent, never zero.
type Known struct {
	Update
	Place
	IssuesHit   int `json:"known_issues_hit,omitempty"`   // unresolved known issues that name this host's module or role
	IssuesMaybe int `json:"known_issues_maybe,omitempty"` // those that may be about it: they name nobody, or the host is not known well enough
}

// Update is what is known of a patch. The members are those of a ledger line's
// features.
type Update struct {
	Type       string   `json:"type,omitempty"`
	Package    string   `json:"package,omitempty"`
	Vendor     string   `json:"vendor,omitempty"`
	From       string   `json:"from,omitempty"`
	To         string   `json:"to,omitempty"`
	Kind       string   `json:"kind,omitempty"` // the riskiest of its advisories': feature, bugfix, security
	SizeBytes  *int64   `json:"size_bytes,omitempty"`
	Reboot     *bool    `json:"reboot,omitempty"`
	Restart    string   `json:"restart,omitempty"` // the bulletin's word: none, service, reboot; "" unknown
	Components []string `json:"components,omitempty"`
	AgeDays    *int     `json:"age_days,omitempty"` // whole days since the newest of its advisories
	CVEs       *int     `json:"cves,omitempty"`
	Reports    *int     `json:"reports,omitempty"` // of trouble, by other users
}

// Place is what is known of a host and of the services on it.
type Place struct {
	Role          string   `json:"role,omitempty"`
	Tier          string   `json:"tier,omitempty"`
	Env           string   `json:"env,omitempty"`
	OS            string   `json:"os,omitempty"`          // "debian 12"
	OSAgeDays     *int     `json:"os_age_days,omitempty"` // whole days since that release came out
	Exposed       *bool    `json:"exposed,omitempty"`
	UptimeS       *int64   `json:"uptime_s,omitempty"`
	MemMB         *int64   `json:"mem_mb,omitempty"`
	MemFreeMB     *int64   `json:"mem_free_mb,omitempty"`
	DiskMB        *int64   `json:"disk_mb,omitempty"`
	DiskFreeMB    *int64   `json:"disk_free_mb,omitempty"`
	Drift         *bool    `json:"drift,omitempty"`
	RebootPending *bool    `json:"reboot_pending,omitempty"`
	Modules       []string `json:"modules,omitempty"`
	Load          *float64 `json:"load,omitempty"`       // at the hour at which the change is to begin, 0..1
	Dependents    *int     `json:"dependents,omitempty"` // services that depend on one of the host's
	Redundancy    *int     `json:"redundancy,omitempty"` // other hosts of its primary service
}

// Setting is what an estate says of a host beyond the host itself. Its zero value
// says nothing.
type Setting struct {
	Role       string
	Tier       string
	Dependents *int
	Redundancy *int
	Start      time.Time // when the change is to begin; zero: not known
	At         time.Time // of the decision, for what has an age; zero: no age is known
}

// Know is what is known, at a time, of a patch on a host.
func Know(p Patch, h *inventory.Host, s Setting, at time.Time) Known {
	s.At = at
	k := Known{Update: updateOf(p, at), Place: placeOf(h, s)}
	k.IssuesHit, k.IssuesMaybe = issuesOn(unresolved(p.Advisories, at), k.Modules, k.Role)
	return k
}

// issuesOn counts the known issues that are about such a host, and those that may
// be.
func issuesOn(issues []advisory.KnownIssue, modules []string, role string) (hit, maybe int) {
	for _, i := range issues {
		switch about := concerns(i, modules, role); {
		case about == bad && (i.Module != "" || i.Role != ""):
			hit++
		case about != good:
			maybe++
		}
	}
	return hit, maybe
}

func updateOf(p Patch, at time.Time) Update {
	typ, _, _, _ := p.ID.Parts()
	u := Update{Type: typ, Package: p.Package, Vendor: p.Vendor, From: p.From, To: p.To}
	var newest time.Time
	var size int64
	reports, cves := 0, map[string]bool{}
	for _, a := range p.Advisories {
		if a.Published.After(newest) {
			newest = a.Published
		}
		if a.Reboot != nil {
			yes := *a.Reboot || u.Reboot != nil && *u.Reboot
			u.Reboot = &yes
		}
		if rankOf(a.Kind) > rankOf(advisory.Kind(u.Kind)) {
			u.Kind = string(a.Kind)
		}
		size, reports = max(size, a.SizeBytes), reports+max(a.Reports, 0)
		u.Components = append(u.Components, a.Components...)
		for _, c := range a.CVEs {
			cves[c.ID] = true
		}
	}
	u.Restart = cmp.Or(p.Restart, restartOf(p.Advisories))
	slices.Sort(u.Components)
	u.Components = slices.Compact(u.Components)
	if size > 0 {
		u.SizeBytes = &size
	}
	if len(p.Advisories) > 0 {
		n := len(cves)
		u.CVEs, u.Reports = &n, &reports
	}
	if !newest.IsZero() {
		days := max(int(at.Sub(newest)/(24*time.Hour)), 0)
		u.AgeDays = &days
	}
	return u
}

// rankOf orders kinds by how much they mean to change.
func rankOf(k advisory.Kind) int {
	return slices.Index([]advisory.Kind{"", advisory.Security, advisory.Bugfix, advisory.Feature}, k)
}

func placeOf(h *inventory.Host, s Setting) Place {
	p := Place{Role: s.Role, Tier: s.Tier, Dependents: s.Dependents, Redundancy: s.Redundancy}
	if h == nil {
		return p
	}
	p.Env = h.Labels["env"]
	f := h.Facts
	if f == nil {
		return p
	}
	if f.OS != nil && f.OS.ID != "" {
		p.OS, p.OSAgeDays = f.OS.ID+" "+f.OS.Version, osAge(f.OS, s.At)
	}
	p.Exposed, p.UptimeS, p.MemMB, p.MemFreeMB, p.DiskMB, p.DiskFreeMB = f.Exposed, f.UptimeS, f.MemMB, f.MemFreeMB, f.DiskMB, f.DiskFreeMB
	p.Drift, p.RebootPending, p.Modules = f.Drift, f.RebootPending, f.Modules
	if hour := hourOfWeek(s.Start); hour < len(f.Load) && !s.Start.IsZero() {
		p.Load = &f.Load[hour]
	}
	return p
}

// hourOfWeek counts from Monday 00:00 UTC, as facts do.
func hourOfWeek(t time.Time) int {
	t = t.UTC()
	return (int(t.Weekday())+6)%7*24 + t.Hour()
}

// Features is Known as a ledger line keeps it. What is absent has no member.
func (k Known) Features() map[string]any {
	data, err := json.Marshal(k)
	if err != nil {
		panic(fmt.Sprintf("risk: features that cannot be written: %v", err)) // a load that is not finite: facts cannot hold one
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		panic(fmt.Sprintf("risk: features that cannot be read back: %v", err))
	}
	return m
}

// knownOf reads a ledger line. Members that are not what Features writes are
// absent: other writers' lines have to be lived with.
func knownOf(l outcome.Line) *Known {
	k := &Known{}
	if data, err := json.Marshal(l.Features); err != nil || json.Unmarshal(data, k) != nil {
		*k = piecemeal(l.Features)
	}
	typ, name, to, _ := l.Patch.Parts()
	fill(&k.Type, typ)
	fill(&k.Package, name)
	fill(&k.To, l.To)
	fill(&k.To, to)
	fill(&k.From, l.From)
	return k
}

// piecemeal reads what can be read of members of which some are not ours.
func piecemeal(features map[string]any) Known {
	var k Known
	for name, value := range features {
		tried := k
		data, err := json.Marshal(map[string]any{name: value})
		if err == nil && json.Unmarshal(data, &tried) == nil {
			k = tried
		}
	}
	return k
}

func fill(s *string, with string) {
	if *s == "" {
		*s = with
	}
}

// knownOfRow reads a row of imported history.
func knownOfRow(r outcome.Imported) *Known {
	typ, name, to, _ := plan.PatchID(r.Patch).Parts()
	k := &Known{
		Update: Update{Type: r.Type, Package: r.Package, Vendor: r.Vendor, From: r.From, To: r.To, Kind: r.Kind, SizeBytes: r.SizeBytes,
			Reboot: r.Reboot, Components: slices.Sorted(slices.Values(r.Components)), Reports: r.Reports},
		Place: Place{Role: r.Role, Tier: r.Tier, Env: r.Env, Exposed: r.Exposed, UptimeS: r.UptimeS, MemFreeMB: r.MemFreeMB,
			DiskFreeMB: r.DiskFreeMB, Drift: r.Drift, Modules: r.Modules},
	}
	fill(&k.Type, typ)
	fill(&k.Package, name)
	fill(&k.To, to)
	return k
}

// patch and host are a patch and a host of which just that is known, so that what
// is learnt from is scored by the very code that scores a plan.
func (k *Known) patch(id string, at time.Time) Patch {
	p := Patch{ID: plan.PatchID(id), Package: k.Package, Vendor: k.Vendor, From: k.From, To: k.To, Restart: k.Restart}
	if k.Type != "" {
		p.ID = plan.PatchID(k.Type + ":" + k.Package + "@" + k.To)
	}
	a := &advisory.Advisory{Kind: advisory.Kind(k.Kind), Reboot: k.Reboot, Components: k.Components}
	if k.SizeBytes != nil {
		a.SizeBytes = *k.SizeBytes
	}
	if k.Reports != nil {
		a.Reports = *k.Reports
	}
	if k.AgeDays != nil {
		a.Published = at.AddDate(0, 0, -*k.AgeDays)
	}
	if k.CVEs != nil {
		for i := range min(max(*k.CVEs, 0), 100) {
			a.CVEs = append(a.CVEs, advisory.CVE{ID: fmt.Sprint(i)})
		}
	}
	for i := range min(k.IssuesHit, most) {
		issue := advisory.KnownIssue{Text: fmt.Sprint("known then: ", i), Role: k.Role}
		if k.Role == "" && len(k.Modules) > 0 {
			issue.Module = k.Modules[0]
		}
		a.KnownIssues = append(a.KnownIssues, issue)
	}
	for i := range min(k.IssuesMaybe, most) {
		a.KnownIssues = append(a.KnownIssues, advisory.KnownIssue{Text: fmt.Sprint("known then of all: ", i)})
	}
	p.Advisories = []*advisory.Advisory{a}
	return p
}

func (k *Known) host(id inventory.HostID) *inventory.Host {
	h := &inventory.Host{ID: id, Facts: &inventory.Facts{
		Exposed: k.Exposed, UptimeS: k.UptimeS, MemMB: k.MemMB, MemFreeMB: k.MemFreeMB, DiskMB: k.DiskMB, DiskFreeMB: k.DiskFreeMB,
		Drift: k.Drift, RebootPending: k.RebootPending, Modules: k.Modules,
	}}
	return h
}
