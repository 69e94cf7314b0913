package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) check() *cobra.Command {
	var verdict bool
	cmd := &cobra.Command{
		Use: "check [ID…]", Short: "in CI: does the plan, made again, come out the same byte for byte, and may the rest be merged?",
		Annotations: map[string]string{"formats": "github sarif"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				c, err := e.Check(cmd.Context(), args...)
				if err != nil {
					return err
				}
				if verdict {
					told, err := a.tellForge(cmd.Context(), e, c)
					if err != nil {
						return err
					}
					if told && a.format == "github" && len(c.Faults) > 0 { // there they are annotations, and more of them
						fmt.Fprintf(a.out, "%s; the check run says where\n", count(len(c.Faults), "fault"))
						return errFailed
					}
				}
				if a.format == "text" && len(c.Faults) == 0 {
					a.printHolds(c)
				}
				return a.printFaults(c.Faults, errFailed)
			})
		},
	}
	cmd.Flags().BoolVar(&verdict, "verdict", false, "also put the result, and whether everybody approved, on the commit as check runs, and into the workflow's summary")
	return cmd
}

// printHolds says what was looked at where there is no fault.
func (a *app) printHolds(c *engine.Checked) {
	switch {
	case len(c.Plans) > 0:
		fmt.Fprintf(a.out, "holds: %s\n", strings.Join(c.Plans, ", "))
	case c.Edits == 0:
		fmt.Fprintln(a.out, "nothing to check: HEAD brings no plan, and no pull request is open")
	}
	if c.Edits > 0 {
		fmt.Fprintf(a.out, "%s changed that may loosen; the protected branch's policies do not deny it\n", count(c.Edits, "file"))
	}
	for _, ask := range c.Asks {
		fmt.Fprintf(a.out, "  still needs %s\n", ask)
	}
}

// tellForge puts what was found where people review. A token that may not write,
// as a fork's, changes nothing of what is found: the exit code and the workflow's
// own annotations say it then.
func (a *app) tellForge(ctx context.Context, e *engine.Env, c *engine.Checked) (told bool, err error) {
	if err := e.Verdicts(ctx, c); err != nil {
		a.log.WithError(err).Warn("no check run says what was found; the exit code does")
	} else {
		told = e.Forge.Name() == "github"
	}
	name := a.getenv("GITHUB_STEP_SUMMARY")
	if name == "" {
		return told, nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return told, fmt.Errorf("writing the workflow's summary: %w", err)
	}
	_, err = f.WriteString(c.Summary() + "\n")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return told, err
}
