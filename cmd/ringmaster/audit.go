package main

import (
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) audit() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "recomputes every decision in history from its commit; evidence for auditors"}
	cmd.AddCommand(a.auditVerify())
	return cmd
}

func (a *app) auditVerify() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use: "verify", Short: "every plan byte for byte, every chain, every commit's right to be there", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since != "" && !fullHash.MatchString(since) {
				return &usageError{fmt.Errorf("--since: %q is not a commit; expected the 40 digits that an earlier audit named", since)}
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				r, err := e.AuditVerify(cmd.Context(), since)
				if err != nil {
					return err
				}
				if a.format == "text" {
					a.printAudit(r)
				}
				return a.printFaults(r.Findings, errFailed)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "a commit that an earlier audit saw, which must be there still")
	return cmd
}

var fullHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (a *app) printAudit(r *engine.Audit) {
	fmt.Fprintf(a.out, "%s looked at; %s recomputed, the same byte for byte; %s of outcomes chained\n",
		count(r.Commits, "commit"), count(r.Plans, "plan"), count(r.Lines, "line"))
	for _, g := range r.Gone {
		fmt.Fprintln(a.out, line(g))
	}
	for _, o := range r.Others {
		fmt.Fprintln(a.out, "not recomputed:", o)
	}
	fmt.Fprintf(a.out, "%s is at commit %s; hand it to the next audit as --since\n", r.Branch, r.Tip)
}
