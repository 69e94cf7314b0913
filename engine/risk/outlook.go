package risk

import (
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Further terms that callers may look for.
const (
	TermIncompatible = "incompatibility" // a pair of traits that fail together
	TermPeers        = "peers"           // hosts that took the patch already
	TermRules        = "rules here"      // how far rules hold on this estate
	TermModel        = "model"           // how far the learnt correction counts
	termLearnt       = "learnt: "        // what a learnt term is called begins so
)

// Question is what an Outlook is asked about: a patch, and all that may speak of it.
type Question struct {
	Patch   Patch
	Record  *TrackRecord // nil: none
	Model   *Deployment  // nil: none; then scores are the rules' and the record's
	History History
	Peers   []Trial      // what became of this very patch so far, in any plan
	Prior   *plan.Reason // what is known of such patches elsewhere, in log-odds on top of the rules; nil: nothing
	At      time.Time
}

// Outlook scores one patch on many hosts. What depends on the patch alone is worked
// out once, and hosts in one Spot share a score. Not safe for concurrent use.
//
// The model leads from the ladder's Advisory on. Before, its score counts only
// where it is above that of rules and record, and a reason tells it where it is
// not. Reasons add up to the log-odds of P before it is rounded.
type Outlook struct {
	Question
	rules   *Scorer // by rules alone
	weight  Weight  // of rules
	today   *Scorer // by rules and track record: what counts until a model leads
	usual   float64 // the rules' usual terms and the base rate as weighted here, for which a record stands in
	issues  []advisory.KnownIssue
	pairs   []Incompatible // that the patch has its part of
	record  map[string]*term
	row     []ebm.Value
	effects []ebm.Reason
	peers   *peers
	places  *Places // of peers
	scores  []spotScore
	whole   *spotScore // of the patch as such
}

// term is a summand and the changes behind it.
type term struct {
	plan.Reason
	evidence
}

type spotScore struct {
	done    bool
	risk    plan.Risk
	reasons []plan.Reason
}

// NewOutlook prepares to score a patch.
func NewOutlook(q Question) *Outlook {
	u := updateOf(q.Patch, q.At)
	o := &Outlook{
		Question: q,
		rules:    NewScorer(q.Patch, nil, q.History, q.At),
		weight:   Weight{Slope: 1},
		issues:   unresolved(q.Patch.Advisories, q.At),
		record:   map[string]*term{},
		row:      make([]ebm.Value, len(Features)),
		peers:    &peers{shape: usualShape},
	}
	if q.Model != nil {
		o.weight = q.Model.Rules
	}
	o.usual = base + o.weight.Shift + float64(o.weight.Slope*Sum(o.rules.usual))
	if q.Prior != nil {
		o.usual += q.Prior.Effect
	}
	for i := range Features {
		if f := &Features[i]; f.update != nil {
			o.row[i] = f.banded(f.update(&u))
		}
	}
	if q.Model == nil {
		return o
	}
	o.peers.shape = q.Model.Peers
	traits := u.traits()
	for _, p := range q.Model.Pairs {
		if _, ok := slices.BinarySearch(traits, p.Patch); ok {
			o.pairs = append(o.pairs, p)
		}
	}
	if len(q.Peers) > 0 {
		o.places = NewPlaces()
	}
	for _, t := range q.Peers {
		if t.At.After(q.At) {
			continue
		}
		k := t.Known()
		spot := o.places.at(k.Place, k.host(t.Host))
		o.meet(spot, o.alone(spot), t.Failed, 1)
	}
	return o
}

// meet takes an outcome of the patch on a host of which p was expected.
func (o *Outlook) meet(s *Spot, p float64, failed bool, weight float64) {
	o.peers.add(s.traits, p, failed, weight)
	o.scores, o.whole = nil, nil
}

// Score is the risk on a host in a spot, nil for the patch as such.
func (o *Outlook) Score(s *Spot) plan.Risk { return o.at(s).risk }

// Reasons are what made Score, shared between hosts: they are not to be changed.
func (o *Outlook) Reasons(s *Spot) []plan.Reason { return o.at(s).reasons }

func (o *Outlook) at(s *Spot) *spotScore {
	if s == nil {
		if o.whole == nil {
			o.whole = &spotScore{}
			o.whole.risk, o.whole.reasons = o.score(nil)
		}
		return o.whole
	}
	if s.n >= len(o.scores) {
		o.scores = append(o.scores, make([]spotScore, max(s.n+1-len(o.scores), 64))...)
	}
	got := &o.scores[s.n]
	if !got.done {
		got.risk, got.reasons = o.score(s)
		got.done = true
	}
	return got
}

// score is what the ladder makes of the model's score.
func (o *Outlook) score(s *Spot) (plan.Risk, []plan.Reason) {
	var host *inventory.Host
	role := ""
	if s != nil {
		host, role = s.host, s.place.Role
	}
	if o.Model != nil && o.leads() {
		return o.byModel(s)
	}
	if o.today == nil {
		o.today = NewScorer(o.Patch, o.Record, o.History, o.At)
	}
	today, why := o.today.Score(host, role)
	if o.Model == nil {
		return today, why
	}
	r, reasons := o.byModel(s)
	if r.P > today.P {
		_, high := interval(r.P, rulesCount)
		r.High = max(r.High, high)
		return r, reasons
	}
	told := fmt.Sprintf("by the model %s; it may only raise until there are %d months of own history (%.1f now)", percent(r.P), advisoryMonths, o.History.Months)
	return today, append(slices.Clone(why), plan.Reason{Term: termShadow, Value: told})
}

func (o *Outlook) leads() bool { return o.History.Ladder == Advisory && o.Model.Own > 0 }

func (o *Outlook) byModel(s *Spot) (plan.Risk, []plan.Reason) {
	reasons, worth := o.known(s)
	reasons = append(reasons, o.learnt(s)...)
	if effect, value := o.peers.term(traitsOf(s)); value != "" {
		reasons = append(reasons, plan.Reason{Term: TermPeers, Value: value, Effect: effect})
	}
	slices.SortStableFunc(reasons[1:], largestFirst)
	p := exact.Expit(Sum(reasons))
	r := plan.Risk{P: exact.Round5(p), Source: FromModel}
	if o.Model.Own == 0 {
		r.Source = FromPrior
	}
	r.Low, r.High = interval(min(max(p, 1e-6), 1-1e-6), worth)
	return r, append(reasons, plan.Reason{Term: "interval", Value: fmt.Sprintf("90 %%, as if seen in %d changes", int(worth))})
}

func traitsOf(s *Spot) []string {
	if s == nil {
		return nil
	}
	return s.traits
}

// known are the base rate, the rules, the track record without what is
// incompatible, and the incompatibility; worth is the changes they rest on.
func (o *Outlook) known(s *Spot) (reasons []plan.Reason, worth float64) {
	var host *inventory.Host
	role := ""
	if s != nil {
		host, role = s.host, s.place.Role
	}
	c := o.rules.condition(host, role)
	reasons = append(reasons, plan.Reason{Term: termBase, Value: "2 % of changes on a host go wrong", Effect: base})
	reasons = append(append(append(reasons, o.rules.usual...), o.rules.special...), c.terms()...)
	if effect := o.weight.of(reasons[1:]); effect != 0 {
		reasons = append(reasons, plan.Reason{Term: TermRules, Value: fmt.Sprintf("here ordinary rules count %.2f times", o.weight.Slope), Effect: effect})
	}
	reasons = append(reasons, o.rules.issueTerms(c)...)
	if o.Prior != nil {
		reasons = append(reasons, *o.Prior)
	}
	t := o.recordOf(role)
	if t.Term != "" {
		reasons = append(reasons, t.Reason)
	}
	worth = rulesCount + t.n
	pair, others := o.pairOf(s)
	if pair != nil {
		reasons = append(reasons, plan.Reason{Term: TermIncompatible, Value: pair.String(), Effect: pair.Effect})
		worth = rulesCount + pair.N
	}
	for _, p := range others {
		reasons = append(reasons, plan.Reason{Term: TermIncompatible, Value: p.String() + " (counted above)"})
	}
	return reasons, worth
}

// of is what the weight of rules changes in a sum of them.
func (w Weight) of(rules []plan.Reason) float64 {
	sum := 0.0
	for _, r := range rules {
		if r.Term != "reports" {
			sum += r.Effect
		}
	}
	return exact.Round5(w.Shift + float64((w.Slope-1)*sum))
}

// recordOf is the track record's term for a role, and what it rests on.
func (o *Outlook) recordOf(role string) *term {
	if t := o.record[role]; t != nil {
		return t
	}
	t := &term{}
	if o.Model != nil && o.Model.Record != nil {
		t.evidence = o.Model.Record.about(o.Patch.Package, o.Patch.Vendor, role)
		w := t.n / (t.n + rulesCount)
		bounded := min(max(t.p, 1e-5), 1-1e-5)
		t.Reason = plan.Reason{Term: termRecord, Value: fmt.Sprintf("%s; rate %s, weight %.2f", t.what, percent(t.p), w),
			Effect: exact.Round5(w * (exact.Logit(bounded) - o.usual))}
	}
	o.record[role] = t
	return t
}

// pairOf is the incompatibility of patch and host that matters most, and the
// others that hold as well.
func (o *Outlook) pairOf(s *Spot) (most *Incompatible, others []*Incompatible) {
	if s == nil {
		return nil, nil
	}
	for i := range o.pairs {
		p := &o.pairs[i]
		if _, ok := slices.BinarySearch(s.traits, p.Host); !ok {
			continue
		}
		switch {
		case most == nil:
			most = p
		case p.Effect > most.Effect:
			most, others = p, append(others, most)
		default:
			others = append(others, p)
		}
	}
	return most, others
}

// values is the row of a change. It is good until the next call.
func (o *Outlook) values(s *Spot) []ebm.Value {
	c := cross{record: o.recordOf(s.place.Role).evidence, vendor: o.vendorRate()}
	c.hit, c.maybe = issuesOn(o.issues, s.place.Modules, s.place.Role)
	for i := range Features {
		switch f := &Features[i]; {
		case f.place != nil:
			o.row[i] = s.values[i]
		case f.cross != nil:
			o.row[i] = f.banded(f.cross(c))
		}
	}
	return o.row
}

func (o *Outlook) vendorRate() float64 {
	if o.Model != nil && o.Model.Record != nil {
		if r, ok := o.Model.Record.Vendors[o.Patch.Vendor]; ok {
			return r.P
		}
	}
	return nothing().Number
}

// slight is the effect below which learnt terms are told as one.
const slight = 0.05

// learnt are the terms of the learnt correction, as far as it counts.
func (o *Outlook) learnt(s *Spot) []plan.Reason {
	m := o.Model
	if s == nil || m.Share == 0 || m.scorer == nil {
		return nil
	}
	row := o.values(s)
	if said := m.scorer.Score(row); said.Abstain {
		return []plan.Reason{{Term: TermModel, Value: "abstains: " + said.Why + "; rules and track record alone"}}
	}
	start := exact.Round5(float64(m.Share * m.learnt.Intercept()))
	list := []plan.Reason{{Term: TermModel, Value: fmt.Sprintf("what was learnt beyond rules and record counts for %.2f (%d failures seen)", m.Share, m.Failures), Effect: start}}
	o.effects = m.scorer.Reasons(o.effects[:0], row)
	rest, n := 0.0, 0
	for _, r := range o.effects {
		effect := exact.Round5(float64(m.Share * r.Effect))
		if size(effect) < slight {
			rest, n = rest+effect, n+1
			continue
		}
		list = append(list, plan.Reason{Term: termLearnt + r.Term, Value: r.Value, Effect: effect})
	}
	if rest = exact.Round5(rest); rest != 0 {
		list = append(list, plan.Reason{Term: termLearnt + "the rest", Value: fmt.Sprintf("%d slight terms", n), Effect: rest})
	}
	return list
}

// alone is a host's own probability, whatever became of its peers.
func (o *Outlook) alone(s *Spot) float64 {
	reasons, _ := o.known(s)
	return exact.Expit(Sum(reasons) + Sum(o.learnt(s)))
}
