package main

import (
	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

func (a *app) status() *cobra.Command {
	pin := false
	cmd := &cobra.Command{
		Use: "status", Short: "where the estate stands: what waits for people, runs, is held, or should have happened and did not", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withEnv(cmd, func(e *engine.Env) error {
				b, err := e.Status(cmd.Context())
				if err != nil {
					return err
				}
				if err := a.printBoard(b); err != nil {
					return err
				}
				if pin {
					if err := e.Pin(cmd.Context(), b); err != nil {
						return err
					}
				}
				if len(b.Alerts) > 0 {
					return errHeld
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&pin, "pin", false, "keep it as an issue on the forge, which is edited in place")
	return cmd
}

func (a *app) printBoard(b *report.Board) error {
	switch a.format {
	case "json":
		return a.json(b)
	case "markdown":
		_, err := a.out.Write(b.Markdown())
		return err
	}
	return b.Text(a.out, report.TextOptions{Color: a.color(a.out), Width: a.width(a.out)})
}
