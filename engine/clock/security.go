package clock

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/cvss"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// view is a vulnerability as it stands from one day on.
type view struct {
	*vulnerability
	from         start
	kev          input // yes | no: BOD 26-04's "in KEV"
	exploitation input // SSVC's
}

// exploited says whether the view counts as known exploited, or as nobody being
// able to tell.
func (w view) exploited() bool { return w.exploitation.value == "active" }

// views are how a vulnerability stood from its publication and, where it was
// only later known to be exploited, from then on.
func (j *judge) views(v *vulnerability) []view {
	stated, ok := v.exploitation()
	entry, listed := j.listed(v.id)
	now := view{vulnerability: v, from: v.start, kev: input{"no", ""}, exploitation: stated}
	switch {
	case listed:
		now.kev = input{"yes", "listed " + date(entry.Added)}
		now.exploitation = input{"active", "in KEV since " + date(entry.Added)}
	case j.know.Exploited == nil:
		now.kev = input{"yes", "missing: the estate has no KEV catalogue; taken as listed; declare a kev feed"}
		if !ok {
			now.exploitation = input{"active", "missing: no KEV catalogue and no assessment; taken as active; declare a kev feed"}
		}
	case !ok:
		now.exploitation = input{"public poc", "missing: not in KEV, and no assessment; taken as public poc"}
	}
	since := v.since(entry, listed)
	if !since.After(v.start.at) {
		return []view{now}
	}
	before := now
	if listed {
		before.kev = input{"no", "not yet listed then"}
	}
	before.exploitation = v.before(stated, ok)
	now.from = start{since, Detected}
	return []view{before, now}
}

// since is when exploitation became known: the earliest of the sources that say
// so, and the vulnerability's own start where none does or a source has no date.
func (v *vulnerability) since(entry advisory.Exploited, listed bool) time.Time {
	var first time.Time
	consider := func(says bool, t time.Time) {
		if t.Before(v.start.at) {
			t = v.start.at
		}
		if says && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	consider(listed, entry.Added)
	if v.assessed != nil {
		consider(strings.EqualFold(v.assessed.Exploitation, "active"), v.assessed.At)
	}
	for _, c := range v.said {
		consider(strings.EqualFold(c.Exploitation, "active"), v.start.at)
	}
	if first.IsZero() {
		return v.start.at
	}
	return first
}

// before is the exploitation of a vulnerability while nobody knew of any.
func (v *vulnerability) before(stated input, ok bool) input {
	if !ok || stated.value == "active" {
		return input{"public poc", "missing: what was known then; taken as public poc"}
	}
	return stated
}

// listed looks a CVE up in the catalogue as it was at the plan's time.
func (j *judge) listed(id string) (advisory.Exploited, bool) {
	e, ok := j.know.Exploited[id]
	return e, ok && j.known(e.Added)
}

// security judges every vulnerability by every table. It returns the base
// class, SSVC's class, and the strictest clock of each name.
func (j *judge) security(list []*vulnerability) (base, ssvc plan.Class, clocks []Clock) {
	base, ssvc = plan.Low, plan.Low
	var rule, tree, directive pickOf
	for _, v := range list {
		for _, w := range j.views(v) {
			class, because := j.rule(w)
			base = Stricter(base, class)
			rule.offer(w, plan.Rank(class), because, w.from.clock(Class, Span(class), because))

			a := ask(ssvcTable(), j.ssvcInputs(w))
			outcome := outcomes[a.outcome]
			ssvc = Stricter(ssvc, outcome)
			because = fmt.Sprintf("SSVC says %s (%s)", a.outcome, v.id)
			tree.offer(w, plan.Rank(outcome), a.outcome+" by row "+a.row, w.from.clock(SSVC, Span(outcome), because))

			if c, rank, words, ok := j.directive(w); ok {
				directive.offer(w, rank, words, c)
			}
		}
	}
	j.tell(list, rule, tree, directive)
	for _, p := range []pickOf{rule, tree, directive} {
		if p.clock.Name != "" {
			clocks = append(clocks, p.clock)
		}
	}
	return base, ssvc, clocks
}

// pickOf keeps the strictest clock that was offered under one name, and the view
// that had the strictest outcome: the one to tell reasons of.
type pickOf struct {
	any   bool
	clock Clock
	told  view
	rank  int
	words string
}

// offer takes a clock and an outcome; a clock without a name is an outcome that
// sets none.
func (p *pickOf) offer(w view, rank int, words string, c Clock) {
	if !p.any || rank < p.rank {
		p.told, p.rank, p.words = w, rank, words
	}
	if c.Name != "" && (p.clock.Name == "" || stricterFirst(c, p.clock) < 0) {
		p.clock = c
	}
	p.any = true
}

// rule is the base class of a vulnerability; see the package comment.
func (j *judge) rule(w view) (plan.Class, string) {
	if w.exploited() {
		class := plan.Critical
		if e := j.public(); e.value == "no" {
			class = plan.High
		}
		return class, fmt.Sprintf("%s: exploitation %s, exposure %s (%s)", class, w.exploitation, j.exposure(), w.id)
	}
	vector, ok := cvss.Worst(w.vectors())
	forecast, forecasted := j.forecast(w.id)
	switch {
	case !ok:
		return plan.High, fmt.Sprintf("high: no severity is known (%s)", w.id)
	case vector.Base >= 7:
		return plan.High, fmt.Sprintf("high: CVSS %s is at least 7.0 (%s)", tenth(vector.Base), w.id)
	case forecasted && forecast.P >= 0.1:
		return plan.High, fmt.Sprintf("high: EPSS %s is at least 0.1 (%s)", number(forecast.P), w.id)
	case vector.Base >= 4:
		return plan.Standard, fmt.Sprintf("standard: CVSS %s is at least 4.0 (%s)", tenth(vector.Base), w.id)
	}
	return plan.Low, fmt.Sprintf("low: CVSS %s is below 4.0 (%s)", tenth(vector.Base), w.id)
}

// forecast is the EPSS score as known at the plan's time.
func (j *judge) forecast(id string) (advisory.Forecast, bool) {
	f, ok := j.know.Forecasts[id]
	return f, ok && j.known(f.At)
}

func (j *judge) ssvcInputs(w view) [4]string {
	return [4]string{w.exploitation.value, j.exposure().value, w.automatable().value, j.humanImpact().value}
}

func (j *judge) bodInputs(w view) [4]string {
	return [4]string{w.kev.value, j.public().value, w.automatable().value, w.impact().value}
}

// directive asks the directive of the profile. ok is false where it does not
// speak of the vulnerability; a clock without a name is an answer that sets none.
func (j *judge) directive(w view) (c Clock, rank int, words string, ok bool) {
	switch j.Profile {
	case BOD2201:
		return j.bod2201(w)
	case BOD1902:
		return j.bod1902(w)
	}
	a := ask(bodTable(), j.bodInputs(w))
	span, sets := timelines[a.outcome]
	words = a.outcome + " by row " + a.row
	if !sets {
		return Clock{}, len(plan.Classes), words, true
	}
	rank = plan.Rank(Implied(span))
	if strings.Contains(a.outcome, "forensic") {
		rank = -1
	}
	c = w.from.clock(BOD2604, span, fmt.Sprintf("BOD 26-04 says %s (%s)", a.outcome, w.id))
	return c, rank, words, true
}

// bod2201 is the historic directive of dates: each entry of the catalogue names
// its own; where one does not, two weeks from its listing (the directive's rule
// for CVEs of 2021 and later; older ones had six months).
func (j *judge) bod2201(w view) (Clock, int, string, bool) {
	entry, listed := j.listed(w.id)
	if !listed || w.kev.value != "yes" {
		return Clock{}, 0, "", false
	}
	from := start{entry.Added, Detected}
	due, words := entry.Due, "due "+date(entry.Due)
	if due.IsZero() {
		due, words = entry.Added.Add(14*day), "due two weeks after listing (missing: the catalogue names no date)"
	}
	c := from.clock(BOD2201, due.Sub(entry.Added), fmt.Sprintf("BOD 22-01 (historic): %s (%s)", words, w.id))
	return c, 0, words, true
}

// bod1902 is the historic directive for what the Internet can reach: 15 days for
// critical and 30 for high severity, from detection.
func (j *judge) bod1902(w view) (Clock, int, string, bool) {
	vector, ok := cvss.Worst(w.vectors())
	if j.public().value == "no" || ok && vector.Base < 7 {
		return Clock{}, 0, "", false
	}
	span, words := 30*day, "30 days for high"
	if !ok || vector.Base >= 9 {
		span, words = 15*day, "15 days for critical"
	}
	if !ok {
		words += " (missing: no severity is known)"
	}
	from := j.start(nil)
	c := from.clock(BOD1902, span, fmt.Sprintf("BOD 19-02 (historic): %s (%s)", words, w.id))
	return c, plan.Rank(Implied(span)), words, true
}

// vendor is the earliest deadline of the vendors' own.
func (j *judge) vendor() []Clock {
	var best []Clock
	for _, a := range j.Advisories {
		if a.Deadline.IsZero() {
			continue
		}
		from := j.start([]*advisory.Advisory{a})
		c := from.clock(Vendor, a.Deadline.Sub(from.at), "the vendor's deadline in "+a.ID)
		c.Deadline = a.Deadline
		if best == nil || stricterFirst(c, best[0]) < 0 {
			best = []Clock{c}
		}
	}
	return best
}

// ordinary is the class of an update that fixes no vulnerability.
func (j *judge) ordinary() (plan.Class, Clock) {
	feature := func(a *advisory.Advisory) bool { return a.Kind == advisory.Feature }
	class, because := plan.Standard, "standard: a bugfix"
	switch {
	case len(j.Advisories) == 0:
		because = "standard: no advisory describes the update"
	case !slices.ContainsFunc(j.Advisories, func(a *advisory.Advisory) bool { return !feature(a) }):
		class, because = plan.Low, "low: a feature"
	}
	j.reason("class", because)
	return class, j.start(j.Advisories).clock(Class, Span(class), because)
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func tenth(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
