package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

func (a *app) plan() *cobra.Command {
	var o engine.PlanOptions
	cmd := &cobra.Command{
		Use: "plan", Short: "decides what HEAD needs; writes each plan on its branch ringmaster/<id>", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.env(cmd.Context())
			if err != nil {
				return err
			}
			defer e.Repo.Close()
			if half := a.halfForge(); half != "" && o.Open {
				a.log.Warn("lacking: " + half)
			}
			r, err := e.Plan(cmd.Context(), o)
			if err != nil {
				return err
			}
			a.warnOf(r.Notices)
			if err := a.printPlans(r, o.Open); err != nil {
				return err
			}
			if r.Standing() {
				return errHeld
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&o.Open, "open", false, "open or update the pull requests")
	return cmd
}

func (a *app) printPlans(r *engine.PlanReport, opened bool) error {
	for i, p := range r.Plans {
		var err error
		switch a.format {
		case "json":
			_, err = a.out.Write(p.Bytes)
		case "markdown":
			_, err = a.out.Write(report.Markdown(p.Plan))
		default:
			if i > 0 {
				fmt.Fprintln(a.out)
			}
			err = report.Text(a.out, p.Plan, report.TextOptions{Color: a.color(a.out), Width: a.width(a.out)})
		}
		if err != nil {
			return err
		}
	}
	if a.format == "text" {
		a.planNotes(r, opened)
		return nil
	}
	for _, p := range r.Plans {
		if p.Action == engine.Declined {
			a.log.Warnf("plan %s is declined: %s", p.Plan.ID, p.Why)
		}
	}
	return nil
}

// planNotes says what was done about each plan, and what to do next.
func (a *app) planNotes(r *engine.PlanReport, opened bool) {
	if len(r.Plans) == 0 {
		fmt.Fprintln(a.out, nothingToPlan(r))
	} else {
		fmt.Fprintln(a.out)
	}
	if r.Hosts > 0 && r.Advisories > 0 {
		for _, l := range r.Blind.Says() {
			fmt.Fprintln(a.out, l)
		}
	}
	written := false
	for _, p := range r.Plans {
		fmt.Fprintf(a.out, "%-24s %s\n", p.Plan.ID, planNote(p))
		written = written || p.Action != engine.Nothing && p.Action != engine.Declined
	}
	for _, c := range r.Closed {
		fmt.Fprintf(a.out, "%-24s closed: %s\n", strings.TrimPrefix(c.Branch, "ringmaster/"), c.Why)
	}
	switch {
	case !written:
	case opened:
		fmt.Fprintln(a.out, "\nnext: ringmaster pr list")
	default:
		fmt.Fprintln(a.out, "\nnext: ringmaster plan --open   opens the pull requests")
	}
}

func planNote(p engine.Planned) string {
	note := planAction(p)
	for i, c := range p.Continues {
		switch {
		case p.Action == engine.Nothing:
		case i == 0:
			note += "; continues " + c.ID
		default:
			note += ", " + c.ID
		}
	}
	return note
}

func planAction(p engine.Planned) string {
	switch p.Action {
	case engine.Nothing:
		return "nothing of it can be planned now; the reasons stand above"
	case engine.Kept:
		return "says the same as before; left alone"
	case engine.Queued, engine.Declined:
		return string(p.Action) + ": " + line(p.Why)
	case engine.Written:
		return "written on branch ringmaster/" + p.Plan.ID
	}
	note := fmt.Sprintf("pull request %s", p.Action)
	if p.Pull != nil && p.Pull.URL != "" {
		note += ": " + p.Pull.URL
	}
	if p.Why != "" {
		note += "; " + line(p.Why)
	}
	return note
}

// nothingToPlan says so, and what that is worth: with nothing known it is no
// good news.
func nothingToPlan(r *engine.PlanReport) string {
	known := fmt.Sprintf("%s and %s are known", count(r.Hosts, "host"), plural(r.Advisories, "advisory", "advisories"))
	switch {
	case r.Hosts == 0:
		return "nothing to plan: " + known + "; bring hosts with `ringmaster import` or `ringmaster discover --write`, and commit them"
	case r.Advisories == 0:
		return "nothing to plan: " + known + "; bring advisories with `ringmaster feeds sync`, and commit them"
	}
	return "nothing to plan: " + known + ", and no host needs a change that one of them describes"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
