package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) audit() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "recomputes every decision in history from its commit"}
	cmd.AddCommand(&cobra.Command{
		Use: "verify", Short: "every plan byte for byte, every chain, every commit's right to be there", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				r, err := e.AuditVerify(cmd.Context())
				if err != nil {
					return err
				}
				if a.format == "text" {
					fmt.Fprintf(a.out, "%s looked at; %s recomputed, the same byte for byte; %s of outcomes chained\n",
						count(r.Commits, "commit"), count(r.Plans, "plan"), count(r.Lines, "line"))
					for _, g := range r.Gone {
						fmt.Fprintln(a.out, line(g))
					}
					for _, o := range r.Others {
						fmt.Fprintln(a.out, "not recomputed:", o)
					}
				}
				return a.printFaults(r.Findings, errFailed)
			})
		},
	})
	return cmd
}
