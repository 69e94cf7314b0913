package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) validate() *cobra.Command {
	return &cobra.Command{
		Use: "validate", Short: "every fault of inventory, rings, policies and models at once", Args: cobra.NoArgs,
		Annotations: map[string]string{"formats": "github sarif"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.folder()
			if err != nil {
				return err
			}
			v := engine.Validate(os.DirFS(dir))
			if len(v.Faults) == 0 && a.format == "text" {
				fmt.Fprintln(a.out, "valid")
			}
			a.warnOf(v.Warnings)
			return a.printFaults(v.Faults, &usageError{fmt.Errorf("the estate is invalid: %s", count(len(v.Faults), "fault"))})
		},
	}
}
