package risk

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

func (w *weighing) money(b Balance) string {
	return fmt.Sprintf("waiting costs %s/h on %d %s%s; deploying now risks %s once: break-even after %s (%s to %s)",
		w.amount(b.Waiting), b.Hosts, plural(b.Hosts, "host", "hosts"), of(w.services), w.amount(b.Deploying),
		span(b.BreakEven.H), span(b.BreakEven.Low), span(b.BreakEven.High))
}

func of(services int) string {
	if services == 1 {
		return ""
	}
	return fmt.Sprintf(" of %d services", services)
}

func (w *weighing) likely(b Balance) string {
	return fmt.Sprintf("for %q waiting 30 days costs more than deploying now above an exploit probability of %s; it is %s", b.Service, percent(b.Above), percent(exact.Round5(w.exploit.P)))
}

// because says why the class follows, in the money of the service that decides.
func (w *weighing) because(b Balance) string {
	s := w.decides
	sc := w.scale(s)
	minute := s.Cost.PerMinute
	limit := float64(float64(w.deploy.P*sc.deploying)*minute) / sc.tolerance
	costs := func(c plan.Class) string {
		return w.amount(float64(float64(float64(hazard(w.exploit.P)*sc.exposed)*minute) * spans[c]))
	}
	within := fmt.Sprintf("%s (what deploying risks / risk tolerance %s)", w.amount(limit), strconv.FormatFloat(sc.tolerance, 'f', -1, 64))
	i := plan.Rank(b.Class)
	next := ""
	if i+1 < len(plan.Classes) {
		c := plan.Classes[i+1]
		next = fmt.Sprintf("; %s would cost %s", span(spans[c]), costs(c))
	}
	if b.Class == plan.Critical && float64(float64(hazard(w.exploit.P)*sc.exposed)*spans[b.Class]) > float64(w.deploy.P*sc.deploying)/sc.tolerance {
		return fmt.Sprintf("critical follows for %q: even %s of waiting cost %s, more than %s", b.Service, span(spans[b.Class]), costs(b.Class), within)
	}
	return fmt.Sprintf("%s follows for %q: %s of waiting cost %s, within %s%s; it may only tighten the rules' class", b.Class, b.Service, span(spans[b.Class]), costs(b.Class), within, next)
}

// taken is what was taken for granted, the assumptions of the estate last.
func (w *weighing) taken() []string {
	list := w.notes
	if len(w.without) > 0 {
		list = append(list, fmt.Sprintf("missing: %s; left out of the money", w.costless()))
	}
	return append(list, "taken: "+w.Taken())
}

// Taken is what the economy takes for granted, in words.
func (e Economy) Taken() string {
	internet := ""
	if r := e.reach("internet"); r != 1 {
		internet = fmt.Sprintf("what is on the Internet by %s, ", factor(r))
	}
	return fmt.Sprintf("a failed change is noticed after %s, a compromise takes a service down for %s, exploitation reaches %swhat is internal by %s and what is isolated by %s",
		span(e.detection().Hours()), span(e.compromise().Hours()), internet, factor(e.reach("internal")), factor(e.reach("isolated")))
}

func (w *weighing) moneyless() string {
	if len(w.without) == 0 {
		return "missing: the hosts are in no service, so that nobody said what their downtime costs; no money is stated and the rules' class stands"
	}
	return fmt.Sprintf("missing: %s; no money is stated and the rules' class stands; declare downtime_cost_per_minute in the tier", w.costless())
}

func (w *weighing) costless() string {
	return fmt.Sprintf("what a minute's downtime of %s costs", quoted(w.without))
}

// amount writes money.
func (e Economy) amount(x float64) string {
	if e.Currency == "" {
		return amount(x)
	}
	return amount(x) + " " + e.Currency
}

// amount writes a number for people: whole from 10 on, thousands apart.
func amount(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.01:
		return "under 0.01"
	case x < 10:
		return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 2, 64), ".00")
	}
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span writes hours.
func span(hours float64) string {
	short := func(x float64, unit string) string {
		return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0") + " " + unit
	}
	switch {
	case hours >= longest:
		return "over 10 years"
	case hours >= 48:
		return short(hours/24, "d")
	case hours >= 1:
		return short(hours, "h")
	case hours >= 1.0/60:
		return short(float64(hours*60), "min")
	case hours == 0:
		return "0 min"
	}
	return "under 1 min"
}

func factor(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

func quoted(names []string) string {
	list := make([]string, 0, len(names))
	for _, n := range names[:min(len(names), 3)] {
		list = append(list, strconv.Quote(n))
	}
	text := strings.Join(list, ", ")
	if more := len(names) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
