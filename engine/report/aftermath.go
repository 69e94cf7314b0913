package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// Aftermath is what became of a merged plan, as the thread of its pull request
// tells it: one comment that is edited. It names no time of telling, so that
// nothing new reads the same.
type Aftermath struct {
	Plan    *plan.Plan
	Rings   []RingAftermath // in the plan's order
	Begun   bool
	Over    bool      // nothing more of it will be done
	Refused string    // why nothing of it runs; "": it runs
	Next    time.Time // when something may be due, zero when nothing is
	For     string    // what
	Stopped []string  // patches that were stopped, each with why
	Held    []string  // why policy holds changes that were due, each once
	Stand   []Hold    // overrides that hold of it, or ended lately
	Wrong   []Wrong   // changes that did not go well, in the plan's order
	Tried   []Tried   // changes in sandboxes, in the plan's order
}

// RingAftermath counts a ring's changes.
type RingAftermath struct {
	Name                                                                string
	Waiting, UnderWay, Healthy, Failed, RolledBack, Unreached, NotBegun int
}

func (r RingAftermath) all() int {
	return r.Waiting + r.UnderWay + r.Healthy + r.Failed + r.RolledBack + r.Unreached + r.NotBegun
}

// Trouble is what stands in a deployment's way, and what did not go well, a line each.
func (a *Aftermath) Trouble() []string {
	list := slices.Concat([]string{}, a.Stopped, a.Held)
	for _, w := range a.Wrong {
		text := fmt.Sprintf("%s: %s %s", w.Host, w.Patch, w.What)
		if w.Why != "" {
			text += ": " + w.Why
		}
		list = append(list, text)
	}
	return list
}

// Wrong is a change that did not go well.
type Wrong struct {
	Host, Patch, Ring string
	What              string // as "rolled back"
	Why               string
	Instead           string // what people do, "" where nothing is left to them
}

// wrongMost is how many changes that went wrong are told one by one.
const wrongMost = 10

// Markdown is the comment. What it says from outside is inert.
func (a *Aftermath) Markdown() string {
	s := read(a.Plan)
	var b strings.Builder
	b.WriteString(a.headline() + "\n\n| ring | healthy | under way | failed | rolled back | not reached | not begun |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, r := range a.Rings {
		fmt.Fprintf(&b, "| %s | %d of %d | %s | %s | %s | %s | %s |\n", inert(r.Name), r.Healthy, r.all(), blank(r.UnderWay), blank(r.Failed), blank(r.RolledBack), blank(r.Unreached), blank(r.Waiting+r.NotBegun))
	}
	a.tried(&b)
	bullets(&b, "Stopped", a.Stopped)
	bullets(&b, "Held", a.Held)
	if len(a.Stand) > 0 {
		b.WriteString("\n" + overrideTable(a.Stand, s.At.Location(), wrongMost))
	}
	for i, w := range a.Wrong {
		if i == 0 {
			b.WriteString("\n**What went wrong**\n\n")
		}
		if i == wrongMost {
			fmt.Fprintf(&b, "- and %s more; `outcomes/%s.jsonl` has all\n", plural(len(a.Wrong)-i, "change"), a.Plan.ID)
			break
		}
		fmt.Fprintf(&b, "- %s on %s in %s: %s", code(w.Patch), code(w.Host), code(w.Ring), w.What)
		if w.Why != "" {
			fmt.Fprintf(&b, " (%s)", inert(clip(w.Why, 300)))
		}
		if w.Instead != "" {
			fmt.Fprintf(&b, "; what to do: %s", inert(clip(w.Instead, 500)))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n" + a.next(s) + "\n")
	return b.String()
}

func bullets(b *strings.Builder, head string, list []string) {
	for i, l := range list {
		if i == 0 {
			b.WriteString("\n**" + head + "**\n\n")
		}
		if i == wrongMost {
			fmt.Fprintf(b, "- and %d more\n", len(list)-i)
			return
		}
		fmt.Fprintf(b, "- %s\n", inert(clip(l, 300)))
	}
}

// blank is a number, and nothing for none.
func blank(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func (a *Aftermath) headline() string {
	healthy, all, left := 0, 0, 0
	for _, r := range a.Rings {
		healthy, all, left = healthy+r.Healthy, all+r.all(), left+r.all()-r.Healthy
	}
	switch {
	case a.Refused != "" && a.Begun:
		return fmt.Sprintf("**Stopped**, with %d of %s healthy: ", healthy, plural(all, "change")) + inert(clip(a.Refused, 500))
	case a.Refused != "":
		return "**Not carried out**: " + inert(clip(a.Refused, 500))
	case a.Over && left == 0:
		return fmt.Sprintf("**Done**: all of %s are healthy.", plural(all, "change"))
	case a.Over:
		return fmt.Sprintf("**Over**: %d of %s are healthy, and %d not. What is still needed of those the next plans take up, as far as policy lets them.", healthy, plural(all, "change"), left)
	case !a.Begun:
		return "**Merged**, and not begun."
	}
	return fmt.Sprintf("**Under way**: %d of %s are healthy.", healthy, plural(all, "change"))
}

func (a *Aftermath) next(s *sheet) string {
	switch {
	case a.Over:
		return "**Next** nothing: this plan is over."
	case a.Refused != "":
		return "**Next** it is looked at again with each run, until it may begin or expires on " + moment(inZone(a.Plan.Expires, s.At.Location())) + "."
	case a.Next.IsZero():
		return "**Next** what the fleet has in hand is asked for with each run."
	}
	return fmt.Sprintf("**Next** on %s%s: %s.", moment(inZone(a.Next, s.At.Location())), elsewhere(s.Plan), inert(clip(a.For, 300)))
}

// When is a moment by the clocks of a plan's estate, as its other texts tell it.
func When(p *plan.Plan, t time.Time) string {
	l := local(p)
	return moment(inZone(t, l.At.Location())) + elsewhere(l)
}
