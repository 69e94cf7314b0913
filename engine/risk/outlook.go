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
	termIncompatible = "incompatibility" // a pair of traits that fail together
	termPeers        = "peers"           // hosts that took the patch already
	termRules        = "rules here"      // how far rules hold on this estate
	termModel        = "model"           // how far the learnt correction counts
	termLearnt       = "learnt: "        // what a learnt term is called begins so
)

// Question is what an Outlook is asked about: a patch, and all that may speak of it.
type Question struct {
	Patch   Patch
	Record  *TrackRecord // nil: none
	Model   *Deployment  // nil: none; then scores are the rules' and the record's
	History History
	Peers   []Trial // what became of this very patch so far, in any plan
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
	rules  *scorer // by rules alone
	weight Weight  // of rules
	today  *scorer // by rules and track record: what counts until a model leads
	usual  float64 // the rules' usual terms and the base rate as weighted here, for which a record stands in
	issues []advisory.KnownIssue
	pairs  []Incompatible // that the patch has its part of
	record map[string]*term
	row    []ebm.Value
	peers  *peers
	places *Places // of peers
	scores []spotScore
	whole  *spotScore                // of the patch as such
	ruled  map[condition]float64     // the sum of rules
	within map[[2]float64][2]float64 // intervals, by probability and what it rests on
}

// term is a summand and the changes behind it.
type term struct {
	plan.Reason
	evidence
}

type spotScore struct {
	done, byModel bool
	risk          plan.Risk
}

// NewOutlook prepares to score a patch.
func NewOutlook(q Question) *Outlook {
	u := updateOf(q.Patch, q.At)
	o := &Outlook{
		Question: q,
		rules:    newScorer(q.Patch, nil, q.History, q.At),
		weight:   Weight{Slope: 1},
		issues:   unresolved(q.Patch.Advisories, q.At),
		row:      make([]ebm.Value, len(Features)),
		peers:    &peers{shape: usualShape},
	}
	if q.Model != nil {
		o.weight = q.Model.Rules
	}
	o.usual = base + o.weight.Shift + float64(o.weight.Slope*Sum(o.rules.usual))
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

// Reasons are what made Score, written anew at each call: a plan shows those of a
// few changes among many.
func (o *Outlook) Reasons(s *Spot) []plan.Reason {
	if o.at(s).byModel {
		return o.reasons(s)
	}
	host, role := hostOf(s)
	_, why := o.today.Score(host, role)
	if o.Model == nil {
		return slices.Clone(why)
	}
	told := fmt.Sprintf("by the model %s; it may only raise until there are %d months of own history (%.1f now)", percent(o.byModel(s).P), advisoryMonths, o.History.Months)
	return append(slices.Clone(why), plan.Reason{Term: termShadow, Value: told})
}

func (o *Outlook) at(s *Spot) *spotScore {
	if s == nil {
		if o.whole == nil {
			got := o.score(nil)
			o.whole = &got
		}
		return o.whole
	}
	if s.n >= len(o.scores) {
		o.scores = append(o.scores, make([]spotScore, max(s.n+1-len(o.scores), len(o.scores), 64))...)
	}
	if !o.scores[s.n].done {
		o.scores[s.n] = o.score(s)
	}
	return &o.scores[s.n]
}

// score is what the ladder makes of the model's score.
func (o *Outlook) score(s *Spot) spotScore {
	if o.Model != nil && o.leads() {
		return spotScore{true, true, o.byModel(s)}
	}
	if o.today == nil {
		o.today = newScorer(o.Patch, o.Record, o.History, o.At)
	}
	host, role := hostOf(s)
	today, _ := o.today.Score(host, role)
	if o.Model == nil {
		return spotScore{true, false, today}
	}
	r := o.byModel(s)
	if r.P <= today.P {
		return spotScore{true, false, today}
	}
	_, high := interval(r.P, rulesCount)
	r.High = max(r.High, high)
	return spotScore{true, true, r}
}

func hostOf(s *Spot) (*inventory.Host, string) {
	if s == nil {
		return nil, ""
	}
	return s.host, s.place.Role
}

func (o *Outlook) leads() bool { return o.History.Ladder == Advisory && o.Model.Own > 0 }

func (o *Outlook) byModel(s *Spot) plan.Risk {
	sum, worth := o.sum(s)
	p := exact.Round5(exact.Expit(sum + o.peers.effect(traitsOf(s))))
	r := plan.Risk{P: p, Source: FromModel}
	if o.Model.Own == 0 {
		r.Source = FromPrior
	}
	key := [2]float64{p, worth}
	i, ok := o.within[key]
	if !ok {
		i[0], i[1] = o.Model.bounded(p, worth)
		o.within = with(o.within, key, i)
	}
	r.Low, r.High = i[0], i[1]
	return r
}

// sum is a host's own log-odds, whatever became of its peers, and the changes they
// rest on. It is what known and learnt put into words.
func (o *Outlook) sum(s *Spot) (sum, worth float64) {
	host, role := hostOf(s)
	c := o.rules.condition(host, role)
	sum, ok := o.ruled[c]
	if !ok {
		sum = Sum(o.byRules(c))
		o.ruled = with(o.ruled, c, sum)
	}
	t := o.recordOf(role)
	sum, worth = sum+t.Effect, rulesCount+t.n
	if pair, _ := o.pairOf(s); pair != nil {
		sum, worth = sum+pair.Effect, rulesCount+pair.N
	}
	effect, _, _ := o.correction(s)
	return sum + effect, worth
}

// correction is what was learnt, as far as it counts; ok is false where there is
// nothing, and why says so where the model abstains.
func (o *Outlook) correction(s *Spot) (effect float64, why string, ok bool) {
	m := o.Model
	if s == nil || m == nil || m.Share == 0 || m.scorer == nil {
		return 0, "", false
	}
	said := m.scorer.Score(o.values(s))
	if said.Abstain {
		return 0, said.Why, false
	}
	return exact.Round5(float64(m.Share * said.Logit)), "", true
}

// reasons put the model's score into words.
func (o *Outlook) reasons(s *Spot) []plan.Reason {
	reasons, worth := o.known(s)
	reasons = append(reasons, o.learnt(s)...)
	if effect, value := o.peers.term(traitsOf(s)); value != "" {
		reasons = append(reasons, plan.Reason{Term: termPeers, Value: value, Effect: effect})
	}
	slices.SortStableFunc(reasons[1:], largestFirst)
	rests := fmt.Sprintf("90 %%, as if seen in %d changes", int(worth))
	return append(reasons, plan.Reason{Term: "interval", Value: rests + o.Model.say(o.at(s).risk.P, worth)})
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
	host, role := hostOf(s)
	reasons = o.byRules(o.rules.condition(host, role))
	t := o.recordOf(role)
	if t.Term != "" {
		reasons = append(reasons, t.Reason)
	}
	worth = rulesCount + t.n
	pair, others := o.pairOf(s)
	if pair != nil {
		reasons = append(reasons, plan.Reason{Term: termIncompatible, Value: pair.String(), Effect: pair.Effect})
		worth = rulesCount + pair.N
	}
	for _, p := range others {
		reasons = append(reasons, plan.Reason{Term: termIncompatible, Value: p.String() + " (counted above)"})
	}
	return reasons, worth
}

// byRules is the base rate and the rules, as far as they hold here.
func (o *Outlook) byRules(c condition) []plan.Reason {
	reasons := []plan.Reason{{Term: termBase, Value: "2 % of changes on a host go wrong", Effect: base}}
	reasons = append(append(append(reasons, o.rules.usual...), o.rules.special...), c.terms()...)
	if effect := o.weight.of(reasons[1:]); effect != 0 {
		reasons = append(reasons, plan.Reason{Term: termRules, Value: fmt.Sprintf("here ordinary rules count %.2f times", o.weight.Slope), Effect: effect})
	}
	return append(reasons, o.rules.issueTerms(c)...)
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
	o.record = with(o.record, role, t)
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
	total, why, ok := o.correction(s)
	if why != "" {
		return []plan.Reason{{Term: termModel, Value: "abstains: " + why + "; rules and track record alone"}}
	}
	if !ok {
		return nil
	}
	start := exact.Round5(float64(m.Share * m.learnt.Intercept()))
	list := []plan.Reason{{Term: termModel, Value: fmt.Sprintf("what was learnt beyond rules and record counts for %.2f (%d failures seen)", m.Share, m.Failures), Effect: start}}
	shown, slightOnes := start, 0
	for _, r := range m.scorer.Reasons(nil, o.row) {
		effect := exact.Round5(float64(m.Share * r.Effect))
		if size(effect) < slight {
			slightOnes++
			continue
		}
		shown += effect
		list = append(list, plan.Reason{Term: termLearnt + r.Term, Value: r.Value, Effect: effect})
	}
	if rest := exact.Round5(total - shown); rest != 0 {
		list = append(list, plan.Reason{Term: termLearnt + "the rest", Value: fmt.Sprintf("%d slight terms", slightOnes), Effect: rest})
	}
	return list
}

// alone is a host's own probability, whatever became of its peers.
func (o *Outlook) alone(s *Spot) float64 {
	sum, _ := o.sum(s)
	return exact.Expit(sum)
}
