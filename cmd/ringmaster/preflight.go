package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) preflight() *cobra.Command {
	return &cobra.Command{
		Use: "preflight", Short: "what the forge's credentials lack, before a run needs it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				lacking, err := e.Forge.Preflight(cmd.Context())
				if err != nil {
					return err
				}
				if half := a.halfForge(); half != "" {
					lacking = append(lacking, half)
				}
				if a.format == "json" {
					if err := a.json(map[string]any{"forge": e.Forge.Name(), "lacking": append([]string{}, lacking...)}); err != nil {
						return err
					}
				} else {
					for _, l := range lacking {
						fmt.Fprintln(a.out, "lacking:", l)
					}
					if len(lacking) == 0 {
						fmt.Fprintf(a.out, "the %s forge grants what ringmaster needs\n", e.Forge.Name())
					}
				}
				if len(lacking) > 0 {
					return errFailed
				}
				return nil
			})
		},
	}
}
