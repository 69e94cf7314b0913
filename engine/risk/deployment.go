package risk

import (
	"fmt"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// DeploymentSchema is the value of Deployment.Schema that this package writes.
const DeploymentSchema = "ringmaster/deployment/v1"

// Deployment is models/deployment.json: what deploying a change may break, as
// learnt from outcomes. A score is
//
//	s = rules + t + max β + w·f(x) + ln((b+a)/(E+a))
//
// rules are the base rate's and the rules' log-odds; t the track record's term,
// of the changes that no incompatibility explains; β the effects of the
// incompatibilities of patch and host; f an explainable boosting machine fitted to
// what all these leave unexplained, whose share w it has to earn on outcomes
// newer than those it was fitted to; and the last term the peers'.
//
// In three simulated years (400 hosts, 188 patches, 13 % of them dangerous to some
// hosts, 1 % of all changes blamed for faults that no patch caused), refitted
// monthly, the riskiest tenth of changes in months 7 to 12 held, on average:
//
//	                             precision  recall  log loss
//	rules alone                      0.041   0.191     0.132
//	track record alone               0.035   0.165     0.111
//	this, before the canary          0.069   0.322     0.102
//	this, with peers as they go      0.083   0.388     0.096
//	every danger known beforehand    0.113   0.530     0.089
//
// By recall the three years differ: 0.322, 0.407 and 0.436 with peers. Nearly all of
// the gain over the record is the incompatibilities'; the learnt correction moved
// recall by 0.01 at most, either way. To make these figures,
// for one year or for all three with more of them:
//
//	go test -run '^$' -bench Year -benchtime 1x ./engine/risk
//	RINGMASTER_LONG=1 go test -run TestYear -v ./engine/risk
//
// # Interval
//
// Low and high are the central 90 % of a beta distribution with the score's mean,
// worth the changes that it rests on, and reach as far as Bounds: what changes of
// such a score, held out in time, turned out to do. In the same years they held
// what could have been known (every danger, and not which patches have it) of 95.3,
// 93.3 and 97.6 % of changes, where the beta alone held 94.2, 90.3 and 96.5 %, and
// the true mean of 57 of 60 groups of changes with about the same score; with peers
// of 60 of 60. The intervals of rules and of record, which know less than they
// claim, held it of 61 to 72 and 57 to 73 %.
type Deployment struct {
	Schema   string         `json:"schema"` // ringmaster/deployment/v1
	At       time.Time      `json:"at"`     // newest outcome in it
	Trials   int            `json:"trials"`
	Failures int            `json:"failures"`
	Own      int            `json:"own"`    // trials that are the estate's own
	Record   *TrackRecord   `json:"record"` // of the trials outside all pairs
	Pairs    []Incompatible `json:"incompatible"`
	Rules    Weight         `json:"rules"`  // how far the rules hold here
	Peers    float64        `json:"peers"`  // a: the shape of what patches differ by
	Share    float64        `json:"share"`  // w: how far what was learnt counts, 0 to 1
	Bounds   *Bounds        `json:"bounds"` // what such scores turned out to mean; nil: too little was held out
	Data     map[string]any `json:"data"`   // data card

	learnt *ebm.Model
	scorer *ebm.Scorer
}

// Weight is how far the rules hold on this estate: ordinary rules (all but known
// issues and reports) count Slope times, on top of a base rate moved by Shift in
// log-odds. Rules that nothing speaks against have Slope 1 and Shift 0.
type Weight struct {
	Shift float64 `json:"shift"`
	Slope float64 `json:"slope"`
}

// DeploymentOptions say what else goes into a fit.
type DeploymentOptions struct {
	Said    []Said         // what people disagreed with
	Former  *Deployment    // whose bins are used again, so that a diff is reviewable
	Commits []string       // what was learnt from, for the data card
	Data    map[string]any // more of the data card
}

// Said is a person's disagreement with a score. It trains what is learnt with the
// weight SaidWeight, and neither record nor incompatibilities: an opinion is no
// outcome.
type Said struct {
	Trial
	High bool
}

// SaidWeight is what a disagreement counts for, beside the 1 of an outcome.
const SaidWeight = 0.3

// What the learnt correction takes: below, there is nothing to tell it from chance.
const (
	learntFailures = 30
	learntTrials   = 300
)

// FitDeployment learns from what was known at a time. It is deterministic whatever
// the order of trials. Fewer than 20 trials are a *TooFew.
func FitDeployment(trials []Trial, at time.Time, o DeploymentOptions) (*Deployment, error) {
	lessons := lessonsOf(trials, at)
	if len(lessons) < enough {
		return nil, &TooFew{len(lessons), enough, at}
	}
	l := study(lessons)
	l.options = o
	m := l.model
	if err := l.earn(); err != nil {
		return nil, err
	}
	m.Data = l.card(o)
	return m, nil
}

// lesson is one finished change as it is learnt from.
type lesson struct {
	traced
	trial Trial
	patch Patch // as it was known
	spot  *Spot
}

// learner is a fit under way.
type learner struct {
	model   *Deployment
	lessons []lesson
	options DeploymentOptions
	records map[int64]*TrackRecord // as they were known, by period
}

// lessonsOf reads trials that were known at a time, in their order.
func lessonsOf(trials []Trial, at time.Time) []lesson {
	known := slices.DeleteFunc(slices.Clone(trials), func(t Trial) bool { return t.At.After(at) })
	slices.SortFunc(known, compareTrials)
	list := make([]lesson, len(known))
	places := NewPlaces()
	for i, t := range known {
		list[i] = newLesson(t, places)
	}
	return list
}

func newLesson(t Trial, places *Places) lesson {
	k := t.Known()
	c := lesson{trial: t, spot: places.at(k.Place, k.host(t.Host))}
	c.patch = k.patch(t.Patch, c.decided())
	c.traced = traced{host: t.Host, update: k.Update.traits(), place: c.spot.traits, failed: t.Failed, weight: weightOf(t)}
	return c
}

// study fits everything but the learnt correction. Lessons are in the order of
// trials, at least one, and are marked with what explains them.
func study(lessons []lesson) *learner {
	m := &Deployment{Schema: DeploymentSchema, Trials: len(lessons), At: lessons[len(lessons)-1].trial.At.UTC().Truncate(time.Second), Rules: Weight{Slope: 1}, Peers: usualShape}
	l := &learner{model: m, lessons: lessons}
	for i := range lessons {
		if lessons[i].failed {
			m.Failures++
		}
		if !lessons[i].trial.Imported {
			m.Own++
		}
	}
	m.Pairs = incompatibilities(lessons)
	m.Record, _ = Fit(l.outside(), m.At) // none where hardly anything is outside
	l.weighRules()
	l.weighPairs()
	l.weighPeers()
	return l
}

// outside are the trials that no incompatibility explains.
func (l *learner) outside() []Trial {
	var list []Trial
	for i := range l.lessons {
		if l.lessons[i].explained == 0 {
			list = append(list, l.lessons[i].trial)
		}
	}
	return list
}

// ask is the outlook on a lesson's patch by a model, and the lesson's spot.
func (c *lesson) ask(m *Deployment) (*Outlook, *Spot) {
	return NewOutlook(Question{Patch: c.patch, Model: m, History: History{Ladder: Advisory}, At: c.decided()}), c.spot
}

func (c *lesson) decided() time.Time {
	if c.trial.Decided.IsZero() {
		return c.trial.At
	}
	return c.trial.Decided
}

// weighPairs gives each incompatibility its effect on top of rules and record.
func (l *learner) weighPairs() {
	bare := &Deployment{Record: l.model.Record, Rules: l.model.Rules, Peers: usualShape}
	for i := range l.model.Pairs {
		var said, weight []float64
		var failed []bool
		for j := range l.lessons {
			c := &l.lessons[j]
			if c.explained != i+1 {
				continue
			}
			o, spot := c.ask(bare)
			reasons, _ := o.known(spot)
			said, failed, weight = append(said, Sum(reasons)), append(failed, c.failed), append(weight, c.weight)
		}
		l.model.Pairs[i].Effect = max(boost(said, failed, weight), 0)
	}
}

// weighPeers finds how much patches differ beyond what is known of them.
func (l *learner) weighPeers() {
	patches := map[string]met{}
	for i := range l.lessons {
		c := &l.lessons[i]
		o, spot := c.ask(l.model)
		one := met{n: c.weight, expected: float64(c.weight * o.alone(spot))}
		if c.failed {
			one.bad = c.weight
		}
		patches[c.trial.Patch] = patches[c.trial.Patch].plus(one)
	}
	l.model.Peers = shapeOf(patches)
}

// card is what a reviewer wants to know of the data.
func (l *learner) card(o DeploymentOptions) map[string]any {
	m := l.model
	hosts, patches := map[string]bool{}, map[string]bool{}
	first := l.lessons[0].trial.At
	for i := range l.lessons {
		hosts[string(l.lessons[i].host)], patches[l.lessons[i].trial.Patch] = true, true
	}
	card := map[string]any{
		"first": first.UTC().Format(time.RFC3339), "last": m.At.Format(time.RFC3339),
		"hosts": float64(len(hosts)), "patches": float64(len(patches)), "imported": float64(m.Trials - m.Own),
		"base_rate": exact.Round5(float64(m.Failures) / float64(m.Trials)),
		"overrides": float64(len(o.Said)), "override_weight": SaidWeight,
	}
	if len(o.Commits) > 0 {
		commits := slices.Sorted(slices.Values(o.Commits))
		list := make([]any, len(commits))
		for i, c := range commits {
			list[i] = text(c)
		}
		card["commits"] = list
	}
	for name, v := range o.Data {
		card[name] = v
	}
	return card
}

// String tells a reviewer in one line what the model rests on.
func (m *Deployment) String() string {
	return fmt.Sprintf("%d changes, %d failures; incompatibilities: %d; learnt correction at %.2f", m.Trials, m.Failures, len(m.Pairs), m.Share)
}
