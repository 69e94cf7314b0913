package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/hclfile"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
)

// policySchema prints what policies may read, for editors and for plain OPA. It
// is JSON whatever the format.
func (a *app) policySchema() *cobra.Command {
	var point string
	var data bool
	cmd := &cobra.Command{
		Use: "schema", Short: "prints the JSON Schema of what policies read: input, or this estate's data", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case data && point != "":
				return usage("--data and --point do not go together: data is the same at every point")
			case data:
				return a.dataSchema()
			case point == "":
				return a.json(policy.InputSchema())
			}
			var names []string
			for _, p := range policy.Points {
				if string(p) == point {
					return a.json(policy.PointSchema(p))
				}
				names = append(names, string(p))
			}
			return usage("--point %q is not a decision point; %s", point, hclfile.Expected(point, names))
		},
	}
	cmd.Flags().StringVar(&point, "point", "", "only the sections of one decision `point`: change | wave | plan | edit")
	cmd.Flags().BoolVar(&data, "data", false, "of data instead: the thresholds that this estate's policies declare")
	return cmd
}

func (a *app) dataSchema() error {
	dir, err := a.folder()
	if err != nil {
		return err
	}
	schema, faults, err := engine.PolicyData(os.DirFS(dir))
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return a.invalidPolicies(faults)
	}
	return a.json(schema)
}
