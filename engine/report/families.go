package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// family is patches of one build that are judged alike in everything: one
// source package often becomes a dozen binary ones.
type family struct {
	plan.Patch          // the first of them: all but id and package hold for every one
	packages   []string // in the plan's order
	hosts      int      // that each of them goes to
	from       []string // versions that are there now, sorted
	first      string   // the ring that it begins in, and what is said of that
}

// begins says what a ring is to a patch that is to be tried in a sandbox first.
func begins(x plan.Patch, r *plan.Ring) string {
	switch {
	case x.Test != "sandbox":
		return r.Name
	case r.Sandbox:
		return r.Name + ", tried there before any other ring"
	}
	return r.Name + ": it is to be tried in a sandbox first, and no ring with a host of it is one"
}

// families groups what is planned.
func (s *sheet) families() []family {
	var list []family
	place := map[string]int{}
	for _, x := range s.planned {
		u := s.uses[x.ID]
		f := family{x, []string{x.Package}, u.hosts, u.from, begins(x, u.begins)}
		key := f.key()
		if i, ok := place[key]; ok {
			list[i].packages = append(list[i].packages, x.Package)
			continue
		}
		place[key] = len(list)
		list = append(list, f)
	}
	return list
}

// key is everything that members share, in words.
func (f family) key() string {
	x := f.Patch
	x.ID, x.Package, x.Conflict, x.WaysOut = "", "", nil, nil
	data, err := json.Marshal([]any{x, f.hosts, f.from, f.first})
	if err != nil {
		return string(f.ID) // stands alone: facts of a decision that JSON does not know
	}
	return string(data)
}

// name is the patch, or the build and its packages.
func (f family) name(most int) string {
	if len(f.packages) == 1 {
		return code(string(f.ID))
	}
	return fmt.Sprintf("%s of %s", code(f.Type+" "+f.To), few(f.packages, most))
}

// patches is the table of what is planned.
func patches(list []family, d detail) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## Patches\n\n| patch | hosts | may break | may be exploited | by | begins in |\n|---|---:|---|---|---|---|\n")
	for i, f := range list {
		if i == d.rows {
			fmt.Fprintf(&b, "| … and %d more, in `plan.md` | | | | | |\n", len(list)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s (%s) | %s |\n", f.name(d.names), f.hosts, risk(f.DeployRisk), f.exploited(), moment(f.Deadline), inert(clockName(f.Clock)), inert(f.first))
	}
	return b.String() + "\n"
}

// exploited is how likely attackers are to use what it fixes.
func (f family) exploited() string {
	switch {
	case f.KnownExploited:
		return "**known exploited**"
	case len(f.CVEs) == 0 && f.ExploitRisk.High == 0:
		return "no CVE"
	}
	return risk(f.ExploitRisk)
}

// reasons tells, folded away, what made each patch's numbers.
func reasons(list []family, d detail) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## What made the numbers\n\nEffects are in log-odds: +0.69 doubles the odds of trouble.\n\n")
	for i, f := range list {
		if i == d.folds {
			fmt.Fprintf(&b, "… and %d more, in `plan.md`.\n\n", len(list)-i)
			break
		}
		b.WriteString(f.reasons(d))
	}
	return b.String()
}

func (f family) reasons(d detail) string {
	var b strings.Builder
	title := string(f.ID)
	if n := len(f.packages); n > 1 {
		title = fmt.Sprintf("%s and %d more of this build", title, n-1)
	}
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n", htmlText(title))
	fmt.Fprintf(&b, "Fixes %s", few(f.Advisories, d.names))
	if len(f.CVEs) > 0 {
		fmt.Fprintf(&b, " (%s)", few(f.CVEs, d.names))
	}
	b.WriteString(".\n\n| reason | value | effect |\n|---|---|---:|\n")
	for _, r := range f.Reasons {
		effect := ""
		if r.Effect != 0 {
			effect = fmt.Sprintf("%+.2f", r.Effect)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", inert(clip(r.Term, 100)), d.said(r.Value), effect)
	}
	b.WriteString("\n")
	for _, x := range f.Decisions {
		fmt.Fprintf(&b, "- %s %s: %s\n", inert(string(x.Effect)), code(x.Rule), d.said(x.Message))
	}
	if len(f.Decisions) > 0 {
		b.WriteString("\n")
	}
	return b.String() + "</details>\n\n"
}

// rollback says what happens to hosts that go wrong, and what they go back to.
func rollback(p *plan.Plan, list []family, d detail) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("## How it is rolled back\n\n")
	b.WriteString(watchedBy(p.Rings))
	b.WriteString("A host that fails or degrades goes back to the version it had, below. ")
	b.WriteString("A ring stops when more hosts go wrong than it allows (" + allowed(p) + "), and the patch is quarantined for hosts of the same role until that expires or a new build comes.\n\n")
	for i, f := range list {
		if i == d.rows {
			fmt.Fprintf(&b, "- … and %d more, in `plan.md`\n", len(list)-i)
			break
		}
		b.WriteString(f.back(d))
	}
	return b.String() + "\n"
}

// watchedBy says what tells that a host went wrong: the signals that are measured of every
// host, as far as the plan knows them.
func watchedBy(rings []plan.Ring) string {
	const (
		against = "against its own past and against hosts that are not changed yet, from its install until its soak is over"
		nobody  = "is held then, for nothing says that it is well. "
	)
	signals := slices.Clone(telemetry.Signals)
	for _, r := range rings {
		if r.Watch == nil {
			return "Every host that a health block takes is watched by what its fleet or the block measures, " + against + "; one that none takes " + nobody
		}
		signals = slices.DeleteFunc(signals, func(s string) bool { return !slices.Contains(r.Watch.Signals, s) })
	}
	switch {
	case len(signals) == 0:
		return "There is nothing that is measured of every host. A host of which nothing is measured until its soak is over " + nobody
	case slices.Equal(signals, []string{"up"}):
		return "Every host is asked whether it is up, from its install until its soak is over; nothing else is measured of all of them. "
	}
	for i, s := range signals {
		signals[i] = strings.NewReplacer("error_ratio", "errors", "latency_seconds", "latency", "load_ratio", "load").Replace(s)
	}
	return "Every host is watched (" + strings.Join(signals, ", ") + ") " + against + ". "
}

// back says what a family goes back to, and where it cannot.
func (f family) back(d detail) string {
	var b strings.Builder
	left := f.hosts
	for _, x := range f.NoRollback {
		where, on := "", f.hosts
		if len(x.Hosts) > 0 {
			names := make([]string, len(x.Hosts))
			for i, h := range x.Hosts {
				names[i] = string(h)
			}
			where, on = " on "+few(names, d.names), len(names)
		}
		left -= on
		fmt.Fprintf(&b, "- %s **cannot be rolled back**%s: %s. The host is left as it is, no other takes it, and people are told. Instead: %s\n",
			f.name(d.names), where, d.said(x.Why), d.said(x.Instead))
	}
	if left > 0 {
		fmt.Fprintf(&b, "- %s: back to %s\n", f.name(d.names), few(f.from, 6))
	}
	return b.String()
}

// allowed is "canary 0, broad 1".
func allowed(p *plan.Plan) string {
	var list []string
	for _, r := range p.Rings {
		list = append(list, fmt.Sprintf("%s %d", inert(r.Name), r.MaxFailures))
	}
	return strings.Join(list, ", ")
}
