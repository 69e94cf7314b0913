package risk

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Schema is the value of TrackRecord.Schema that this package writes.
const Schema = "ringmaster/track-record/v1"

// TrackRecord is models/track-record.json: counts and the priors fitted to them
// by empirical Bayes (beta-binomial, method of moments), readable by a person.
// Its numbers have 5 decimals, and are used as they stand there.
type TrackRecord struct {
	Schema    string            `json:"schema"` // ringmaster/track-record/v1
	At        time.Time         `json:"at"`     // newest outcome in it
	Trials    int               `json:"trials"`
	Failures  int               `json:"failures"`
	Own       int               `json:"own"`           // trials that are the estate's own
	Prior     exact.Beta        `json:"prior"`         // what is expected of a vendor never seen
	Strengths Strengths         `json:"strengths"`     // how much a group's surroundings count
	Vendors   map[string]Record `json:"vendors"`       //
	Packages  map[string]Record `json:"packages"`      // key: type-less package name
	Roles     map[string]Record `json:"package_roles"` // key: package "×" role
	Data      map[string]any    `json:"data"`          // data card: time span, base rate, commits
}

// Strengths says how many changes the mean of the surrounding group counts for
// in a record of each level.
type Strengths struct {
	Vendor  float64 `json:"vendor"`
	Package float64 `json:"package"`
	Role    float64 `json:"role"`
}

// Record is how often it went wrong.
type Record struct {
	N    float64 `json:"n"`
	Bad  float64 `json:"bad"`
	P    float64 `json:"p"`   // posterior mean
	Low  float64 `json:"low"` // 90 % credible interval
	High float64 `json:"high"`
}

// roleKey is the key of Roles.
func roleKey(pkg, role string) string { return pkg + "×" + role }

// baseRate is how many changes go wrong where nothing is known, and held what
// that counts for against an estate's own rate.
const (
	baseRate = 0.02
	held     = 20
)

// TooFew says that there is not enough to learn from yet.
type TooFew struct {
	Known, Needed int // finished changes
	At            time.Time
}

func (e *TooFew) Error() string {
	return fmt.Sprintf("track record: %d finished changes are known at %s; %d are needed", e.Known, e.At.UTC().Format(time.RFC3339), e.Needed)
}

// Fit makes the track record of what was known at a time. It is deterministic
// whatever the order of trials. Where there are fewer than 20 trials the error is
// a *TooFew.
func Fit(trials []Trial, at time.Time) (*TrackRecord, error) {
	known := slices.DeleteFunc(slices.Clone(trials), func(t Trial) bool { return t.At.After(at) })
	if len(known) < enough {
		return nil, &TooFew{len(known), enough, at}
	}
	for i, k := range known {
		known[i].Vendor, known[i].Package, known[i].Role = text(k.Vendor), text(k.Package), text(k.Role)
	}
	slices.SortFunc(known, compareTrials)
	t := &TrackRecord{Schema: Schema, Trials: len(known), At: known[len(known)-1].At.UTC().Truncate(time.Second)}
	for _, k := range known {
		if k.Failed {
			t.Failures++
		}
		if !k.Imported {
			t.Own++
		}
	}
	t.Data = card(known, t)
	t.fit(known)
	return t, nil
}

// text is what JSON can hold of a name.
func text(s string) string { return strings.ToValidUTF8(s, "?") }

// card is what a reviewer wants to know of the data.
func card(known []Trial, t *TrackRecord) map[string]any {
	hosts, roles := map[inventory.HostID]bool{}, map[string]bool{}
	weight := 0.0
	for _, k := range known {
		hosts[k.Host], roles[k.Role] = true, true
		weight += weightOf(k)
	}
	return map[string]any{
		"first":     known[0].At.UTC().Format(time.RFC3339),
		"last":      t.At.Format(time.RFC3339),
		"hosts":     float64(len(hosts)),
		"imported":  float64(len(known) - t.Own),
		"base_rate": exact.Round5(float64(t.Failures) / float64(t.Trials)),
		"weight":    exact.Round5(weight), // below the number of trials where one host's share is capped
	}
}

// group is what one group of trials showed, and what is expected of it by all
// that it is not part of.
type group struct {
	share
	inside map[string]share // its part of each group around it, by key
	mu     float64          // the mean of its surroundings without itself
	worth  float64          // the changes that mean rests on
	s      float64          // the changes it counts for here
}

// share is weighted trials and failures.
type share struct{ n, bad float64 }

func (g *group) add(t Trial, around string) {
	w := weightOf(t)
	more := share{n: w}
	if t.Failed {
		more.bad = w
	}
	if g.inside == nil {
		g.inside = map[string]share{}
	}
	part := g.inside[around]
	g.inside[around] = share{part.n + more.n, part.bad + more.bad}
	g.share = share{g.n + more.n, g.bad + more.bad}
}

func weightOf(t Trial) float64 {
	if t.Weight > 0 {
		return t.Weight
	}
	return 1
}

// fit fills in priors and records, from the whole to its parts.
func (t *TrackRecord) fit(known []Trial) {
	all := &group{mu: baseRate, s: held}
	vendors, packages, roles := map[string]*group{}, map[string]*group{}, map[string]*group{}
	for _, k := range known {
		all.add(k, "")
		if k.Vendor != "" {
			in(vendors, k.Vendor).add(k, "")
		}
		if k.Package != "" {
			in(packages, k.Package).add(k, k.Vendor)
		}
		if k.Package != "" && k.Role != "" {
			in(roles, roleKey(k.Package, k.Role)).add(k, k.Package)
		}
	}
	t.Strengths.Vendor = shrink(vendors, nil, all)
	t.Strengths.Package = shrink(packages, vendors, all)
	t.Strengths.Role = shrink(roles, packages, all)

	mean := all.posterior().Mean()
	worth := min(t.Strengths.Vendor, all.n+held)
	t.Prior = exact.Beta{A: exact.Round5(mean * worth), B: exact.Round5((1 - mean) * worth)}
	t.Vendors, t.Packages, t.Roles = records(vendors), records(packages), records(roles)
}

func in(groups map[string]*group, key string) *group {
	if groups[key] == nil {
		groups[key] = &group{}
	}
	return groups[key]
}

// around is the group that most of this one lies in, ties by name. A package of
// several distributions is shrunk to the one it is patched on most.
func (g *group) around() string {
	best, most := "", -1.0
	for _, key := range slices.Sorted(maps.Keys(g.inside)) {
		if g.inside[key].n > most {
			best, most = key, g.inside[key].n
		}
	}
	return best
}

// posterior is what is believed of the group.
func (g *group) posterior() exact.Beta {
	return exact.Beta{A: g.bad + float64(g.s*g.mu), B: g.n - g.bad + float64(g.s*(1-g.mu))}
}

// expect sets what the group's surroundings make of it, leaving its own trials
// out: else a group that is all of its surroundings would be believed twice.
// What lies in no known group stands in all at once.
func (g *group) expect(around map[string]*group, all *group) {
	key := g.around()
	outer, part := around[key], g.inside[key]
	if outer == nil {
		outer = all
	}
	n, bad := max(outer.n-part.n, 0), max(outer.bad-part.bad, 0)
	g.worth = n + outer.s
	g.mu = (bad + float64(outer.s*outer.mu)) / g.worth
}

// shrink sets how much each group counts for against its surroundings, and
// returns the strength of the level. No mean counts for more than it rests on.
func shrink(groups, around map[string]*group, all *group) float64 {
	for _, g := range groups {
		g.expect(around, all)
	}
	s := strength(groups)
	for _, g := range groups {
		g.s = min(s, g.worth)
	}
	return s
}

// The bounds of a strength: below 2 a group would hardly be shrunk, above 500
// hardly be heard.
const (
	weakest  = 2
	firmest  = 500
	expected = 20 // the strength expected, and the changes that opinion counts for
)

// strength estimates how much the mean around a group counts for, from how far
// groups lie from it beyond what chance does (see the package comment).
func strength(groups map[string]*group) float64 {
	var excess, room, spread float64
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		g := groups[key]
		if g.n <= 1 {
			continue // a single change says nothing of how groups differ
		}
		v := float64(g.mu * (1 - g.mu))
		off := float64(g.bad/g.n) - g.mu
		excess += float64(g.n*float64(off*off)) - v
		room += float64(v * (g.n - 1))
		spread = max(spread, v)
	}
	if spread == 0 {
		return expected
	}
	opinion := float64(expected * spread)
	rho := (excess + float64(opinion/(expected+1))) / (room + opinion)
	s := float64(firmest)
	if rho > 1.0/(firmest+1) {
		s = 1/rho - 1
	}
	return exact.Round5(min(max(s, weakest), firmest))
}

// records are the posteriors of groups.
func records(groups map[string]*group) map[string]Record {
	list := make(map[string]Record, len(groups))
	for key, g := range groups {
		post := g.posterior()
		low, high := post.Interval(0.9)
		p := exact.Round5(post.Mean())
		list[key] = Record{N: exact.Round5(g.n), Bad: exact.Round5(min(g.bad, g.n)), P: p, Low: min(exact.Round5(low), p), High: max(exact.Round5(high), p)}
	}
	return list
}

// evidence is what the record says of one package: a rate, the changes it rests
// on, and the group it is of.
type evidence struct {
	p, n float64
	what string
}

// about looks up the most specific group with a record. Where that is only a
// larger one, it speaks for no more changes than a member of it is bound to it by.
func (t *TrackRecord) about(pkg, vendor, role string) evidence {
	if r, ok := t.Roles[roleKey(pkg, role)]; ok && role != "" {
		return seen(r, r.N, pkg+" on "+role)
	}
	if r, ok := t.Packages[pkg]; ok {
		n := r.N
		if role != "" {
			n = min(n, t.Strengths.Role)
		}
		return seen(r, n, pkg)
	}
	if r, ok := t.Vendors[vendor]; ok {
		return seen(r, min(r.N, t.Strengths.Package), "other packages of "+vendor)
	}
	return evidence{p: t.Prior.Mean(), n: min(float64(t.Trials), t.Strengths.Vendor), what: fmt.Sprintf("everything: %d of %d failed", t.Failures, t.Trials)}
}

func seen(r Record, n float64, what string) evidence {
	return evidence{p: r.P, n: n, what: fmt.Sprintf("%s: %s of %s failed", what, count(r.Bad), count(r.N))}
}

func count(x float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
}

// Worst are the keys of records with the highest rates, at most n, ties by name:
// what a review of a new record shows first.
func Worst(records map[string]Record, n int) []string {
	keys := slices.Collect(maps.Keys(records))
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(records[b].P, records[a].P), cmp.Compare(a, b))
	})
	return keys[:min(n, len(keys))]
}
