package risk

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// The terms that callers may look for.
const (
	termBase       = "base rate"
	termRecord     = "track record"
	termShadow     = "shadow"
	termKnownIssue = "known issue"
)

// rulesCount is what the rules count for, in changes, against a track record.
const rulesCount = 20

// base is the log-odds of baseRate, to 5 decimals like every effect.
var base = exact.Round5(exact.Logit(baseRate))

// scorer scores one patch on many hosts by rules and track record: what depends on
// the patch alone is worked out once, and hosts in the same condition share one
// score. It is not safe for concurrent use.
//
// model is nil where there is none; the ladder says how far it may lead: at rules
// and shadow the score is the rules' (the shadow score is told in a reason), and
// the model may only raise it. Source is "rules", "prior" (imported history only)
// or "model". The effects of the reasons add up to the log-odds of p before it is
// rounded.
type scorer struct {
	patch   Patch
	model   *TrackRecord
	history History
	usual   []plan.Reason // what such patches are like
	special []plan.Reason // what is so of this one now
	issues  []advisory.KnownIssue
	scores  map[condition]scored
}

type scored struct {
	risk    plan.Risk
	reasons []plan.Reason
}

// newScorer prepares to score a patch as known at a time.
func newScorer(p Patch, model *TrackRecord, h History, at time.Time) *scorer {
	return &scorer{
		patch: p, model: model, history: h,
		usual: usual(p), special: special(p, at), issues: unresolved(p.Advisories, at),
	}
}

// Score is what deploying may break on a host, nil for the patch as a whole. The
// reasons are shared between hosts: they are not to be changed.
func (s *scorer) Score(host *inventory.Host, role string) (plan.Risk, []plan.Reason) {
	c := s.condition(host, role)
	got, ok := s.scores[c]
	if !ok {
		got.risk, got.reasons = s.score(c)
		s.scores = with(s.scores, c, got)
	}
	return got.risk, got.reasons
}

func (s *scorer) score(c condition) (plan.Risk, []plan.Reason) {
	record, shadow, n := s.record(c.role)
	terms := slices.Concat(s.usual, record, s.special, s.issueTerms(c), c.terms())
	slices.SortStableFunc(terms, largestFirst)
	start := plan.Reason{Term: termBase, Value: "2 % of changes on a host go wrong", Effect: base}
	terms = append([]plan.Reason{start}, terms...)
	sum := Sum(terms)
	p := exact.Expit(sum)

	r := plan.Risk{P: exact.Round5(p), Source: FromRules}
	worth := float64(rulesCount)
	if len(record) > 0 {
		worth += n
		r.Source = s.source()
	}
	r.Low, r.High = interval(p, worth)
	if len(record) > 0 && !s.trusted() {
		// Until the record is trusted, knowing more is no reason to be bolder.
		_, high := interval(p, rulesCount)
		r.High = max(r.High, high)
	}
	terms = append(terms, shadow...)
	return r, append(terms, plan.Reason{Term: "interval", Value: fmt.Sprintf("90 %%, as if seen in %d changes", int(worth))})
}

// Sum is the log-odds that the reasons of a score add up to.
func Sum(reasons []plan.Reason) float64 {
	sum := 0.0
	for _, r := range reasons {
		sum += r.Effect
	}
	return sum
}

// interval is the central 90 % of a beta distribution with mean p, worth n
// changes, widened to hold p itself.
func interval(p, n float64) (low, high float64) {
	low, high = exact.Beta{A: float64(p * n), B: float64((1 - p) * n)}.Interval(0.9)
	p = exact.Round5(p)
	return min(exact.Round5(low), p), max(exact.Round5(high), p)
}

// trusted says whether the record may lower a score as well as raise it.
func (s *scorer) trusted() bool { return s.history.Ladder == Advisory && s.model.Own > 0 }

func (s *scorer) source() string {
	if s.model.Own == 0 {
		return FromPrior
	}
	return FromModel
}

// record is the track record's term, none where there is no record or where it
// may not be used; then shadow says what it would have been. n is the changes it
// rests on.
func (s *scorer) record(role string) (used, shadow []plan.Reason, n float64) {
	if s.model == nil {
		return nil, nil, 0
	}
	e := s.model.about(s.patch.Package, s.patch.Vendor, role)
	w := e.n / (e.n + rulesCount)
	rules := base + Sum(s.usual)
	bounded := min(max(e.p, 1e-5), 1-1e-5)
	effect := exact.Round5(w * (exact.Logit(bounded) - rules))
	value := fmt.Sprintf("%s; rate %s, weight %.2f", e.what, percent(e.p), w)
	if effect > 0 || s.trusted() {
		used = []plan.Reason{{Term: termRecord, Value: value, Effect: effect}}
	}
	if !s.trusted() {
		p := exact.Expit(rules + effect)
		text := fmt.Sprintf("by track record %s (%s); it may only raise until there are %d months of own history (%.1f now, %d outcomes)",
			percent(p), value, advisoryMonths, s.history.Months, s.history.Outcomes)
		shadow = []plan.Reason{{Term: termShadow, Value: text}}
	}
	return used, shadow, e.n
}

// percent writes a probability with more digits the smaller it is.
func percent(p float64) string {
	digits := 1
	if p < 0.01 {
		digits = 3
	}
	return strconv.FormatFloat(float64(p*100), 'f', digits, 64) + " %"
}

// largestFirst puts what mattered most first, ties by term and value.
func largestFirst(a, b plan.Reason) int {
	return cmp.Or(cmp.Compare(size(b.Effect), size(a.Effect)), cmp.Compare(a.Term, b.Term), cmp.Compare(a.Value, b.Value))
}

func size(x float64) float64 { return max(x, -x) }
