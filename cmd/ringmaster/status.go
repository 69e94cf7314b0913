package main

import (
	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/report"
)

func (a *app) status() *cobra.Command {
	pin, often := false, ""
	cmd := &cobra.Command{
		Use: "status", Short: "where the estate stands: what waits for people, runs, is held, or should have happened and did not", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			every, err := hclfile.ParseDuration(often)
			if err != nil || every <= 0 {
				return usage("--every %q is not a duration, as 6h", often)
			}
			return a.withEnv(cmd, func(e *engine.Env) error {
				b, err := e.Status(cmd.Context())
				if err != nil {
					return err
				}
				if err := a.printBoard(b); err != nil {
					return err
				}
				if pin {
					if err := e.Pin(cmd.Context(), b, every); err != nil {
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
	cmd.Flags().StringVar(&often, "every", "6h", "with --pin: how often that happens; a page twice as old says that nobody writes it any more")
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
