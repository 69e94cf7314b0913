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

// earn fits the learnt correction and finds what it may count for.
//
// A model fitted to what was known at a boundary is tried on the changes decided
// after it: the share is the one with the least log loss there, times f/(f+30)
// for the f failures in all, since a handful of failures can flatter. A correction
// that helps nothing there has no share, and is not kept.
func (l *learner) earn() error {
	m := l.model
	if m.Failures < learntFailures || m.Trials < learntTrials || m.Record == nil {
		return nil
	}
	share, err := l.tried()
	if err != nil || share == 0 {
		return err
	}
	former := (*ebm.Model)(nil)
	if l.options.Former != nil {
		former = l.options.Former.learnt
	}
	if err := m.learn(l.rows(nil), l.options.Said, former); err != nil {
		return err
	}
	m.Share = exact.Round5(share * float64(m.Failures) / float64(m.Failures+learntFailures))
	return nil
}

// sample is one change as the learnt correction is fitted to it.
type sample struct {
	values []ebm.Value
	offset float64 // what all else says, in log-odds
	at     time.Time
	host   string
	failed bool
	weight float64
}

// The part of changes, by the time of decision, that a correction is tried on, and
// the failures needed there.
const (
	triedPart     = 0.3
	triedFailures = 10
)

// tried is the share that the correction of an earlier time would have had best.
func (l *learner) tried() (float64, error) {
	times := make([]time.Time, len(l.lessons))
	for i := range l.lessons {
		times[i] = l.lessons[i].decided()
	}
	slices.SortFunc(times, time.Time.Compare)
	boundary := times[int(float64(1-triedPart)*float64(len(times)))]
	before := slices.DeleteFunc(slices.Clone(l.lessons), func(c lesson) bool { return !c.trial.At.Before(boundary) })
	if len(before) < enough {
		return 0, nil
	}
	early := study(before)
	if early.model.Record == nil || early.model.Failures < learntFailures/2 {
		return 0, nil // too little to try anything with
	}
	if err := early.model.learn(early.rows(nil), nil, nil); err != nil {
		return 0, err
	}
	later := &learner{model: early.model, lessons: l.lessons}
	var list []sample
	failures := 0
	for _, r := range later.rows(early.model.Record) {
		if !r.at.Before(boundary) {
			list = append(list, r)
			if r.failed {
				failures++
			}
		}
	}
	if failures < triedFailures {
		return 0, nil
	}
	return early.model.bestShare(list), nil
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
		c := &lesson{trial: s.Trial, known: s.Known()}
		o, spot := c.ask(m, NewPlaces())
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
	if m.scorer, err = m.learnt.Bind(FeatureNames()); err != nil {
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
	places := NewPlaces()
	inTime(l.lessons, l.model.Peers, func(i int, met *peers) (float64, []string) {
		c := &l.lessons[i]
		o, spot := c.ask(then(c.decided()), places)
		reasons, _ := o.known(spot)
		sum := Sum(reasons)
		effect, _ := met.term(spot.traits)
		list[i] = sample{values: slices.Clone(o.values(spot)), offset: sum + effect, at: c.decided(), host: string(c.host), failed: c.failed, weight: c.weight}
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
