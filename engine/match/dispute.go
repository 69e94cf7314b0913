package match

import (
	"cmp"
	"fmt"
	"maps"
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
	states   map[stateKey]*state
}

// stateKey is a package, or a source package.
type stateKey struct {
	name   string
	source bool
}

// disputer compares scanners' findings with the match.
type disputer struct {
	m    *matcher
	byID map[string][]*rule // CVE, advisory id or alias → rules that fix it
	of   map[int32]*scanned
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
			d = &disputer{m: m, of: map[int32]*scanned{}, byID: m.x.rulesByID()}
		}
		all = append(all, d.host(hosts[h].ID, f, m.class[h])...)
	}
	slices.SortStableFunc(all, func(a, b plan.Dispute) int { return strings.Compare(string(a.Host), string(b.Host)) })
	return all
}

// rulesByID finds rules by what their advisories fix, sorted by advisory.
func (x *index) rulesByID() map[string][]*rule {
	by := map[string][]*rule{}
	for i := range x.targets {
		for j := range x.targets[i].rules {
			r := &x.targets[i].rules[j]
			for id := range x.ids(r) {
				by[id] = append(by[id], r)
			}
		}
	}
	for _, rules := range by {
		slices.SortFunc(rules, x.compareRules)
	}
	return by
}

// ids yields everything that an advisory goes by, true for CVEs.
func (x *index) ids(r *rule) map[string]bool {
	a := &x.advisories[r.advisory]
	ids := map[string]bool{a.ID: strings.HasPrefix(a.ID, "CVE-")}
	for _, alias := range a.Aliases {
		ids[alias] = strings.HasPrefix(alias, "CVE-")
	}
	for _, c := range a.CVEs {
		ids[c.ID] = true
	}
	return ids
}

func (d *disputer) host(id inventory.HostID, f *inventory.Facts, c int32) []plan.Dispute {
	s := d.scanned(f, c)
	found := map[claimKey]bool{}
	var rows []plan.Dispute
	for _, finding := range f.Findings {
		rows = append(rows, d.finding(f, c, s, finding, found)...)
	}
	for k, cl := range s.claims {
		if cl.cve && !found[k] {
			rows = append(rows, d.missed(k, cl))
		}
	}
	for i := range rows {
		rows[i].Host = id
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

// scanned works a class out once; a host without packages has no class.
func (d *disputer) scanned(f *inventory.Facts, c int32) *scanned {
	if c < 0 {
		return &scanned{}
	}
	if s, ok := d.of[c]; ok {
		return s
	}
	s := &scanned{map[claimKey]claim{}, map[string][]string{}, map[string]*inventory.Package{}, map[stateKey]*state{}}
	d.of[c] = s
	for i := range f.Packages {
		if p := &f.Packages[i]; s.packages[p.Name] == nil || newest(p, s.packages[p.Name]) {
			s.packages[p.Name] = p
		}
	}
	cl := &d.m.classes[c]
	states := d.m.lists[cl.list].states
	for i := range states {
		d.state(s, cl.place, &states[i])
	}
	for k := range s.claims {
		s.named[k.id] = append(s.named[k.id], k.name)
	}
	for _, names := range s.named {
		slices.Sort(names)
	}
	return s
}

func newest(a, b *inventory.Package) bool { return newer(a.Type, a.Version, b.Version) }

func (d *disputer) state(s *scanned, p *place, st *state) {
	t := &d.m.x.targets[st.target]
	s.states[stateKey{t.name, t.source}] = st
	for _, in := range st.versions {
		v := d.m.x.verdict(p, t, in)
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
	for id, cve := range d.m.x.ids(c.rule) {
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
	return cmp.Or(version.Compare(a.target.typ, a.fixed, b.fixed), x.compareRules(a.rule, b.rule), a.target.older(a.in, b.in)) < 0
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

// finding compares one finding with the match and marks the claims it confirms.
func (d *disputer) finding(f *inventory.Facts, c int32, s *scanned, x inventory.Finding, found map[claimKey]bool) []plan.Dispute {
	id := cmp.Or(x.CVE, x.ID)
	names := s.candidates(id, x.Package)
	var confirmed *claim
	for _, name := range names {
		if cl, ok := s.claims[claimKey{id, name}]; ok {
			d.confirm(s, cl, name, found)
			found[claimKey{id, name}] = true
			if confirmed == nil {
				confirmed = &cl
			}
		}
	}
	if confirmed == nil {
		return []plan.Dispute{{Package: x.Package, CVE: id, Says: "scanner", Scanner: x.Fixed, Why: d.why(f, c, s, id, x.Package, names)}}
	}
	if why := d.differs(s, x, confirmed); why != "" {
		return []plan.Dispute{{Package: x.Package, CVE: id, Says: "fixed", Scanner: x.Fixed, Match: confirmed.fixed, Why: why}}
	}
	return nil
}

// confirm marks what the advisory of a finding without a CVE fixes too.
func (d *disputer) confirm(s *scanned, cl claim, name string, found map[claimKey]bool) {
	if cl.cve {
		return
	}
	for id := range d.m.x.ids(cl.rule) {
		found[claimKey{id, name}] = true
	}
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
func (d *disputer) missed(k claimKey, cl claim) plan.Dispute {
	a := d.m.x.advisories[cl.rule.advisory].ID
	why := fmt.Sprintf("the scanner does not report it; %s fixes it in %s and %s is installed", a, cl.fixed, cl.in.version)
	if cl.fixed == "" {
		why = fmt.Sprintf("the scanner does not report it; %s affects %s, which is installed, and publishes no fix", a, cl.in.version)
	}
	return plan.Dispute{Package: k.name, CVE: k.id, Says: "match", Match: cl.fixed, Why: why}
}

// why says why the match does not confirm what a scanner reports.
func (d *disputer) why(f *inventory.Facts, c int32, s *scanned, id, pkg string, names []string) string {
	where := platformText(f.OS)
	if c < 0 {
		return "the host reports no packages"
	}
	cl := &d.m.classes[c]
	if !cl.place.covers(d.m.lists[cl.list].kinds) {
		return "no advisory of the feeds speaks of " + where
	}
	var here []*rule
	for _, r := range d.byID[id] {
		if cl.place.on[r.platform] {
			here = append(here, r)
		}
	}
	if len(here) == 0 {
		return fmt.Sprintf("no advisory of the feeds names %s for %s", id, where)
	}
	if why := d.judged(cl.place, s, here, names); why != "" {
		return why
	}
	if pkg != "" && s.packages[pkg] == nil && s.states[stateKey{pkg, true}] == nil {
		return fmt.Sprintf("%s is not among the packages that the host reports", pkg)
	}
	others := map[string]bool{}
	for _, r := range here {
		others[r.fix.Package] = true
	}
	list := slices.Sorted(maps.Keys(others))
	text := strings.Join(list[:min(3, len(list))], ", ")
	if more := len(list) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s names %s for other packages of %s: %s", d.m.x.advisories[here[0].advisory].ID, id, where, text)
}

// judged says how the match judged the package, "" where no rule is about it.
// What cannot be decided is told first, then the newest fixed version.
func (d *disputer) judged(p *place, s *scanned, here []*rule, names []string) string {
	best, bestFixed := "", ""
	for _, r := range here {
		st := s.states[stateKey{r.fix.Package, r.fix.Source}]
		if st == nil || !slices.Contains(names, r.fix.Package) {
			continue
		}
		t := &d.m.x.targets[st.target]
		in := st.versions[0]
		for _, doubt := range d.m.x.verdict(p, t, in).doubts {
			if doubt.advisory == r.advisory {
				return "undecided: " + doubt.why
			}
		}
		if best == "" || newer(t.typ, r.fix.Fixed, bestFixed) {
			best, bestFixed = d.unaffected(t, r, in), r.fix.Fixed
		}
	}
	return best
}

// unaffected says why a rule does not affect an installed version.
func (d *disputer) unaffected(t *target, r *rule, in *installed) string {
	a, f := d.m.x.advisories[r.advisory].ID, r.fix
	same, _ := inStream(r.module, in.module, in.version)
	switch {
	case f.Fixed != "" && version.Compare(t.typ, in.version, f.Fixed) >= 0:
		return fmt.Sprintf("the installed version %s is at or above the distribution's fixed version %s (%s)", in.version, f.Fixed, a)
	case !same && f.Module != "":
		return fmt.Sprintf("%s is about module stream %s, which %s is not from", a, inventory.ModuleStream(f.Module), in.version)
	case !same && r.module.marked:
		return fmt.Sprintf("%s is about a module stream, and %s is not from one", a, in.version)
	case !same:
		return fmt.Sprintf("%s is not about module streams, and %s is from one", a, in.version)
	case older(t.typ, in.version, f.Introduced):
		return fmt.Sprintf("the installed version %s is older than %s, the first that %s names as affected", in.version, f.Introduced, a)
	case f.LastAffected != "" && version.Compare(t.typ, in.version, f.LastAffected) > 0:
		return fmt.Sprintf("the installed version %s is newer than %s, the last that %s names as affected", in.version, f.LastAffected, a)
	}
	return fmt.Sprintf("%s does not list the installed version %s, or another advisory takes its place", a, in.version)
}

func platformText(os *inventory.OS) string {
	if os == nil || os.ID == "" {
		return "a host whose operating system is not known"
	}
	return strings.TrimSpace(os.ID + " " + os.Version)
}
