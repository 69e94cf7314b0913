package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// approvals is who must approve, by when, and why.
func approvals(p *plan.Plan, d detail) string {
	if len(p.Approvals) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Who must approve\n\n")
	for i, a := range p.Approvals {
		if i == d.rows {
			fmt.Fprintf(&b, "- … and %d more, in `plan.md`\n", len(p.Approvals)-i)
			break
		}
		by := "before it starts"
		switch {
		case a.By.After(p.At):
			by = "by " + moment(a.By)
		case !a.By.IsZero():
			by = "now"
		}
		if a.EscalateTo != "" && a.EscalateTo != a.From {
			by += ", then " + code(a.EscalateTo)
		}
		fmt.Fprintf(&b, "- **%d of** %s, %s: %s\n", a.Count, code(a.From), by, d.said(because(a.Because, d.names)))
	}
	b.WriteString("\nAn approval holds for exactly this plan (its digest), and for one in its place that is provably no worse.\n\n")
	return b.String()
}

// aboutService is a reason that begins with the service it is about.
var aboutService = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*): (.+)$`)

// Because is why an approval is asked for, in one line: each reason once, with
// how many services it holds for and some of them.
func Because(s string) string { return because(s, 4) }

// because says a reason once, with the services that it holds for: policies
// give one for each service.
func because(s string, most int) string {
	var order []string
	services := map[string][]string{}
	for _, part := range strings.Split(s, "; ") {
		service, reason := "", part
		if m := aboutService.FindStringSubmatch(part); m != nil {
			service, reason = m[1], m[2]
		}
		if _, ok := services[reason]; !ok {
			order = append(order, reason)
			services[reason] = []string{}
		}
		if service != "" && !slices.Contains(services[reason], service) {
			services[reason] = append(services[reason], service)
		}
	}
	for i, reason := range order {
		if list := services[reason]; len(list) > 0 {
			order[i] = fmt.Sprintf("%s (%s)", reason, strings.Join(cut(list, most), ", "))
		}
	}
	return strings.Join(order, "; ")
}

// clash is patches that cannot meet their clocks for the same kinds of reason.
type clash struct {
	plan.Patch // the most urgent of them
	names      []string
}

// clashes groups what cannot be met by the constraints that stand against it.
func clashes(p *plan.Plan) []clash {
	var list []clash
	place := map[string]int{}
	for _, x := range p.Patches {
		if x.Feasible || len(x.Conflict) == 0 {
			continue
		}
		key := clashKey(x)
		i, ok := place[key]
		if !ok {
			i = len(list)
			place[key] = i
			list = append(list, clash{Patch: x})
		} else if x.Deadline.Before(list[i].Deadline) {
			list[i].Patch = x
		}
		list[i].names = append(list[i].names, string(x.ID))
	}
	return list
}

// clashKey is the constraints without their times: two clocks that passed on
// different days are one thing to a reviewer.
func clashKey(x plan.Patch) string {
	var b strings.Builder
	for _, c := range x.Conflict {
		fmt.Fprintf(&b, "%q %q ", c.Kind, c.Name)
	}
	for _, w := range x.WaysOut {
		fmt.Fprintf(&b, "%q %v ", w.Kind, w.Feasible)
	}
	return b.String()
}

// conflicts shows patches that cannot meet their clock, why, and what would help.
func conflicts(p *plan.Plan, d detail) string {
	list := clashes(p)
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## The clock cannot be met\n\n")
	for i, x := range list {
		if i == d.rows {
			fmt.Fprintf(&b, "… and %d more, in `plan.md`.\n\n", len(list)-i)
			break
		}
		fmt.Fprintf(&b, "### %s by %s\n\n", code(string(x.ID)), moment(x.Deadline))
		if len(x.names) > 1 {
			fmt.Fprintf(&b, "It is the most urgent of %d that are alike: %s.\n\n", len(x.names), few(x.names, d.names))
		}
		b.WriteString(x.constraints(d) + "\n" + x.waysOut(d) + "\n")
	}
	return b.String()
}

func (x clash) constraints(d detail) string {
	var b strings.Builder
	if len(x.Conflict) > 1 {
		b.WriteString("These cannot hold together; taking any one away would do:\n\n")
	}
	for _, c := range x.Conflict {
		fmt.Fprintf(&b, "- **%s** %s: %s\n", inert(c.Kind), code(c.Name), d.said(c.Message))
	}
	return b.String()
}

func (x clash) waysOut(d detail) string {
	if len(x.WaysOut) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("What can be done, best first:\n\n")
	for _, w := range x.WaysOut {
		mark := ""
		if w.Feasible {
			mark = " (**meets the clock**)"
		}
		fmt.Fprintf(&b, "1. %s%s\n", d.said(w.Message), mark)
	}
	return b.String()
}
