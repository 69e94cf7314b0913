package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/metric"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Contest is what a new deployment model is worth, on outcomes that it was not
// fitted to: beside the model there is, the track record alone and the rules
// alone, all of them scoring the same changes as they stood when they were
// decided.
type Contest struct {
	From      time.Time // changes decided from then on were held out
	Held      int
	Failures  int
	Threshold float64 // at which a score counts as a warning
	Standings []Standing
	KeepOld   bool   // the new model is worse than the old one
	Why       string // the verdict in words
}

// Standing is how one contender did. Numbers that have no answer are nil.
type Standing struct {
	Name                    string
	Precision, Recall       *float64 // of warnings
	TenthPrecision, TenthOf *float64 // of the riskiest tenth of changes: precision, recall
	LogLoss, AUC, AP, Error *float64 // Error: calibration error, 15 bins of equal mass
	Groups, Within          int      // groups of changes of about the same score; those whose rate was within what was said
	Curve                   []metric.Bin
	losses                  []float64 // by change
}

// The contenders' names.
const (
	NewModel    = "new model"
	OldModel    = "old model"
	RecordAlone = "track record alone"
	RulesAlone  = "rules alone"
)

// Compare holds the newest changes out, fits to what was known before them, and
// lets all contenders score them. Held out is the newer half of what the old model
// has not seen, so that both are tried on outcomes new to them; without an old
// model it is the newest quarter. The new model is fitted as FitDeployment would
// have fitted it then. There is no verdict, and KeepOld is false, where fewer than
// 20 changes or 5 failures are held out; the error is a *TooFew where nothing can
// be fitted at all.
func Compare(trials []Trial, at time.Time, old *Deployment, threshold float64, o DeploymentOptions) (*Contest, error) {
	lessons := lessonsOf(trials, at)
	c := &Contest{Threshold: threshold, From: boundary(lessons, old)}
	before := slices.DeleteFunc(slices.Clone(trials), func(t Trial) bool { return !t.At.Before(c.From) })
	o.Said = slices.DeleteFunc(slices.Clone(o.Said), func(s Said) bool { return !s.At.Before(c.From) })
	model, err := FitDeployment(before, at, o)
	if err != nil {
		return nil, err
	}
	record, err := Fit(before, at)
	if err != nil {
		return nil, err
	}
	contenders := []contender{{name: NewModel, model: model}, {name: OldModel, model: old}, {name: RecordAlone, record: record}, {name: RulesAlone}}
	if old == nil {
		contenders = slices.Delete(contenders, 1, 2)
	}
	for _, k := range contenders {
		said := k.scores(lessons, c.From)
		c.Held, c.Failures = len(said), 0
		for _, r := range said {
			if r.row.Bad {
				c.Failures++
			}
		}
		s, err := standing(k.name, said, threshold)
		if err != nil {
			return nil, fmt.Errorf("comparing models: %s: %w", k.name, err)
		}
		c.Standings = append(c.Standings, s)
	}
	c.judge(old != nil)
	return c, nil
}

// boundary is from when on changes are held out.
func boundary(lessons []lesson, old *Deployment) time.Time {
	var times []time.Time
	part := 4
	for i := range lessons {
		if old == nil || lessons[i].decided().After(old.At) {
			times = append(times, lessons[i].decided())
		}
	}
	if old != nil {
		part = 2
		if len(times) == 0 {
			return old.At.Add(time.Second)
		}
	}
	if len(times) == 0 {
		return time.Time{}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[len(times)-1-len(times)/part]
}

type contender struct {
	name   string
	model  *Deployment
	record *TrackRecord
}

// prediction is what was said of a change, and what became of it.
type prediction struct {
	row       metric.Row
	low, high float64
}

// scores are a contender's predictions of the changes decided from a time on, in
// the order of lessons.
func (k contender) scores(lessons []lesson, from time.Time) []prediction {
	p := make([]plan.Risk, len(lessons))
	shape := usualShape
	if k.model != nil {
		shape = k.model.Peers
	}
	inTime(lessons, shape, func(i int, met *peers) (float64, []string) {
		c := &lessons[i]
		// What they say is compared, not how far they are let.
		o := NewOutlook(Question{Patch: c.patch, Model: k.model, Record: k.record, History: History{Ladder: Advisory}, At: c.decided()})
		o.peers = met
		spot := c.spot
		if !c.decided().Before(from) {
			p[i] = o.score(spot).risk
		}
		if k.model == nil {
			return 0, nil
		}
		return o.alone(spot), spot.traits
	})
	var list []prediction
	for i := range lessons {
		if c := &lessons[i]; !c.decided().Before(from) {
			row := metric.Row{Name: fmt.Sprintf("%s %s %06d", c.trial.Patch, c.host, i), P: p[i].P, Bad: c.failed, Weight: c.weight}
			list = append(list, prediction{row, p[i].Low, p[i].High})
		}
	}
	return list
}

func standing(name string, said []prediction, threshold float64) (Standing, error) {
	rows := make([]metric.Row, len(said))
	for i := range said {
		rows[i] = said[i].row
	}
	set, err := metric.Of(rows)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{Name: name, Curve: set.Curve(10)}
	s.Groups, s.Within = groupsWithin(said)
	warned, tenth := set.At(threshold), set.TopShare(0.1)
	for _, m := range []struct {
		to *(*float64)
		of func() (float64, bool)
	}{
		{&s.Precision, warned.Precision}, {&s.Recall, warned.Recall}, {&s.TenthPrecision, tenth.Precision}, {&s.TenthOf, tenth.Recall},
		{&s.LogLoss, set.LogLoss}, {&s.AUC, set.AUC}, {&s.AP, set.AveragePrecision}, {&s.Error, func() (float64, bool) { return set.CalibrationError(0) }},
	} {
		if x, ok := m.of(); ok {
			x = exact.Round5(x)
			*m.to = &x
		}
	}
	for _, r := range rows {
		p := min(max(r.P, 1e-5), 1-1e-5)
		if !r.Bad {
			p = 1 - p
		}
		s.losses = append(s.losses, -exact.Log(p))
	}
	return s, nil
}

// groupsWithin cuts predictions, rising, into groups of as many, at most 20 and few
// enough that five failures come to each, and counts those whose rate of failures
// lies within the mean of what was said.
func groupsWithin(said []prediction) (groups, within int) {
	failures := 0
	for _, s := range said {
		if s.row.Bad {
			failures++
		}
	}
	groups = min(failures/5, 20)
	said = slices.Clone(said)
	slices.SortFunc(said, func(a, b prediction) int {
		return cmp.Or(cmp.Compare(a.row.P, b.row.P), cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.row.Name, b.row.Name))
	})
	for g := range groups {
		var n, bad, low, high float64
		for _, s := range said[g*len(said)/groups : (g+1)*len(said)/groups] {
			w := s.row.Weight
			n, low, high = n+w, low+float64(w*s.low), high+float64(w*s.high)
			if s.row.Bad {
				bad += w
			}
		}
		if low <= bad && bad <= high && n > 0 {
			within++
		}
	}
	return groups, within
}

// What a verdict takes.
const (
	heldChanges  = 20
	heldFailures = 5
)

// judge compares the new model with the old one, change by change: it is worse
// where its mean log loss is higher by more than a standard error of the
// difference.
func (c *Contest) judge(old bool) {
	switch {
	case !old:
		c.Why = "there is no model to compare with"
		return
	case c.Held < heldChanges || c.Failures < heldFailures:
		c.Why = fmt.Sprintf("too few outcomes that are new to both models to compare them: %d changes, %d failures; %d and %d are needed", c.Held, c.Failures, heldChanges, heldFailures)
		return
	}
	a, b := c.Standings[0].losses, c.Standings[1].losses
	n := float64(len(a))
	mean, square := 0.0, 0.0
	for i := range a {
		mean += (a[i] - b[i]) / n
	}
	for i := range a {
		d := a[i] - b[i] - mean
		square += float64(d * d)
	}
	deviation := math.Sqrt(square/n/n) + 1e-6
	c.KeepOld = mean > deviation
	what := "the new model is not worse"
	if c.KeepOld {
		what = "keep the old model: the new one is worse"
	}
	c.Why = fmt.Sprintf("%s on %d changes that are new to both: log loss %+.5f, standard error %.5f", what, len(a), mean, deviation)
}

// Markdown is the contest as a pull request shows it.
func (c *Contest) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d changes decided from %s on were held out; %d of them failed. A warning is a score of %s or more.\n\n",
		c.Held, c.From.UTC().Format(time.DateOnly), c.Failures, percent(c.Threshold))
	b.WriteString("| | warnings: precision | recall | riskiest tenth: precision | recall | log loss | AUC | average precision | calibration error | rates within their interval |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range c.Standings {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", s.Name, cell(s.Precision, 3), cell(s.Recall, 3),
			cell(s.TenthPrecision, 3), cell(s.TenthOf, 3), cell(s.LogLoss, 4), cell(s.AUC, 3), cell(s.AP, 3), cell(s.Error, 4), s.within())
	}
	if len(c.Standings) > 0 && c.Standings[0].Groups > 0 {
		b.WriteString("\nThe last column cuts the held-out changes, by score, into groups of as many, and counts those whose rate of failures lay within the interval given for it.\n")
	}
	if len(c.Standings) > 0 {
		b.WriteString("\n| the new model said | changes | failed | 90 % interval | said `o`, failed `─`, from 0 to 100 % by square roots |\n|---:|---:|---:|---:|---|\n")
		for _, n := range c.Standings[0].Curve {
			fmt.Fprintf(&b, "| %s | %d | %s | %s to %s | `%s` |\n", percent(n.Predicted), n.Rows, percent(n.Observed), percent(n.Low), percent(n.High), plotted(n))
		}
	}
	fmt.Fprintf(&b, "\nVerdict: %s.\n", c.Why)
	return b.String()
}

// plotted draws a point of the calibration curve on 30 cells: what was said as
// "o" (or "O" within the interval), the interval of what failed as "─". The scale
// is the square root, as risks are small.
func plotted(n metric.Bin) string {
	const cells = 30
	at := func(p float64) int { return min(cells-1, int(math.Sqrt(max(p, 0))*cells)) }
	line := []rune(strings.Repeat("·", cells))
	for i := at(n.Low); i <= at(n.High); i++ {
		line[i] = '─'
	}
	said := at(n.Predicted)
	if line[said] == '─' {
		line[said] = 'O'
	} else {
		line[said] = 'o'
	}
	return string(line)
}

// within is how many groups' rates were within what was said, in words.
func (s Standing) within() string {
	if s.Groups == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d", s.Within, s.Groups)
}

func cell(x *float64, digits int) string {
	if x == nil {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, *x)
}
