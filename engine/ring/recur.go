package ring

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// frequency is a rule's FREQ.
type frequency string

const (
	daily   frequency = "DAILY"
	weekly  frequency = "WEEKLY"
	monthly frequency = "MONTHLY"
	yearly  frequency = "YEARLY"
)

// rule is an RFC 5545 recurrence rule with what its DTSTART adds, in wall time.
type rule struct {
	freq     frequency
	interval int
	count    int // 0 none
	until    until
	start    int64 // wall

	months    []int
	weeks     []int
	yearDays  []int
	monthDays []int
	days      []weekday
	times     []int64 // seconds of the day, sorted
	positions []int
	first     time.Weekday // of the week

	everyDay bool  // of its periods: nothing narrows the days
	last     int64 // no wall time after this one: from COUNT and UNTIL
}

// weekday is a BYDAY value: every Tuesday (0), the second (2), the last (-1).
type weekday struct {
	nth int
	day time.Weekday
}

// until is a rule's UNTIL: an instant where it is written with a Z, a wall time
// where it is not. A date alone holds to the end of the day.
type until struct {
	set bool
	utc bool
	at  int64
}

const (
	maxCount    = 10_000
	maxInterval = 10_000
	maxTimes    = 1440 // a day
)

var partNames = []string{"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY",
	"BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS", "WKST"}

var weekdays = map[string]time.Weekday{"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday,
	"WE": time.Wednesday, "TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday}

// parts is a rule as it is written, part by part.
type parts struct {
	values   map[string]string
	problems []string
}

func (p *parts) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// has reports whether one of the parts is there.
func (p *parts) has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, ok := p.values[n]; return ok })
}

const example = `"FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0"`

// split takes a rule apart. Names and values may be in lower case.
func split(recur string) *parts {
	p := &parts{values: map[string]string{}}
	switch {
	case recur == "":
		p.problem("is empty; expected a rule such as %s", example)
		return p
	case !strings.Contains(recur, "="):
		p.problem("%q is not a recurrence rule; expected one such as %s", recur, example)
		return p
	case len(recur) >= 6 && strings.EqualFold(recur[:6], "RRULE:"):
		p.problem(`leave out "RRULE:"; the rule begins with FREQ=`)
		recur = recur[6:]
	}
	for part := range strings.SplitSeq(recur, ";") {
		name, value, found := strings.Cut(strings.ToUpper(part), "=")
		_, twice := p.values[name]
		switch {
		case !found || value == "":
			p.problem("%q is not NAME=VALUE", part)
		case !slices.Contains(partNames, name):
			p.problem("unknown part %q; expected one of %s", name, strings.Join(partNames, ", "))
		case twice:
			p.problem("%s is set twice", name)
		default:
			p.values[name] = value
		}
	}
	return p
}

// parseRule reads a rule. floating says that no DTSTART was given, so that the
// rule alone must say on which days it happens.
func parseRule(recur string, start int64, floating bool) (*rule, []string) {
	p := split(recur)
	if len(p.values) == 0 && len(p.problems) > 0 {
		return nil, p.problems
	}
	r := &rule{
		freq:      p.frequency(),
		start:     start,
		interval:  p.number("INTERVAL", 1, maxInterval, 1),
		count:     p.number("COUNT", 1, maxCount, 0),
		until:     p.until(),
		months:    p.numbers("BYMONTH", 1, 12, false),
		weeks:     p.numbers("BYWEEKNO", 1, 53, true),
		yearDays:  p.numbers("BYYEARDAY", 1, 366, true),
		monthDays: p.numbers("BYMONTHDAY", 1, 31, true),
		days:      p.weekdays(),
		positions: p.numbers("BYSETPOS", 1, 366, true),
		first:     p.weekStart(),
		times:     p.times(start),
	}
	if r.freq != "" {
		p.together(r)
	}
	if len(p.problems) == 0 {
		p.anchor(r, floating)
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	r.inherit(dateOf(floorDiv(int(start), secondsPerDay)))
	return r, nil
}

func (p *parts) frequency() frequency {
	value, ok := p.values["FREQ"]
	switch f := frequency(value); f {
	case daily, weekly, monthly, yearly:
		return f
	case "HOURLY", "MINUTELY", "SECONDLY":
		p.problem("FREQ=%s is finer than a day; write FREQ=DAILY with the hours, as in BYHOUR=1,13", f)
	default:
		if !ok {
			p.problem("FREQ is missing; expected one of DAILY, WEEKLY, MONTHLY, YEARLY")
			return ""
		}
		p.problem("FREQ=%s is not a frequency; expected one of DAILY, WEEKLY, MONTHLY, YEARLY", f)
	}
	return ""
}

// number reads a part that is one number.
func (p *parts) number(name string, low, high, absent int) int {
	value, ok := p.values[name]
	if !ok {
		return absent
	}
	n, err := strconv.Atoi(value)
	if err != nil || strings.HasPrefix(value, "+") || n < low || n > high {
		p.problem("%s=%s; expected a whole number from %d to %d", name, value, low, high)
		return absent
	}
	return n
}

// numbers reads a part that is a list of numbers. signed ones may count from
// the end.
func (p *parts) numbers(name string, low, high int, signed bool) []int {
	value, ok := p.values[name]
	if !ok {
		return nil
	}
	var list []int
	for item := range strings.SplitSeq(value, ",") {
		n, err := strconv.Atoi(item)
		size := n
		if signed && n < 0 {
			size = -n
		}
		if err != nil || size < low || size > high {
			if signed {
				p.problem("%s: %q; expected numbers from %d to %d, or from -%d to -%d counted from the end", name, item, low, high, high, low)
			} else {
				p.problem("%s: %q; expected numbers from %d to %d", name, item, low, high)
			}
			continue
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (p *parts) weekdays() []weekday {
	value, ok := p.values["BYDAY"]
	if !ok {
		return nil
	}
	var list []weekday
	for item := range strings.SplitSeq(value, ",") {
		cut := max(len(item)-2, 0)
		day, known := weekdays[item[cut:]]
		nth, err := 0, error(nil)
		if cut > 0 {
			nth, err = strconv.Atoi(item[:cut])
		}
		if !known || err != nil || cut > 0 && nth == 0 || nth < -53 || nth > 53 {
			p.problem(`BYDAY: %q; expected MO, TU, WE, TH, FR, SA or SU, in months and years also with a number, as in 2TU or -1FR`, item)
			continue
		}
		if w := (weekday{nth, day}); !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

func (p *parts) weekStart() time.Weekday {
	value, ok := p.values["WKST"]
	if !ok {
		return time.Monday
	}
	day, known := weekdays[value]
	if !known {
		p.problem("WKST=%s; expected one of MO, TU, WE, TH, FR, SA, SU", value)
	}
	return day
}

// times returns the times of day; what the rule leaves out is that of start.
func (p *parts) times(start int64) []int64 {
	sinceMidnight := floorMod(int(start), secondsPerDay)
	hours := p.numbers("BYHOUR", 0, 23, false)
	minutes := p.numbers("BYMINUTE", 0, 59, false)
	seconds := p.numbers("BYSECOND", 0, 59, false)
	if hours == nil {
		hours = []int{sinceMidnight / 3600}
	}
	if minutes == nil {
		minutes = []int{sinceMidnight / 60 % 60}
	}
	if seconds == nil {
		seconds = []int{sinceMidnight % 60}
	}
	n := len(hours) * len(minutes) * len(seconds)
	if n > maxTimes {
		p.problem("BYHOUR, BYMINUTE and BYSECOND make %d times a day; at most %d are expected", n, maxTimes)
		return nil
	}
	list := make([]int64, 0, n)
	for _, h := range hours {
		for _, m := range minutes {
			for _, s := range seconds {
				list = append(list, int64(h*3600+m*60+s))
			}
		}
	}
	return list
}

// until reads 20261231T220000Z, 20261231T230000 or 20261231.
func (p *parts) until() until {
	value, ok := p.values["UNTIL"]
	if !ok {
		return until{}
	}
	if t, err := time.Parse("20060102T150405Z", value); err == nil {
		return until{set: true, utc: true, at: t.Unix()}
	}
	if t, err := time.Parse("20060102T150405", value); err == nil {
		return until{set: true, at: t.Unix()}
	}
	if t, err := time.Parse("20060102", value); err == nil {
		return until{set: true, at: t.Unix() + secondsPerDay - 1}
	}
	p.problem("UNTIL=%s; expected a time such as 20261231T220000Z or a date such as 20261231", value)
	return until{}
}

// together checks what RFC 5545 3.3.10 says about parts that do not go together.
func (p *parts) together(r *rule) {
	if p.has("COUNT") && p.has("UNTIL") {
		p.problem("COUNT and UNTIL do not go together; leave one out")
	}
	refuse := func(name string, where ...frequency) {
		if p.has(name) && !slices.Contains(where, r.freq) {
			p.problem("%s does not go with FREQ=%s", name, r.freq)
		}
	}
	refuse("BYWEEKNO", yearly)
	refuse("BYYEARDAY", yearly)
	refuse("BYMONTHDAY", daily, monthly, yearly)
	for _, d := range r.days {
		switch {
		case d.nth == 0:
		case r.freq != monthly && r.freq != yearly:
			p.problem("BYDAY with a number does not go with FREQ=%s; only months and years have a second or a last weekday", r.freq)
			return
		case len(r.weeks) > 0:
			p.problem("BYDAY with a number does not go with BYWEEKNO")
			return
		case (r.freq == monthly || len(r.months) > 0) && (d.nth < -5 || d.nth > 5):
			p.problem("BYDAY: a month has no weekday number %d; expected 1 to 5, or -1 to -5 counted from the end", d.nth)
			return
		}
	}
	if p.has("BYSETPOS") && !p.has("BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND") {
		p.problem("BYSETPOS picks from what another part lists; add BYDAY or BYMONTHDAY")
	}
}

// anchor refuses a rule that leaves to DTSTART what nobody has said: RFC 5545
// takes the day from it, and 1970 is nobody's intention.
func (p *parts) anchor(r *rule, floating bool) {
	if !floating {
		return
	}
	if r.count > 0 {
		p.problem(`COUNT counts from "start", which is missing`)
	}
	switch {
	case r.freq == weekly && !p.has("BYDAY"):
		p.problem(`nothing says on which day of the week; add BYDAY, as in BYDAY=TU, or "start"`)
	case r.freq == monthly && !p.has("BYDAY", "BYMONTHDAY"):
		p.problem(`nothing says on which day of the month; add BYDAY or BYMONTHDAY, as in BYDAY=2TU, or "start"`)
	case r.freq == yearly && !p.has("BYDAY", "BYMONTHDAY", "BYYEARDAY"):
		p.problem(`nothing says on which day; add BYDAY, BYMONTHDAY or BYYEARDAY, as in BYMONTH=3;BYDAY=2TU, or "start"`)
	}
}

// inherit takes from DTSTART what the rule does not say (RFC 5545 3.3.10).
func (r *rule) inherit(start date) {
	given := len(r.days) > 0 || len(r.monthDays) > 0 || len(r.yearDays) > 0
	switch {
	case given || r.freq == daily:
	case r.freq == weekly || len(r.weeks) > 0:
		r.days = []weekday{{day: start.weekday}}
	case r.freq == monthly:
		r.monthDays = []int{start.day}
	default:
		r.monthDays = []int{start.day}
		if len(r.months) == 0 {
			r.months = []int{start.month}
		}
	}
	r.everyDay = len(r.months)+len(r.monthDays)+len(r.yearDays)+len(r.days)+len(r.weeks) == 0
}
