package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// claim is that a package of a host needs the fix of a CVE or advisory.
type claim struct {
	target *target
	rule   *rule
	in     *installed
	fixed  string // "" when no published version fixes it
	cve    bool   // the id is a CVE's
}

// claimKey is what a claim is about: the id of a CVE or advisory, and a
// package or source package.
type claimKey struct{ id, name string }

// scanned is what disputes need to know of one class.
type scanned struct {
	claims   map[claimKey]claim
	named    map[string][]string // id → names with a claim, sorted
	packages map[string]*inventory.Package
	versions map[targetKey][]*installed
	answers  map[question]answer       // hosts of a class mostly have the same findings
	missed   map[claimKey]plan.Dispute // what a scanner that misses a claim is told
}

// question is a finding, on a host of a platform as people call it.
type question struct {
	inventory.Finding
	where string
}

// answer is what the match says to a finding.
type answer struct {
	confirms []claimKey
	disputed bool
	row      plan.Dispute
}

// targetKey is a package, or a source package.
type targetKey struct {
	typ    version.Type
	name   string
	source bool
}

// disputer compares scanners' findings with the match.
type disputer struct {
	m     *matcher
	known map[int32]map[string]bool // advisory → all that it goes by, true for CVEs
	byID  map[string][]*rule        // CVE, advisory id or alias → rules that fix it
	of    map[int32]*scanned        // by class, -1 for hosts without packages
}

// disputes compares every finding of every host with the match, both ways. A
// finding without a fixed version is not a dispute about the fixed version.
func (m *matcher) disputes(hosts []inventory.Host) []plan.Dispute {
	var all []plan.Dispute
	var d *disputer
	for h := range hosts {
		f := hosts[h].Facts
		if f == nil || len(f.Findings) == 0 {
			continue
		}
		if d == nil {
			d = newDisputer(m)
		}
		all = append(all, d.host(&hosts[h], m.class[h])...)
	}
	slices.SortStableFunc(all, func(a, b plan.Dispute) int { return strings.Compare(string(a.Host), string(b.Host)) })
	return all
}

func newDisputer(m *matcher) *disputer {
	d := &disputer{m, map[int32]map[string]bool{}, map[string][]*rule{}, map[int32]*scanned{}}
	for i := range m.x.targets {
		for j := range m.x.targets[i].rules {
			r := &m.x.targets[i].rules[j]
			for id := range d.ids(r) {
				d.byID[id] = append(d.byID[id], r)
			}
		}
	}
	for _, rules := range d.byID {
		slices.SortFunc(rules, m.x.compareRules)
	}
	return d
}

// ids returns everything that an advisory goes by, true for CVEs.
func (d *disputer) ids(r *rule) map[string]bool {
	if ids, ok := d.known[r.advisory]; ok {
		return ids
	}
	a := &d.m.x.advisories[r.advisory]
	ids := map[string]bool{a.ID: strings.HasPrefix(a.ID, "CVE-")}
	for _, alias := range a.Aliases {
		ids[alias] = strings.HasPrefix(alias, "CVE-")
	}
	for _, c := range a.CVEs {
		ids[c.ID] = true
	}
	d.known[r.advisory] = ids
	return ids
}

func (d *disputer) host(h *inventory.Host, c int32) []plan.Dispute {
	s := d.scanned(h, c)
	where := platformText(h.Facts.OS)
	found := map[claimKey]bool{}
	var rows []plan.Dispute
	for _, finding := range h.Facts.Findings {
		q := question{finding, where}
		a, ok := s.answers[q]
		if !ok {
			a = d.answer(c, s, q)
			s.answers[q] = a
		}
		for _, k := range a.confirms {
			found[k] = true
		}
		if a.disputed {
			rows = append(rows, a.row)
		}
	}
	for k, cl := range s.claims {
		if cl.cve && !found[k] {
			rows = append(rows, d.missed(s, k, cl))
		}
	}
	for i := range rows {
		rows[i].Host = h.ID
	}
	slices.SortFunc(rows, compareDisputes)
	return slices.CompactFunc(rows, func(a, b plan.Dispute) bool {
		return a.Package == b.Package && a.CVE == b.CVE && a.Says == b.Says
	})
}

func compareDisputes(a, b plan.Dispute) int {
	return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.CVE, b.CVE),
		strings.Compare(a.Says, b.Says), strings.Compare(a.Scanner, b.Scanner), strings.Compare(a.Match, b.Match))
}

// scanned works a class out once.
func (d *disputer) scanned(h *inventory.Host, c int32) *scanned {
	if s, ok := d.of[c]; ok {
		return s
	}
	s := &scanned{
		map[claimKey]claim{}, map[string][]string{}, map[string]*inventory.Package{}, map[targetKey][]*installed{},
		map[question]answer{}, map[claimKey]plan.Dispute{},
	}
	d.of[c] = s
	if c < 0 {
		return s
	}
	for p := range h.Packages.All() {
		if s.packages[p.Name] == nil || newest(p, s.packages[p.Name]) {
			s.packages[p.Name] = p
		}
	}
	p := d.m.classes[c].place
	l := d.m.scanner.scan(h.Packages)
	for i := range l.firsts {
		ids := []int32{l.firsts[i].version}
		if l.firsts[i].several {
			ids = d.m.scanner.several(&l.firsts[i])
		}
		versions := make([]*installed, len(ids))
		for i, id := range ids {
			versions[i] = d.m.x.installed[id]
		}
		d.state(s, p, versions)
	}
	for k := range s.claims {
		s.named[k.id] = append(s.named[k.id], k.name)
	}
	for _, names := range s.named {
		slices.Sort(names)
	}
	return s
}

// newest prefers the newer of two packages of a name, and of equal ones always
// the same, whatever their order.
func newest(a, b *inventory.Package) bool {
	if a.Type != b.Type {
		return a.Type > b.Type
	}
	return cmp.Or(version.Compare(a.Type, a.Version, b.Version), strings.Compare(a.Version, b.Version),
		strings.Compare(a.Source, b.Source), strings.Compare(a.SourceVersion, b.SourceVersion)) > 0
}

func (d *disputer) state(s *scanned, p *place, versions []*installed) {
	t := &d.m.x.targets[versions[0].target]
	s.versions[targetKey{t.typ, t.name, t.source}] = versions
	for _, in := range versions {
		v := d.m.x.verdict(p, in)
		for _, r := range v.fixed {
			d.claims(s, claim{target: t, rule: r, in: in, fixed: r.fix.Fixed})
		}
		for _, r := range v.unfixed {
			d.claims(s, claim{target: t, rule: r, in: in})
		}
	}
}

// claims adds what an advisory claims, by all that it goes by. Where several
// fix one CVE, the first version that does is kept.
func (d *disputer) claims(s *scanned, c claim) {
	for id, cve := range d.ids(c.rule) {
		c.cve = cve
		k := claimKey{id, c.target.name}
		if old, ok := s.claims[k]; !ok || d.m.x.earlier(c, old) {
			s.claims[k] = c
		}
	}
}

func (x *index) earlier(a, b claim) bool {
	if (a.fixed == "") != (b.fixed == "") {
		return a.fixed != ""
	}
	return cmp.Or(strings.Compare(string(a.target.typ), string(b.target.typ)), version.Compare(a.target.typ, a.fixed, b.fixed), x.compareRules(a.rule, b.rule), a.target.older(a.in, b.in)) < 0
}

// candidates are the names that the match may know a finding's package by.
func (s *scanned) candidates(id, name string) []string {
	if name == "" {
		return s.named[id]
	}
	names := []string{name}
	if p := s.packages[name]; p != nil && p.Source != "" {
		names = append(names, p.Source)
		if unsigned := unsignedSource(p.Source); unsigned != "" {
			names = append(names, unsigned)
		}
	}
	return names
}

// answer compares one finding with the match.
func (d *disputer) answer(c int32, s *scanned, q question) answer {
	var a answer
	id := cmp.Or(q.CVE, q.ID)
	names := s.candidates(id, q.Package)
	var confirmed *claim
	for _, name := range names {
		k := claimKey{id, name}
		cl, ok := s.claims[k]
		if !ok {
			continue
		}
		if confirmed == nil {
			confirmed = &cl
		}
		a.confirms = append(a.confirms, k)
		if !cl.cve { // an advisory's own id stands for all that it fixes
			for other := range d.ids(cl.rule) {
				a.confirms = append(a.confirms, claimKey{other, name})
			}
		}
	}
	a.row = plan.Dispute{Package: q.Package, CVE: id, Says: "scanner", Scanner: q.Fixed}
	if confirmed == nil {
		a.row.Why, a.disputed = d.why(c, s, q, id, names), true
		return a
	}
	a.row.Says, a.row.Match = "fixed", confirmed.fixed
	a.row.Why = d.differs(s, q.Finding, confirmed)
	a.disputed = a.row.Why != ""
	return a
}

// differs says how the fixed versions of a finding and a claim differ. A binary
// whose version is not its source's cannot be compared with the source's fix.
func (d *disputer) differs(s *scanned, x inventory.Finding, cl *claim) string {
	fixed, a := cl.fixed, d.m.x.advisories[cl.rule.advisory].ID
	switch p := s.packages[x.Package]; {
	case x.Fixed == "" || fixed != "" && version.Compare(cl.target.typ, x.Fixed, fixed) == 0:
		return ""
	case cl.target.source && p != nil && p.SourceVersion != "" && p.SourceVersion != p.Version:
		return ""
	case fixed == "":
		return fmt.Sprintf("the scanner names %s; %s publishes no fix", x.Fixed, a)
	}
	return fmt.Sprintf("the scanner names %s; %s fixes it in %s, which counts", x.Fixed, a, fixed)
}

// missed is a claim that no finding confirms.
func (d *disputer) missed(s *scanned, k claimKey, cl claim) plan.Dispute {
	if row, ok := s.missed[k]; ok {
		return row
	}
	a := d.m.x.advisories[cl.rule.advisory].ID
	why := fmt.Sprintf("the scanner does not report it; %s fixes it in %s and %s is installed", a, cl.fixed, cl.in.version)
	if cl.fixed == "" {
		why = fmt.Sprintf("the scanner does not report it; %s affects %s, which is installed, and publishes no fix", a, cl.in.version)
	}
	row := plan.Dispute{Package: k.name, CVE: k.id, Says: "match", Match: cl.fixed, Why: why}
	s.missed[k] = row
	return row
}
