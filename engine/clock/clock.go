// Package clock says by when a patch must be on its hosts: every clock that
// applies, the strictest of them, and the class that follows.
//
// Clocks are those of the class itself, CERT/CC's SSVC deployer table, CISA's
// BOD 26-04 table, the vendor's deadline and the estate's own SLA. A missing
// input takes its worse value and says so; a CVE that a present catalogue does
// not list is known not to be listed.
//
// # The base class
//
// Each vulnerability of the patch gets the first that holds:
//
//	known exploited, exposed to the Internet or nobody knows   critical
//	known exploited, internal or isolated                      high
//	no severity known                                          high
//	CVSS base score of 7.0 or more, or EPSS of 0.1 or more     high
//	CVSS base score of 4.0 or more                             standard
//	CVSS base score below 4.0                                  low
//
// Known exploited is what a KEV catalogue lists or an SSVC assessment calls
// active. EPSS may only raise: severity is the input that must be there, so a
// forecast that is missing is said and changes nothing. A bugfix is standard, a
// feature low. The class clock runs for the span of the base class alone.
//
// # The class
//
// The class is the strictest of the base class, of SSVC's outcome (immediate
// critical, out-of-cycle high, scheduled standard, defer low) and of what the
// binding clock's length implies (24 h or less critical, 7 d high, 30 d
// standard, else low). The SLA follows from the class and may in turn tighten
// it; each round can only tighten, so that it ends, and an SLA of a less urgent
// class holds for a more urgent one too.
//
// # When a clock starts
//
// At the earliest publication among the advisories that speak of the
// vulnerability, or at detection where no date is known. What is only known to
// be exploited since a later day is judged twice: as it was, from publication,
// and as exploited, from the day that became known (that start is "detected").
// The stricter deadline counts, so that a listing can only tighten. A vendor's
// deadline is a date; its span is counted from that advisory's publication.
package clock

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Facts is what the clocks look at, for one patch on the hosts that need it.
type Facts struct {
	Advisories []*advisory.Advisory
	Knowledge  *advisory.Knowledge
	Detected   time.Time // when ringmaster first could see the need: the run's at where nothing older is known
	At         time.Time
	Exposure   string // internet | internal | isolated | "" unknown: the worst of the hosts'
	Impact     string // SSVC human impact: low | medium | high | very high | "": the worst of the services'
	SLA        map[string]time.Duration
	Loss       plan.Class // the class that expected loss makes stricter than the rest; "" where it does not
	Profile    string     // bod-26-04 (default "") | bod-22-01 | bod-19-02: historic ones are never chosen by themselves
}

// Verdict is the class and the clock that binds.
type Verdict struct {
	Class          plan.Class
	Deadline       time.Time
	Clock          string // vendor | class | ssvc | bod-26-04 | sla | loss
	Start          time.Time
	From           string // published | detected
	KnownExploited bool
	Clocks         []Clock       // every clock that applies, strictest first
	Reasons        []plan.Reason // inputs as used; those that were missing or derived say so
}

// Clock is one clock: Start + Span = Deadline, except a vendor's own date.
type Clock struct {
	Name     string
	Start    time.Time
	From     string
	Span     time.Duration
	Deadline time.Time
	Because  string
}

// The names of clocks, and where they start from.
const (
	Vendor  = "vendor"
	BOD2604 = "bod-26-04"
	BOD2201 = "bod-22-01"
	BOD1902 = "bod-19-02"
	SSVC    = "ssvc"
	SLA     = "sla"
	Loss    = "loss"
	Class   = "class"

	Published = "published"
	Detected  = "detected"
)

// standing orders clocks with the same deadline: the obligation that comes from
// furthest outside is named.
var standing = []string{Vendor, BOD2604, BOD2201, BOD1902, SSVC, SLA, Loss, Class}

const day = 24 * time.Hour

// Span is how long a class may take: 24 h, 7 d, 30 d, 90 d.
func Span(c plan.Class) time.Duration {
	switch c {
	case plan.Critical:
		return day
	case plan.High:
		return 7 * day
	case plan.Standard:
		return 30 * day
	}
	return 90 * day
}

// Implied is the class that a clock of that length stands for.
func Implied(span time.Duration) plan.Class {
	for _, c := range plan.Classes {
		if span <= Span(c) {
			return c
		}
	}
	return plan.Low
}

// Stricter is the more urgent of two classes.
func Stricter(a, b plan.Class) plan.Class {
	if plan.Rank(b) < plan.Rank(a) {
		return b
	}
	return a
}

// Judge works out class and deadline.
func Judge(f Facts) Verdict {
	j := newJudge(f)
	clocks := j.vendor()
	base, ssvc := plan.Low, plan.Low
	if list := j.vulnerabilities(); len(list) > 0 {
		var tables []Clock
		base, ssvc, tables = j.security(list)
		clocks = append(clocks, tables...)
	} else {
		var c Clock
		base, c = j.ordinary()
		clocks = append(clocks, c)
	}
	if f.Loss != "" {
		clocks = append(clocks, j.start(j.Advisories).clock(Loss, Span(f.Loss), "waiting longer costs more than deploying now"))
	}
	class, clocks := j.settle(Stricter(base, ssvc), clocks)
	bind := clocks[0]
	j.reason("clock", bind.Name+": "+bind.Because)
	return Verdict{
		Class: class, Deadline: bind.Deadline, Clock: bind.Name, Start: bind.Start, From: bind.From,
		KnownExploited: j.exploited, Clocks: clocks, Reasons: j.reasons,
	}
}

// settle adds the SLA's clock and raises the class to what the binding clock
// implies until neither moves the other.
func (j *judge) settle(class plan.Class, clocks []Clock) (plan.Class, []Clock) {
	for {
		all := slices.Clone(clocks)
		if c, ok := j.sla(class); ok {
			all = append(all, c)
		}
		slices.SortStableFunc(all, stricterFirst)
		next := Stricter(class, Implied(all[0].Span))
		if next == class {
			return class, all
		}
		class = next
	}
}

// sla is the estate's own promise for a class: the shortest of those for it and
// for less urgent classes.
func (j *judge) sla(class plan.Class) (Clock, bool) {
	var best plan.Class
	for _, c := range plan.Classes[plan.Rank(class):] {
		span, ok := j.SLA[string(c)]
		if ok && (best == "" || span < j.SLA[string(best)]) {
			best = c
		}
	}
	if best == "" {
		return Clock{}, false
	}
	start := j.start(j.Advisories)
	return start.clock(SLA, j.SLA[string(best)], "the estate's SLA for "+string(best)), true
}

func stricterFirst(a, b Clock) int {
	return cmp.Or(
		a.Deadline.Compare(b.Deadline),
		cmp.Compare(slices.Index(standing, a.Name), slices.Index(standing, b.Name)),
		cmp.Compare(a.Because, b.Because),
	)
}
