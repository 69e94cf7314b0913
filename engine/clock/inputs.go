package clock

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/cvss"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// judge is one run of Judge: the facts, and what was noted on the way.
type judge struct {
	Facts
	know      advisory.Knowledge
	exploited bool
	reasons   []plan.Reason
}

func newJudge(f Facts) *judge {
	j := &judge{Facts: f}
	if f.Knowledge != nil {
		j.know = *f.Knowledge
	}
	j.Advisories = slices.Clone(f.Advisories)
	slices.SortStableFunc(j.Advisories, func(a, b *advisory.Advisory) int { return cmp.Compare(a.ID, b.ID) })
	return j
}

func (j *judge) reason(term, value string) {
	j.reasons = append(j.reasons, plan.Reason{Term: term, Value: value})
}

// vulnerability is one CVE with all that is said of it, or an advisory that
// names none.
type vulnerability struct {
	id         string // the CVE's, or the advisory's where it names none
	advisories []*advisory.Advisory
	said       []advisory.CVE       // as advisories name it
	assessed   *advisory.Assessment // nil: none, or one made after this plan's time
	start      start
}

// vulnerabilities are the patch's CVEs by id, and its security advisories that
// name none. It is empty for an ordinary update.
func (j *judge) vulnerabilities() []*vulnerability {
	byID := map[string]*vulnerability{}
	at := func(id string, a *advisory.Advisory) *vulnerability {
		v := byID[id]
		if v == nil {
			v = &vulnerability{id: id}
			byID[id] = v
		}
		v.advisories = append(v.advisories, a)
		return v
	}
	for _, a := range j.Advisories {
		for _, c := range a.CVEs {
			v := at(c.ID, a)
			v.said = append(v.said, c)
		}
		if len(a.CVEs) == 0 && a.Kind == advisory.Security {
			at(a.ID, a)
		}
	}
	var list []*vulnerability
	for _, v := range byID {
		if a, ok := j.know.Assessments[v.id]; ok && j.known(a.At) {
			v.assessed = &a
		}
		v.start = j.start(v.advisories)
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *vulnerability) int { return strings.Compare(a.id, b.id) })
	return list
}

// known says whether something dated t was known at the plan's time; without a
// time, everything is.
func (j *judge) known(t time.Time) bool { return j.At.IsZero() || !t.After(j.At) }

// start is when a clock begins.
type start struct {
	at   time.Time
	from string
}

// start is the earliest publication, or detection where no advisory has a date.
func (j *judge) start(list []*advisory.Advisory) start {
	var at time.Time
	for _, a := range list {
		if !a.Published.IsZero() && (at.IsZero() || a.Published.Before(at)) {
			at = a.Published
		}
	}
	if !at.IsZero() {
		return start{at, Published}
	}
	if !j.Facts.Detected.IsZero() {
		return start{j.Facts.Detected, Detected}
	}
	return start{j.At, Detected}
}

func (s start) clock(name string, span time.Duration, because string) Clock {
	return Clock{Name: name, Start: s.at, From: s.from, Span: span, Deadline: s.at.Add(span), Because: because}
}

// input is a value with where it comes from: "" where it was simply given.
type input struct{ value, note string }

func (i input) String() string {
	if i.note == "" {
		return i.value
	}
	return i.value + " (" + i.note + ")"
}

// stated is the worst of what advisories and the assessment say of one of SSVC's
// decision points. A feed alone may make it worse; nothing here makes it better.
func (v *vulnerability) stated(point string, of func(advisory.CVE) string, assessed func(advisory.Assessment) string) (input, bool) {
	words := worst[point]
	best, note := len(words), ""
	consider := func(word, from string) {
		if i := slices.Index(words, strings.ToLower(word)); i >= 0 && i < best {
			best, note = i, from
		}
	}
	if v.assessed != nil {
		consider(assessed(*v.assessed), "assessed")
	}
	for _, c := range v.said {
		consider(of(c), "as the advisory says")
	}
	if best == len(words) {
		return input{}, false
	}
	return input{words[best], note}, true
}

// vectors are all that are known of the vulnerability.
func (v *vulnerability) vectors() []string {
	var list []string
	for _, c := range v.said {
		list = append(list, c.Vectors...)
	}
	if v.assessed != nil {
		list = append(list, v.assessed.Vectors...)
	}
	return list
}

// derived answers a yes-or-no question from the vectors, the worse answer where
// several differ.
func (v *vulnerability) derived(ask func(cvss.Vector) (yes, known bool)) (yes bool, from string, known bool) {
	for _, text := range v.vectors() {
		vector, ok := cvss.Parse(text)
		if !ok {
			continue
		}
		if y, k := ask(vector); k && (!known || y && !yes) {
			yes, from, known = y, text, true
		}
	}
	return yes, from, known
}

func (v *vulnerability) automatable() input {
	if i, ok := v.stated("automatable",
		func(c advisory.CVE) string { return c.Automatable },
		func(a advisory.Assessment) string { return a.Automatable }); ok {
		return i
	}
	if yes, from, known := v.derived(cvss.Vector.Automatable); known {
		return input{pick(yes, "yes", "no"), "derived from " + from}
	}
	return input{"yes", "missing: no assessment and no vector that tells; taken as yes"}
}

func (v *vulnerability) impact() input {
	if i, ok := v.stated("technical impact",
		func(c advisory.CVE) string { return c.TechnicalImpact },
		func(a advisory.Assessment) string { return a.TechnicalImpact }); ok {
		return i
	}
	if yes, from, known := v.derived(cvss.Vector.Total); known {
		return input{pick(yes, "total", "partial"), "derived from " + from}
	}
	return input{"total", "missing: no assessment and no vector; taken as total"}
}

// exploitation is what is stated of exploitation, KEV apart.
func (v *vulnerability) exploitation() (input, bool) {
	return v.stated("exploitation",
		func(c advisory.CVE) string { return c.Exploitation },
		func(a advisory.Assessment) string { return a.Exploitation })
}

func (j *judge) exposure() input {
	if word, ok := exposures[j.Exposure]; ok {
		return input{word, j.Exposure}
	}
	return input{"open", "missing: exposure unknown; taken as internet"}
}

// public says whether BOD 26-04 counts the hosts as publicly exposed.
func (j *judge) public() input {
	switch j.Exposure {
	case "internet":
		return input{"yes", ""}
	case "internal", "isolated":
		return input{"no", j.Exposure}
	}
	return input{"yes", "missing: exposure unknown; taken as yes"}
}

func (j *judge) humanImpact() input {
	if slices.Contains(worst["human impact"], j.Impact) {
		return input{j.Impact, ""}
	}
	return input{"very high", "missing: human impact unknown; taken as very high"}
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
