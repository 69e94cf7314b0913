package main

import (
	"fmt"

	"github.com/spf13/cobra"

	starter "github.com/ringmaster-dev/ringmaster"
	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) init() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "writes a starter estate; makes it a Git repository where it is none", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			at, err := a.now()
			if err != nil {
				return err
			}
			dir := first(args)
			if dir == "" {
				dir = a.dir
			}
			if dir == "" {
				dir = "."
			}
			names, err := engine.Init(dir, starter.Files, at)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "wrote %s into %s\n\nnext:\n", count(len(names), "file"), dir)
			if dir != "." {
				fmt.Fprintln(a.out, "  cd "+dir)
			}
			for _, n := range engine.InitNext(names) {
				fmt.Fprintln(a.out, "  "+n)
			}
			return nil
		},
	}
}
