package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) policy() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "for policy authors: test"}
	cmd.AddCommand(&cobra.Command{
		Use: "test", Short: "runs the tests beside the policies", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return fmt.Errorf("policy test is not here yet") },
	})
	return cmd
}
