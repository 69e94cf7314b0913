package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/markup"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

func (a *app) policyExplain() *cobra.Command {
	var o engine.ExplainOptions
	c := &cobra.Command{
		Use: "explain PLAN PATCH [HOST]", Short: "why a plan does with a patch what it does, and the smallest change of facts that would alter it", Args: cobra.RangeArgs(2, 3),
		Long: "Decides again at the plan's own commit and time, and says which rules fired on which facts, why the change is in\n" +
			"its ring and wave or why it is not planned, and the smallest change of facts with which policy would decide\n" +
			"otherwise. Every such change was evaluated by the policies themselves, and so was each of its parts. PLAN is an\n" +
			"id on HEAD or on its branch; PATCH is an id of the plan, a package's name, or a pattern that fits one patch.",
		Example: "  ringmaster policy explain standard-main-1 deb:openssl@3.0.15-1~deb12u1 web-01\n  ringmaster policy explain standard-main-1 openssl --format markdown",
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Plan, o.Patch = args[0], args[1]; len(args) > 2 {
				o.Host = args[2]
			}
			if o.Budget < 0 {
				return usage("--budget %d; expected a number of combinations to try, such as %d", o.Budget, policy.DefaultFlips)
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				x, err := e.Explain(o)
				if err != nil {
					return err
				}
				if a.format == "json" {
					return a.json(x)
				}
				_, err = io.WriteString(a.out, explained(x, a.format == "markdown"))
				return err
			})
		},
	}
	c.Flags().IntVar(&o.Budget, "budget", 0, fmt.Sprintf("how many combinations of facts to try for each question (default %d)", policy.DefaultFlips))
	c.Flags().BoolVar(&o.Trace, "trace", false, "OPA's own trace of the rules that fired, or of all where none did")
	return c
}

// page is an explanation in the making: plain text, or the same as Markdown.
type page struct {
	strings.Builder
	markdown bool
	told     map[string]string // flips that were told → what about
}

// head begins a part. level counts from 1.
func (p *page) head(level int, format string, args ...any) {
	text := line(fmt.Sprintf(format, args...))
	if p.markdown {
		fmt.Fprintf(p, "\n%s %s\n\n", strings.Repeat("#", level+1), markup.Text(text))
		return
	}
	if level == 1 && p.Len() > 0 {
		p.WriteByte('\n')
	}
	fmt.Fprintf(p, "%s%s\n", strings.Repeat("  ", level-1), text)
}

// say writes one sentence below a part of that level.
func (p *page) say(level int, format string, args ...any) {
	text := line(fmt.Sprintf(format, args...))
	if p.markdown {
		fmt.Fprintf(p, "- %s\n", markup.Text(text))
		return
	}
	fmt.Fprintf(p, "%s%s\n", strings.Repeat("  ", level), text)
}

// explained is an explanation for people.
func explained(x *engine.Explanation, markdown bool) string {
	p := &page{markdown: markdown, told: map[string]string{}}
	p.head(1, "%s in plan %s, as decided at %s on commit %.10s (found on %s)", x.Patch.ID, x.Plan, moment(x.At), x.Commit, x.Found)
	for _, n := range x.Notes {
		p.say(1, "note: %s", n)
	}
	p.say(1, "class %s: the %s clock binds, from %s (%s) until %s", x.Patch.Class, x.Patch.Clock, moment(x.Patch.ClockStart), x.Patch.ClockFrom, moment(x.Patch.Deadline))
	for _, c := range x.Clocks {
		p.say(1, "clock %s", c)
	}
	p.feasible(x.Patch)
	p.say(1, "%s it", needing(x.Hosts))
	for i := range x.Cases {
		p.oneCase(&x.Cases[i])
	}
	if x.More > 0 {
		p.say(1, "%s more are decided in other ways; name one of them to see why", count(x.More, "host"))
	}
	if x.Whole != nil {
		p.head(1, "%s", x.Whole.About)
		p.question(x.Whole, true)
	}
	return p.String()
}

func needing(hosts int) string {
	if hosts == 1 {
		return "1 host needs"
	}
	return fmt.Sprintf("%d hosts need", hosts)
}

// feasible tells the scheduler's proof where the clock cannot be met.
func (p *page) feasible(x plan.Patch) {
	if x.Feasible {
		return
	}
	p.say(1, "the clock cannot be met as things are:")
	for _, c := range x.Conflict {
		p.say(2, "%s %s: %s", c.Kind, c.Name, c.Message)
	}
	for _, w := range x.WaysOut {
		met := "the clock would still be missed"
		if w.Feasible {
			met = "the clock would be met"
		}
		p.say(2, "way out, %s: %s (%s)", w.Kind, w.Message, met)
	}
}

func (p *page) oneCase(c *engine.Case) {
	if s := c.Skipped; s != nil {
		p.head(1, "not planned: %s", hostList(c.Hosts))
		p.say(1, "why not: %s", s.Why)
		p.say(1, "it opens: %s", opens(c))
		if s.Overdue {
			p.say(1, "its clock ran out at %s", moment(s.Deadline))
		}
	} else {
		p.head(1, "planned: %s in ring %s, wave %d, %s to %s", hostList(c.Hosts), c.Place.Ring, c.Place.Wave, moment(c.Place.Start), moment(c.Place.End))
		for _, b := range c.Place.Because {
			p.say(1, "%s", b)
		}
	}
	if len(c.Asked) == 0 {
		p.say(1, "policies were not asked about it")
	}
	for i := range c.Asked {
		q := &c.Asked[i]
		p.question(q, c.Skipped == nil || q.Search.Stopped)
	}
	if c.Skipped != nil && len(c.Asked) > 0 && !c.Asked[len(c.Asked)-1].Search.Stopped {
		p.say(1, "policy lets it through; the schedule has no place for it")
	}
}

// opens is when what is not planned may be, as far as anybody can say.
func opens(c *engine.Case) string {
	if !c.Skipped.Until.IsZero() {
		return moment(c.Skipped.Until)
	}
	for i := range c.Asked {
		for _, f := range c.Asked[i].Search.Flips {
			if c.Asked[i].Search.Stopped && len(f.Changes) == 1 && f.Changes[0].By == policy.ByTime {
				return fmt.Sprintf("%v, by what policy says, if nothing else changes", f.Changes[0].To)
			}
		}
	}
	return "nobody can say when; time alone does not do it"
}

// mostNamed is how many hosts are named.
const mostNamed = 5

func hostList(hosts []inventory.HostID) string {
	var names []string
	for _, h := range hosts[:min(len(hosts), mostNamed)] {
		names = append(names, string(h))
	}
	if n := len(hosts) - mostNamed; n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, ", ")
}

// question tells what was asked and what was said; flips says whether what would
// alter the answer is of interest.
func (p *page) question(q *engine.Asked, flips bool) {
	verdict := "let through"
	if q.Search.Stopped {
		verdict = "stopped"
	}
	p.head(2, "asked about %s: %s", q.About, verdict)
	quiet := 0
	for i := range q.Rules {
		t := &q.Rules[i]
		if !t.Fired() {
			quiet++
			continue
		}
		p.rule(t)
	}
	p.say(2, "%s had nothing to say", count(quiet, "rule"))
	if flips {
		p.flips(q)
	}
	if q.Trace != "" {
		p.trace(q.Trace)
	}
}

func (p *page) trace(text string) {
	if p.markdown {
		fmt.Fprintf(p, "\n```text\n%s```\n", strings.ReplaceAll(plain(text), "```", "'''"))
		return
	}
	for l := range strings.Lines(text) {
		fmt.Fprintln(p, "      "+line(l))
	}
}

// verbs are what effects do.
var verbs = map[plan.Effect]string{plan.Deny: "denies it", plan.Hold: "holds it", plan.Require: "asks for people", plan.Warn: "warns"}

func (p *page) rule(t *policy.Told) {
	for _, d := range t.Said {
		p.say(2, "%s %s: %s (%s, %s:%d)", d.Rule, verbs[d.Effect], d.Message, title(t), t.File, t.Line)
		if d.Remedy != "" {
			p.say(3, "remedy: %s", d.Remedy)
		}
	}
	var read []string
	for _, r := range t.Read {
		value := policy.Brief(r.Value, 80)
		if r.Absent {
			value = "absent"
		}
		read = append(read, r.Attribute+" = "+value)
	}
	if len(read) > 0 {
		p.say(3, "it read %s", strings.Join(read, ", "))
	}
}

func title(t *policy.Told) string {
	if t.Title == "" {
		return "no title"
	}
	return t.Title
}

// flips tells what would alter the decision, and how far it was looked for.
func (p *page) flips(q *engine.Asked) {
	s := &q.Search
	what := "what would stop it"
	if s.Stopped {
		what = "what would let it through"
	}
	tried := fmt.Sprintf("%d of at most %d combinations tried: all of up to %s among %s", s.Tried, s.Budget, count(s.Whole, "change"), count(s.Facts, "fact"))
	var lines []string
	for i := range s.Flips {
		lines = append(lines, flip(&s.Flips[i]))
	}
	if s.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d other ways of %s", s.More, count(len(s.Flips[0].Changes), "change")))
	}
	if s.Exception != nil {
		lines = append(lines, "or a merged exception: "+flip(s.Exception))
	}
	all := strings.Join(lines, "\n")
	switch {
	case len(s.Flips) == 0:
		p.say(2, "%s: nothing was found (%s)", what, tried)
	case p.told[all] != "":
		p.say(2, "%s: the same as for %s", what, p.told[all])
		return
	default:
		p.say(2, "%s (%s):", what, tried)
	}
	p.told[all] = q.About
	for _, l := range lines {
		p.say(3, "%s", l)
	}
}

// whose says who has a fact in hand.
var whose = map[policy.Hand]string{
	policy.ByReport: "in the host's next facts", policy.ByOverride: "by people, as an override or its end", policy.ByInventory: "by a pull request on inventory/",
	policy.ByRings: "by a pull request on rings/", policy.BySchedule: "in what the plan puts together", policy.ByFeed: "in what advisories say",
	policy.ByScore: "in what models say", policy.ByHistory: "as outcomes come in",
}

func flip(f *policy.Flip) string {
	var parts []string
	for _, c := range f.Changes {
		parts = append(parts, alteration(&c))
	}
	text := strings.Join(parts, ", and ")
	var then []string
	for _, d := range f.Decisions {
		if (d.Effect == plan.Deny || d.Effect == plan.Hold) && !slices.Contains(then, d.Rule) {
			then = append(then, d.Rule)
		}
	}
	if len(then) > 0 {
		text += "; then " + strings.Join(then, " and ") + " would stop it"
	}
	return text
}

// alteration is one change as a person would say it.
func alteration(c *policy.Alteration) string {
	to, from := policy.Brief(c.To, 160), policy.Brief(c.From, 160)
	switch {
	case c.By == policy.ByTime:
		return fmt.Sprintf("wait until %v", c.To)
	case c.By == policy.ByException:
		return "for " + policy.Brief(c.To, 300)
	case c.Attribute == "input.wave.start":
		return fmt.Sprintf("the wave began at %v instead of %v", c.To, c.From)
	case c.To == nil && strings.HasSuffix(c.Attribute, "]"):
		return fmt.Sprintf("%s (%s) were not there, %s", c.Attribute, from, whose[c.By])
	case c.To == nil:
		return fmt.Sprintf("nobody reported %s, which is %s, %s", c.Attribute, from, whose[c.By])
	case c.From == nil:
		return fmt.Sprintf("%s were %s, which is absent, %s", c.Attribute, to, whose[c.By])
	}
	return fmt.Sprintf("%s were %s instead of %s, %s", c.Attribute, to, from, whose[c.By])
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "no date"
	}
	return t.UTC().Format(time.RFC3339)
}
