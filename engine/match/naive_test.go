package match

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

// naive is what matching means, host by host, advisory by advisory and package
// by package, in lines that do not depend on any order.
func naive(hosts []inventory.Host, advisories []advisory.Advisory) []string {
	var lines []string
	for _, h := range hosts {
		if h.Facts == nil {
			continue
		}
		for _, s := range subjects(h.Packages.Packages()) {
			lines = append(lines, s.lines(h, advisories)...)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// subject is a package or source package of a host, with the versions that count.
type subject struct {
	typ      version.Type
	name     string
	source   bool
	versions []inventory.Package // Version and Module only
}

func subjects(packages []inventory.Package) []subject {
	type slotKey struct {
		typ          version.Type
		name         string
		source       bool
		family, arch string
	}
	newest := map[slotKey]inventory.Package{}
	add := func(p inventory.Package, name, v string, source bool) {
		k := slotKey{p.Type, name, source, familyOf(p.Name), p.Arch}
		p.Version = v
		if old, ok := newest[k]; !ok || newer(p.Type, v, old.Version) || v == old.Version && p.Module > old.Module {
			newest[k] = p
		}
	}
	for _, p := range packages {
		add(p, p.Name, p.Version, false)
		source, v := p.Source, p.SourceVersion
		if source == "" {
			source = p.Name
		}
		if v == "" {
			v = p.Version
		}
		add(p, source, v, true)
	}
	by := map[string]*subject{}
	for k, p := range newest {
		id := fmt.Sprint(k.typ, k.name, k.source)
		if by[id] == nil {
			by[id] = &subject{typ: k.typ, name: k.name, source: k.source}
		}
		by[id].versions = append(by[id].versions, inventory.Package{Version: p.Version, Module: p.Module})
	}
	var all []subject
	for _, s := range by {
		slices.SortFunc(s.versions, func(a, b inventory.Package) int { return compareTotal(s.typ, a.Version, b.Version) })
		all = append(all, *s)
	}
	return all
}

func compareTotal(t version.Type, a, b string) int {
	if c := version.Compare(t, a, b); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

type naiveFix struct {
	a *advisory.Advisory
	f advisory.Fix
}

// fixes are those that could be about the subject on the host.
func (s subject) fixes(h inventory.Host, advisories []advisory.Advisory) []naiveFix {
	var all []naiveFix
	for i := range advisories {
		for _, f := range advisories[i].Fixes {
			if advisories[i].Withdrawn.IsZero() && f.Type == s.typ && f.Package == s.name && f.Source == s.source && takes(f.Platform, h.Facts.OS) {
				all = append(all, naiveFix{&advisories[i], f})
			}
		}
	}
	return all
}

func (s subject) lines(h inventory.Host, advisories []advisory.Advisory) []string {
	var lines []string
	fixes := s.fixes(h, advisories)
	from, to, platform := "", "", advisory.Platform{}
	fixed := map[string]bool{}
	module := ""
	for _, v := range s.versions {
		applied, doubted := s.judge(v, fixes)
		target, mended, broken := s.aim(v, fixes, applied, advisories)
		for id := range doubted {
			if !slices.ContainsFunc(applied, func(n naiveFix) bool { return n.a.ID == id || replaced(advisories, n.a.ID, id) }) {
				lines = append(lines, fmt.Sprintf("%s undecided %s %s", h.ID, s.name, id))
			}
		}
		for id := range broken {
			lines = append(lines, fmt.Sprintf("%s unfixed %s %s", h.ID, s.name, id))
		}
		if target == "" {
			continue
		}
		if from == "" {
			from, module = v.Version, moduleOf(s.typ, v.Module, "").stream
		}
		if to == "" || compareTotal(s.typ, target, to) > 0 {
			to = target
		}
		for _, n := range mended {
			fixed[n.a.ID] = true
			if platform == (advisory.Platform{}) || narrower(n.f.Platform, platform) {
				platform = n.f.Platform
			}
		}
	}
	if to != "" {
		for id := range fixed {
			lines = append(lines, fmt.Sprintf("%s %s:%s@%s %v %s from %s fixes %s", h.ID, s.typ, s.name, to, platform, module, from, id))
		}
	}
	return lines
}

func (s subject) judge(v inventory.Package, fixes []naiveFix) (applied []naiveFix, doubted map[string]bool) {
	doubted = map[string]bool{}
	for _, n := range fixes {
		same, why := inStream(moduleOf(s.typ, n.f.Module, n.f.Fixed), moduleOf(s.typ, v.Module, v.Version), v.Version)
		below := n.f.Introduced != "" && n.f.Introduced != "0" && version.Compare(s.typ, v.Version, n.f.Introduced) < 0
		in := !below || n.a.Format == "patches"
		switch {
		case n.f.Fixed != "":
			in = in && version.Compare(s.typ, v.Version, n.f.Fixed) < 0
		case n.f.LastAffected != "":
			in = in && version.Compare(s.typ, v.Version, n.f.LastAffected) <= 0
		case n.f.Introduced == "" && n.f.Affected != nil:
			in = false
		}
		for _, listed := range n.f.Affected {
			in = in || version.Compare(s.typ, v.Version, listed) == 0
		}
		switch {
		case !in:
		case n.a.Format == "patches" && below && len(n.a.Supersedes) == 0, why != "":
			doubted[n.a.ID] = true
		case same:
			applied = append(applied, n)
		}
	}
	return applied, doubted
}

// aim is where the version moves to, what that mends and what nothing mends.
func (s subject) aim(v inventory.Package, fixes, applied []naiveFix, advisories []advisory.Advisory) (to string, mended []naiveFix, broken map[string]bool) {
	passed := func(n naiveFix) bool {
		return slices.ContainsFunc(applied, func(m naiveFix) bool { return replaced(advisories, m.a.ID, n.a.ID) })
	}
	for _, n := range applied {
		if n.f.Fixed != "" && version.Compare(s.typ, n.f.Fixed, v.Version) > 0 && !passed(n) && (to == "" || compareTotal(s.typ, n.f.Fixed, to) > 0) {
			to = n.f.Fixed
		}
	}
	for before := ""; to != "" && before != to; {
		before = to
		there, _ := s.judge(inventory.Package{Version: to, Module: v.Module}, fixes)
		for _, n := range there {
			if n.a.Format != "patches" && n.f.Fixed != "" && !passed(n) && compareTotal(s.typ, n.f.Fixed, to) > 0 {
				to = n.f.Fixed
			}
		}
	}
	reached := func(n naiveFix) bool {
		return to != "" && n.f.Fixed != "" && version.Compare(s.typ, v.Version, n.f.Fixed) < 0 && version.Compare(s.typ, n.f.Fixed, to) <= 0
	}
	done := map[string]bool{}
	for _, n := range applied {
		if reached(n) || slices.ContainsFunc(applied, func(m naiveFix) bool { return replaced(advisories, m.a.ID, n.a.ID) && reached(m) }) {
			mended, done[n.a.ID] = append(mended, n), true
		}
	}
	broken = map[string]bool{}
	for _, n := range applied {
		if !done[n.a.ID] && !passed(n) {
			broken[n.a.ID] = true
		}
	}
	return to, mended, broken
}

// replaced follows supersedes one step at a time.
func replaced(advisories []advisory.Advisory, by, id string) bool {
	return follows(advisories, by, id) && !follows(advisories, id, by)
}

func follows(advisories []advisory.Advisory, from, to string) bool {
	reached := []string{from}
	for i := 0; i < len(reached); i++ {
		for _, a := range advisories {
			for _, next := range a.Supersedes {
				if a.ID == reached[i] && !slices.Contains(reached, next) {
					reached = append(reached, next)
				}
			}
		}
	}
	return from != to && slices.Contains(reached[1:], to)
}

// lines puts a result into the form of naive.
func lines(hosts []inventory.Host, advisories []advisory.Advisory) []string {
	var all []string
	for i := range hosts {
		// One host at a time: a patch lists what it fixes on at least one host.
		r := Changes(hosts[i:i+1], advisories)
		id := hosts[i].ID
		for _, p := range r.Patches {
			for _, g := range p.Groups {
				for _, a := range p.Advisories {
					all = append(all, fmt.Sprintf("%s %s %v %s from %s fixes %s", id, p.ID, p.Platform, p.Module, g.From, advisories[a].ID))
				}
			}
		}
		for _, u := range r.Unfixed {
			all = append(all, fmt.Sprintf("%s unfixed %s %s", id, u.Package, advisories[u.Advisory].ID))
		}
		for _, u := range r.Undecided {
			if u.Package != "" {
				all = append(all, fmt.Sprintf("%s undecided %s %s", id, u.Package, u.Advisory))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestNaive compares the match with the naive one on many small inputs. The
// naive one keeps packages and sources of the same name apart, so inputs in
// which both have fixes are left to TestChanges.
func TestNaive(t *testing.T) {
	compared := 0
	for seed := uint64(0); compared < 1500; seed++ {
		if compareNaive(t, seed) {
			compared++
		}
	}
}

// FuzzChanges is TestNaive on whatever inputs the seed makes.
func FuzzChanges(f *testing.F) {
	f.Add(uint64(490))
	f.Fuzz(func(t *testing.T, seed uint64) { compareNaive(t, seed) })
}

// compareNaive returns false where a seed's input is not for the naive match.
func compareNaive(t *testing.T, seed uint64) bool {
	r := random{rand.New(rand.NewPCG(seed, 1))}
	hosts, advisories := r.hosts(), r.advisories()
	if bothWays(advisories) {
		return false
	}
	if d := cmp.Diff(naive(hosts, advisories), lines(hosts, advisories)); d != "" {
		t.Fatalf("seed %d (-naive +match):\n%s\nhosts %s\nadvisories %+v", seed, d, describe(hosts), advisories)
	}
	return true
}

func describe(hosts []inventory.Host) string {
	var b strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&b, "%s %+v %+v\n", h.ID, h.Facts.OS, h.Packages.Packages())
	}
	return b.String()
}

func bothWays(advisories []advisory.Advisory) bool {
	seen := map[string]bool{}
	for _, a := range advisories {
		for _, f := range a.Fixes {
			seen[fmt.Sprint(f.Type, f.Package, f.Source)] = true
		}
	}
	return seen["debxtrue"] && seen["debxfalse"] || seen["debytrue"] && seen["debyfalse"]
}

// TestOrder shuffles packages, advisories and fixes: the result is the same.
// Hosts are matched together, so that groups and shared verdicts are tried too.
func TestOrder(t *testing.T) {
	for seed := range uint64(600) {
		r := random{rand.New(rand.NewPCG(seed, 2))}
		hosts, advisories := r.hosts(), r.advisories()
		first := Changes(hosts, advisories)
		want := text(hosts, advisories, first) + fmt.Sprint(first.Disputes) + vendors(first)
		for i := range hosts {
			f := *hosts[i].Facts
			f.Findings = slices.Clone(f.Findings)
			list := hosts[i].Packages.Packages()
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			hosts[i].Packages = pool.List(list)
			r.Shuffle(len(f.Findings), func(i, j int) { f.Findings[i], f.Findings[j] = f.Findings[j], f.Findings[i] })
			hosts[i].Facts = &f
		}
		for i := range advisories {
			fixes := slices.Clone(advisories[i].Fixes)
			r.Shuffle(len(fixes), func(i, j int) { fixes[i], fixes[j] = fixes[j], fixes[i] })
			advisories[i].Fixes = fixes
		}
		r.Shuffle(len(advisories), func(i, j int) { advisories[i], advisories[j] = advisories[j], advisories[i] })
		again := Changes(hosts, advisories)
		if got := text(hosts, advisories, again) + fmt.Sprint(again.Disputes) + vendors(again); got != want {
			t.Fatalf("seed %d: shuffled (-before +after):\n%s\n%s\nadvisories %+v", seed, cmp.Diff(want, got), describe(hosts), advisories)
		}
	}
}

func vendors(r Result) string {
	var b strings.Builder
	for _, p := range r.Patches {
		fmt.Fprintf(&b, "%s %v %q\n", p.ID, p.Source, p.Vendor)
	}
	return b.String()
}

// TestTogether matches hosts together and apart: every host is in the same groups.
func TestTogether(t *testing.T) {
	for seed := range uint64(600) {
		r := random{rand.New(rand.NewPCG(seed, 3))}
		hosts, advisories := r.hosts(), r.advisories()
		var apart, together []string
		collect := func(part []inventory.Host, into *[]string) {
			result := Changes(part, advisories)
			for _, p := range result.Patches {
				for _, g := range p.Groups {
					for _, h := range g.Hosts {
						*into = append(*into, fmt.Sprint(part[h].ID, p.ID, p.Platform, p.Module, g.From))
					}
				}
			}
			for _, u := range result.Undecided {
				*into = append(*into, fmt.Sprint(u))
			}
		}
		collect(hosts, &together)
		for i := range hosts {
			collect(hosts[i:i+1], &apart)
		}
		slices.Sort(apart)
		slices.Sort(together)
		if d := cmp.Diff(apart, together); d != "" {
			t.Fatalf("seed %d (-apart +together):\n%s", seed, d)
		}
	}
}
