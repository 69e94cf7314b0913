package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) check() *cobra.Command {
	return &cobra.Command{
		Use: "check [ID…]", Short: "in CI: does the plan, made again, come out the same byte for byte?",
		Annotations: map[string]string{"formats": "github sarif"},
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.env(cmd.Context())
			if err != nil {
				return err
			}
			defer e.Repo.Close()
			c, err := e.Check(cmd.Context(), args...)
			if err != nil {
				return err
			}
			if a.format == "text" && len(c.Faults) == 0 {
				if len(c.Plans) == 0 {
					fmt.Fprintln(a.out, "nothing to check: HEAD brings no plan, and no pull request is open")
				} else {
					fmt.Fprintf(a.out, "holds: %s\n", strings.Join(c.Plans, ", "))
				}
			}
			return a.printFaults(c.Faults, errFailed)
		},
	}
}
