package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) review() *cobra.Command {
	var month string
	var warned float64
	c := &cobra.Command{
		Use: "review", Short: "what was predicted, what happened, what it cost: the monthly report", Args: cobra.NoArgs,
		Long: "Looks back at one month (UTC): predictions against outcomes, clocks met and missed, trouble and its cost,\n" +
			"where people disagreed with a score and who was nearer, and what was saved against the baseline that the\n" +
			"estate declares. Everything is computed from what lies in Git.",
		Example: "  ringmaster review --month 2026-02\n  ringmaster review --format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := engine.ReviewOptions{Warned: warned}
			if !(warned > 0 && warned <= 1) {
				return usage("--warned %v; expected a predicted risk above 0 and up to 1, such as 0.1", warned)
			}
			if month != "" {
				from, err := time.Parse("2006-01", month)
				if err != nil {
					return usage("--month %q is not a month such as 2026-02", month)
				}
				o.From, o.To = from, from.AddDate(0, 1, 0)
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				if o.From.After(e.At) {
					return usage("--month %s has not begun at %s", month, e.At.Format(time.RFC3339))
				}
				r, err := e.Review(cmd.Context(), o)
				if err != nil {
					return err
				}
				if a.format == "json" {
					return json.NewEncoder(a.out).Encode(r)
				}
				_, err = fmt.Fprint(a.out, r.Markdown())
				return err
			})
		},
	}
	c.Flags().StringVar(&month, "month", "", "the month, such as 2026-02 (default: the last whole one before --at)")
	c.Flags().Float64Var(&warned, "warned", 0.1, "predicted risk from which a change counts as warned of")
	return c
}
