package review

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/markup"
)

// Markdown is the report as people read it: what matters first, then the tables.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Review of %s to %s (UTC)\n\n", r.From.Format("2 January 2006"), r.To.Add(-time.Second).Format("2 January 2006"))
	b.WriteString(r.summary() + "\n")
	r.predictions(&b)
	r.clocks(&b)
	r.trouble(&b)
	r.people(&b)
	r.savings(&b)
	r.watched(&b)
	return b.String()
}

func (r *Report) summary() string {
	if r.Changes == 0 {
		return "No change ended in this span.\n"
	}
	s := fmt.Sprintf("%d changes ended and %d went wrong, where predictions add up to %.2g.", r.Changes, r.Failed, r.Predictions.Expected)
	if r.Changes == 1 {
		s = fmt.Sprintf("1 change ended and %d went wrong, where %.2g was predicted.", r.Failed, r.Predictions.Expected)
	}
	missed := 0
	for _, c := range r.Clocks {
		missed += c.Missed
	}
	if missed > 0 {
		s += fmt.Sprintf(" %d missed their clock.", missed)
	}
	return s + "\n"
}

func (r *Report) predictions(b *strings.Builder) {
	p := &r.Predictions
	b.WriteString("## Predictions against what happened\n\n")
	if p.N == 0 {
		b.WriteString("Nothing to score.\n\n")
		return
	}
	b.WriteString("| | flagged | right | false alarms | missed | precision | recall |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, row := range []struct {
		name string
		c    Caught
	}{{"riskiest tenth", p.Tenth}, {fmt.Sprintf("predicted at %s or above", percent(p.Threshold)), p.Warnings}} {
		c := row.c
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %s | %s |\n", row.name, c.Flagged, c.Hits, c.FalseAlarms, c.Misses, share100(c.Precision), share100(c.Recall))
	}
	fmt.Fprintf(b, "\nLog loss %s, Brier %s, AUC %s, average precision %s (a ranking without skill has %s).\n\n",
		number4(p.LogLoss), number4(p.Brier), number4(p.AUC), number4(p.AP), percent(float64(p.Bad)/float64(p.N)))
	b.WriteString("| changes | predicted | happened | 90 % interval | |\n|---:|---:|---:|---|---|\n")
	for _, x := range p.Calibration {
		fmt.Fprintf(b, "| %.0f | %s | %s | %s–%s | %s |\n", x.N, percent(x.Predicted), percent(x.Observed), percent(x.Low), percent(x.High), verdict(x))
	}
	b.WriteString("\n")
}

// verdict says whether a prediction lies outside what was seen.
func verdict(x Bin) string {
	switch {
	case x.Predicted < x.Low:
		return "too low"
	case x.Predicted > x.High:
		return "too high"
	}
	return ""
}

func (r *Report) clocks(b *strings.Builder) {
	b.WriteString("## Time to deploy\n\n")
	if len(r.Clocks) == 0 {
		b.WriteString("No clock ran.\n\n")
		return
	}
	b.WriteString("| class | met | missed | of them open | median | nine in ten within | baseline | exposure |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, c := range r.Clocks {
		fmt.Fprintf(b, "| %s | %d | %d | %d | %s | %s | %s | %.1f host-days |\n", c.Class, c.Met, c.Missed, c.Open, hours(c.Hours), hours(c.Hours90), hours(c.Baseline), c.ExposureDays)
	}
	if r.Reach.Due > 0 {
		fmt.Fprintf(b, "\n%d of %d changes (%s) were healthy within 21 days of their clock's start; the goal is 95 %%.\n", r.Reach.Done, r.Reach.Due, share100(r.Reach.Share))
	}
	b.WriteString("\n")
}

func (r *Report) trouble(b *strings.Builder) {
	t := &r.Trouble
	b.WriteString("## Trouble\n\n")
	fmt.Fprintf(b, "%d rolled back, %d failed to install; %d incidents on record were caused by a patch, %d by something else.\n", t.RolledBack, t.NeverApplied, t.ByPatch, t.Other)
	if t.Minutes != nil {
		fmt.Fprintf(b, "From being applied to being rolled back: %.0f minutes (median).", *t.Minutes)
		if t.Cost != nil {
			fmt.Fprintf(b, " At the tiers' downtime cost that is at most %.0f.", *t.Cost)
		}
		if t.Unpriced > 0 {
			fmt.Fprintf(b, " %d were on hosts without a declared cost.", t.Unpriced)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func (r *Report) people(b *strings.Builder) {
	if len(r.People) == 0 {
		return
	}
	nearer := map[string]int{}
	for _, v := range r.People {
		nearer[v.Nearer]++
	}
	fmt.Fprintf(b, "## Where people disagreed with a score\n\nPeople were nearer to what happened %d times, the score %d times.\n\n", nearer["person"], nearer["model"])
	b.WriteString("| who | patch | said | the score said | since then | nearer | reason |\n|---|---|---|---:|---|---|---|\n")
	for _, v := range r.People {
		reason := v.Reason
		if v.Type != "" {
			reason = v.Type + ": " + reason
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %d of %d went wrong | %s | %s |\n", markup.Cell(v.By), markup.Code(v.Patch), markup.Cell(v.Said), percent(v.Model), v.Bad, v.N, v.Nearer, markup.Cell(reason))
	}
	b.WriteString("\n")
}

func (r *Report) savings(b *strings.Builder) {
	s := &r.Saved
	b.WriteString("## Against the declared baseline\n\n")
	fmt.Fprintf(b, "%s.\n", upper(s.Note))
	if s.Failures != nil {
		fmt.Fprintf(b, "\n- Failures avoided: %.1f (%.1f to %.1f).\n", *s.Failures, *s.FailuresLow, *s.FailuresHigh)
	}
	if s.Cost != nil {
		fmt.Fprintf(b, "- Cost of outages avoided: %.0f.\n", *s.Cost)
	}
	if s.StaffHours != nil {
		fmt.Fprintf(b, "- By hand these changes would have taken %.0f staff hours; what people spend now is not measured.\n", *s.StaffHours)
	}
	b.WriteString("\n")
}

func (r *Report) watched(b *strings.Builder) {
	b.WriteString("## What watching found\n\n")
	if len(r.Watch) == 0 {
		b.WriteString("No alarm and no drift.\n")
		return
	}
	for _, o := range r.Watch {
		fmt.Fprintf(b, "- **%s**: %s\n", markup.Text(o.About), markup.Text(o.Says))
	}
}

func percent(p float64) string {
	switch {
	case p > 0 && p < 0.001:
		return "< 0.1 %"
	case p >= 0.1:
		return fmt.Sprintf("%.0f %%", 100*p)
	}
	return fmt.Sprintf("%.1f %%", 100*p)
}

func share100(p *float64) string {
	if p == nil {
		return "unknown"
	}
	return percent(*p)
}

func number4(x *float64) string {
	if x == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.4f", *x)
}

func hours(h *float64) string {
	switch {
	case h == nil:
		return "unknown"
	case math.Abs(*h) >= 72:
		return fmt.Sprintf("%.1f d", *h/24)
	}
	return fmt.Sprintf("%.1f h", *h)
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
