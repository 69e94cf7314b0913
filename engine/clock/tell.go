package clock

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/cvss"
)

// tell writes down the inputs as they were used, of those vulnerabilities that
// decided.
func (j *judge) tell(list []*vulnerability, rule, tree, directive pickOf) {
	j.tellKEV(list)
	j.tellSeverity(rule.told)
	j.reason("class", rule.words)

	w := tree.told
	j.reason("ssvc exploitation", w.exploitation.String())
	j.reason("ssvc exposure", j.exposure().String())
	j.reason("ssvc automatable", w.automatable().String())
	j.reason("ssvc human impact", j.humanImpact().String())
	j.reason("ssvc", fmt.Sprintf("%s (%s)", tree.words, w.id))
	j.tellDirective(directive)
}

func (j *judge) tellDirective(p pickOf) {
	name := BOD2604
	switch j.Profile {
	case BOD2201, BOD1902:
		name = j.Profile
	case "", BOD2604:
	default:
		j.reason("profile", fmt.Sprintf("%q is not a profile; expected one of %q, %q, %q; %s is used", j.Profile, BOD2604, BOD2201, BOD1902, BOD2604))
	}
	if !p.any {
		j.reason(name, "sets no clock")
		return
	}
	w := p.told
	if name == BOD2604 {
		j.reason(name+" in kev", w.kev.String())
		j.reason(name+" exposed", j.public().String())
		j.reason(name+" automatable", w.automatable().String())
		j.reason(name+" technical impact", w.impact().String())
	}
	j.reason(name, fmt.Sprintf("%s (%s)", p.words, w.id))
}

// tellKEV says what the catalogue lists, and notes whether anything is known to
// be exploited.
func (j *judge) tellKEV(list []*vulnerability) {
	var listed, active, later []string
	for _, v := range list {
		entry, in := j.know.Exploited[v.id]
		_, now := j.listed(v.id)
		stated, _ := v.exploitation()
		switch {
		case now:
			listed = append(listed, v.id+" since "+date(entry.Added)+ransomware(entry.Ransomware))
		case stated.value == "active":
			active = append(active, v.id)
		}
		if in && !now {
			later = append(later, v.id+" on "+date(entry.Added))
		}
	}
	j.exploited = len(listed)+len(active) > 0
	switch {
	case j.know.Exploited == nil:
		j.reason("kev", "missing: the estate has no KEV catalogue; where nothing else tells, the worse is taken (listed, exploited); declare a kev feed")
	case len(listed) > 0:
		j.reason("kev", "listed: "+some(listed))
	default:
		j.reason("kev", fmt.Sprintf("none of %d listed%s", len(list), asOf(j.know.ExploitedAt)))
	}
	if len(later) > 0 {
		j.reason("kev", "not counted, listed only after this plan's time: "+some(later))
	}
	if len(active) > 0 {
		j.reason("exploited", "assessed as active: "+some(active))
	}
}

func ransomware(used bool) string {
	if used {
		return ", used in ransomware campaigns"
	}
	return ""
}

func asOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " as of " + date(t)
}

// tellSeverity says how severe the vulnerability is that decided the base class,
// and what is forecast of it.
func (j *judge) tellSeverity(w view) {
	vector, ok := cvss.Worst(w.vectors())
	value := fmt.Sprintf("missing: no vector can be read (%s); taken as at least 7.0", w.id)
	if ok {
		value = fmt.Sprintf("%s (%s, %s)", tenth(vector.Base), w.id, vector.Text)
	}
	j.reason("cvss", value)
	forecast, ok := j.forecast(w.id)
	switch {
	case ok:
		j.reason("epss", fmt.Sprintf("%s%s (%s)", number(forecast.P), asOf(forecast.At), w.id))
	case j.know.Forecasts == nil:
		j.reason("epss", "missing: the estate has no EPSS feed; severity alone decides")
	default:
		j.reason("epss", fmt.Sprintf("missing: no forecast for %s; severity alone decides", w.id))
	}
}

// some joins the first few of a list and counts the rest.
func some(list []string) string {
	const most = 3
	if len(list) <= most {
		return strings.Join(list, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(list[:most], "; "), len(list)-most)
}
