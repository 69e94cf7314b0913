package main

import (
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) audit() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "recomputes every decision in history from its commit; evidence for auditors"}
	cmd.AddCommand(a.auditVerify(), a.auditExport())
	return cmd
}

func (a *app) auditVerify() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use: "verify", Short: "every plan byte for byte, every chain, every commit's right to be there", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkSince(since); err != nil {
				return err
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
	sinceFlag(cmd, &since)
	return cmd
}

func (a *app) auditExport() *cobra.Command {
	var o engine.ExportOptions
	cmd := &cobra.Command{
		Use: "export DIR", Short: "evidence that a stranger checks with git and sha256sum alone", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkSince(o.Since); err != nil {
				return err
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				r, err := e.AuditExport(cmd.Context(), args[0], o)
				if err != nil {
					return err
				}
				if a.format == "text" {
					a.printAudit(r)
					fmt.Fprintf(a.out, "wrote %s; its README.md has the commands that check it\n", args[0])
				}
				return a.printFaults(r.Findings, errFailed)
			})
		},
	}
	sinceFlag(cmd, &o.Since)
	cmd.Flags().BoolVar(&o.Bundle, "bundle", false, "the whole history beside it, as a git bundle")
	return cmd
}

func sinceFlag(cmd *cobra.Command, since *string) {
	cmd.Flags().StringVar(since, "since", "", "a commit that an earlier audit saw, which must be there still")
}

func checkSince(since string) error {
	if since != "" && !fullHash.MatchString(since) {
		return &usageError{fmt.Errorf("--since: %q is not a commit; expected the 40 digits that an earlier audit named", since)}
	}
	return nil
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
