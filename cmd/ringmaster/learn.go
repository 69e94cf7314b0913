package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/risk"
)

func (a *app) learn() *cobra.Command {
	return &cobra.Command{
		Use: "learn", Short: "outcomes in, models and their review out, as a pull request", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				l, err := e.Learn(cmd.Context())
				var few *risk.TooFew
				if errors.As(err, &few) {
					return a.nothingLearnt(few)
				}
				if err != nil {
					return err
				}
				if a.format == "json" {
					return json.NewEncoder(a.out).Encode(map[string]any{
						"changed": l.Changed, "record": json.RawMessage(l.Record.Bytes()), "deployment": json.RawMessage(l.Deployment.Bytes()),
					})
				}
				fmt.Fprint(a.out, l.Review)
				if !l.Changed {
					fmt.Fprintln(a.out, "\nthe protected branch has these models already")
					return nil
				}
				fmt.Fprintf(a.out, "\nproposed as %s; next: ringmaster pr show %s\n", l.Pull.Branch, strings.TrimPrefix(l.Pull.Branch, "ringmaster/"))
				return nil
			})
		},
	}
}

// nothingLearnt is how a young estate's run ends: learning is held until there
// is enough to learn from, which the starter's workflow takes as no failure.
func (a *app) nothingLearnt(few *risk.TooFew) error {
	if a.format == "json" {
		if err := json.NewEncoder(a.out).Encode(map[string]any{"changed": false, "record": nil, "deployment": nil, "known": few.Known, "needed": few.Needed}); err != nil {
			return err
		}
		return errHeld
	}
	fmt.Fprintf(a.out, "nothing to learn from yet: %s known, and a model takes %d\n", count(few.Known, "finished change"), few.Needed)
	return errHeld
}
