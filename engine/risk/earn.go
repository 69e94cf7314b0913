package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/ebm"
	"github.com/ringmaster-dev/ringmaster/engine/exact"
)

// earn fits the learnt correction and finds what it may count for, and what bounds
// scores have shown to have.
//
// Models of what was known at two boundaries of time are tried on the changes
// decided after each. The correction's share is the one with the least log loss
// after the second, times f/(f+30) for the f failures in all, since a handful of
// failures can flatter. A correction that helps nothing there has no share, and is
// not kept.
func (l *learner) earn() error {
	m := l.model
	first, second := l.boundary(boundFrom), l.boundary(triedFrom)
	trial, err := l.tried(second)
	if err != nil {
		return err
	}
	m.Bounds = boundsOf(append(l.foretold(first, second), trial.foretold()...))
	if trial.share == 0 {
		return nil
	}
	former := (*ebm.Model)(nil)
	if l.options.Former != nil {
		former = l.options.Former.learnt
	}
	if err := m.learn(l.rows(nil), l.options.Said, former); err != nil {
		return err
	}
	m.Share = exact.Round5(trial.share * float64(m.Failures) / float64(m.Failures+learntFailures))
	return nil
}

// sample is one change as the learnt correction is fitted to it.
type sample struct {
	values []ebm.Value
	offset float64 // what all else says, in log-odds
	at     time.Time
	host   string
	patch  string
	failed bool
	weight float64
}

// From which part of changes on, by the time of decision, earlier models are tried:
// for bounds, and for a correction too; and the failures that a correction is
// tried on.
const (
	boundFrom     = 0.4
	triedFrom     = 0.7
	triedFailures = 10
)

// boundary is the time at which a part of the changes had been decided.
func (l *learner) boundary(part float64) time.Time {
	times := make([]time.Time, len(l.lessons))
	for i := range l.lessons {
		times[i] = l.lessons[i].decided()
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[int(float64(part*float64(len(times))))]
}

// earlier is what would have been learnt of the outcomes known before a time, but
// for the correction; nil where that is too little.
func (l *learner) earlier(than time.Time) *learner {
	before := slices.DeleteFunc(slices.Clone(l.lessons), func(c lesson) bool { return !c.trial.At.Before(than) })
	if len(before) < enough {
		return nil
	}
	if early := study(before); early.model.Record != nil {
		return early
	}
	return nil
}

// later are the changes decided from one time on and before another (zero: all), as
// this learner's model sees them.
func (l *learner) later(lessons []lesson, from, to time.Time) []sample {
	seer := &learner{model: l.model, lessons: lessons}
	return slices.DeleteFunc(seer.rows(l.model.Record), func(r sample) bool {
		return r.at.Before(from) || !to.IsZero() && !r.at.Before(to)
	})
}

// foretold are the changes between two times as what was known at the first
// foretold them.
func (l *learner) foretold(from, to time.Time) []foretold {
	early := l.earlier(from)
	if early == nil {
		return nil
	}
	return attempt{later: early.later(l.lessons, from, to)}.foretold()
}

// attempt is how an earlier model did on later changes.
type attempt struct {
	model *Deployment
	later []sample
	share float64 // of its correction, that would have been best
}

func (a attempt) foretold() []foretold {
	list := make([]foretold, len(a.later))
	for i, r := range a.later {
		score := r.offset
		if a.share > 0 {
			if s := a.model.scorer.Score(r.values); !s.Abstain {
				score += float64(a.share * s.Logit)
			}
		}
		list[i] = foretold{patch: r.patch, score: score, failed: r.failed, weight: r.weight}
	}
	return list
}

// tried is how what was known at a time did on what was decided later, with the
// share that its correction would have had best: 0 where too little failed to try
// one.
func (l *learner) tried(boundary time.Time) (attempt, error) {
	early := l.earlier(boundary)
	if early == nil {
		return attempt{}, nil
	}
	a := attempt{model: early.model, later: early.later(l.lessons, boundary, time.Time{})}
	failures := 0
	for _, r := range a.later {
		if r.failed {
			failures++
		}
	}
	m := l.model
	if m.Record == nil || m.Failures < learntFailures || m.Trials < learntTrials || early.model.Failures < learntFailures/2 || failures < triedFailures {
		return a, nil
	}
	if err := early.model.learn(early.rows(nil), nil, nil); err != nil {
		return attempt{}, err
	}
	a.share = early.model.bestShare(a.later)
	return a, nil
}

// bestShare is the share with the least log loss, the smallest among equals.
func (m *Deployment) bestShare(list []sample) float64 {
	corrections := make([]float64, len(list))
	for i, r := range list {
		if s := m.scorer.Score(r.values); !s.Abstain {
			corrections[i] = s.Logit
		}
	}
	best, least := 0.0, math.Inf(1)
	for step := range 21 {
		w := float64(step) / 20
		loss := 0.0
		for i, r := range list {
			p := exact.Expit(r.offset + float64(w*corrections[i]))
			p = min(max(p, 1e-9), 1-1e-9)
			if !r.failed {
				p = 1 - p
			}
			loss -= float64(r.weight * exact.Log(p))
		}
		if loss < float64(least*(1-1e-9)) {
			best, least = w, loss
		}
	}
	return best
}

// learn fits the correction to rows, and to what people said.
func (m *Deployment) learn(list []sample, said []Said, former *ebm.Model) error {
	for _, s := range said {
		c := newLesson(s.Trial, NewPlaces())
		o, spot := c.ask(m)
		reasons, _ := o.known(spot)
		list = append(list, sample{values: o.values(spot), offset: Sum(reasons), at: c.decided(), host: string(s.Host), failed: s.High, weight: SaidWeight})
	}
	t, options := table(list)
	options.Former = former
	label := make([]bool, len(list))
	for i, r := range list {
		label[i] = r.failed
	}
	model, err := ebm.Fit(t, label, options)
	if err != nil {
		return fmt.Errorf("learning what rules and record leave unexplained: %w", err)
	}
	m.learnt = model
	return m.bind()
}

func (m *Deployment) bind() error {
	var err error
	if m.scorer, err = m.learnt.Bind(featureNames()); err != nil {
		return fmt.Errorf("binding the learnt correction: %w", err)
	}
	return nil
}

// table is rows as ebm takes them: without columns that are empty throughout.
func table(list []sample) (ebm.Table, ebm.Options) {
	t := ebm.Table{Rows: len(list)}
	o := ebm.Options{Monotone: map[string]int{}, Seed: 1}
	for i := range Features {
		f := &Features[i]
		c := ebm.Column{Name: f.Name}
		known := false
		for _, r := range list {
			v := r.values[i]
			if f.Edges != nil {
				c.Numbers = append(c.Numbers, v.Number)
				known = known || !math.IsNaN(v.Number)
			} else {
				c.Words = append(c.Words, v.Word)
				known = known || v.Word != ""
			}
		}
		if !known {
			continue
		}
		t.Columns = append(t.Columns, c)
		if f.Monotone != 0 {
			o.Monotone[f.Name] = f.Monotone
		}
	}
	for _, r := range list {
		o.Weight = append(o.Weight, r.weight)
		o.Offset = append(o.Offset, r.offset)
		o.Group = append(o.Group, r.host)
	}
	return t, o
}

// period is how long a record counts as the newest: learn runs about monthly.
const period = 30 * 24 * time.Hour

// rows are the lessons as they stood when they were decided: the record is of what
// was known at the beginning of that period (or the one given), peers are those
// whose outcome was known. Nothing later is looked at.
func (l *learner) rows(record *TrackRecord) []sample {
	then := l.then(record)
	list := make([]sample, len(l.lessons))
	inTime(l.lessons, l.model.Peers, func(i int, met *peers) (float64, []string) {
		c := &l.lessons[i]
		o, spot := c.ask(then(c.decided()))
		reasons, _ := o.known(spot)
		sum := Sum(reasons)
		effect, _ := met.term(spot.traits)
		list[i] = sample{values: slices.Clone(o.values(spot)), offset: sum + effect, at: c.decided(), host: string(c.host), patch: c.trial.Patch, failed: c.failed, weight: c.weight}
		return exact.Expit(sum), spot.traits
	})
	return list
}

// then is the model of what was known at the beginning of the period of a time,
// with the record given, or else with that of the period.
func (l *learner) then(record *TrackRecord) func(time.Time) *Deployment {
	models := map[int64]*Deployment{}
	return func(at time.Time) *Deployment {
		n := at.Unix() / int64(period/time.Second)
		if models[n] == nil {
			m := &Deployment{Record: record, Rules: l.model.Rules, Pairs: l.model.Pairs, Peers: l.model.Peers}
			if record == nil {
				m.Record = l.recordOf(n)
			}
			models[n] = m
		}
		return models[n]
	}
}

// recordOf is the record that was known at the beginning of a period, nil where
// that was too little.
func (l *learner) recordOf(n int64) *TrackRecord {
	if l.records == nil {
		l.records = map[int64]*TrackRecord{}
	}
	if _, ok := l.records[n]; !ok {
		l.records[n], _ = Fit(l.outside(), time.Unix(n*int64(period/time.Second)-1, 0))
	}
	return l.records[n]
}

// inTime visits lessons patch by patch, each patch's in the order they were
// decided, with the peers whose outcome was known by then. A visit returns what was
// expected of the host whatever became of its peers, and the host's traits.
func inTime(lessons []lesson, shape float64, visit func(i int, met *peers) (p float64, traits []string)) {
	order := make([]int, len(lessons))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(lessons[a].trial.Patch, lessons[b].trial.Patch), lessons[a].decided().Compare(lessons[b].decided()))
	})
	type open struct {
		lesson *lesson
		p      float64
		traits []string
	}
	var waiting []open
	var met *peers
	patch := ""
	for n, i := range order {
		c := &lessons[i]
		if n == 0 || c.trial.Patch != patch {
			patch, met, waiting = c.trial.Patch, &peers{shape: shape}, waiting[:0]
		}
		waiting = slices.DeleteFunc(waiting, func(w open) bool {
			if !w.lesson.trial.At.Before(c.decided()) {
				return false
			}
			met.add(w.traits, w.p, w.lesson.failed, w.lesson.weight)
			return true
		})
		p, traits := visit(i, met)
		waiting = append(waiting, open{c, p, traits})
	}
}
