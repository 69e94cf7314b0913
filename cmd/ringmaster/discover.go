package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

func (a *app) discover() *cobra.Command {
	var host, root string
	var write bool
	cmd := &cobra.Command{
		Use: "discover", Short: "facts of this machine, as one line; --write puts them into the estate", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := a.now()
			if err != nil {
				return err
			}
			o := engine.DiscoverOptions{Host: inventory.HostID(host), Root: root, At: at}
			if write {
				if o.Dir, err = a.folder(); err != nil {
					return err
				}
			}
			line, r, err := engine.Discover(cmd.Context(), o)
			if err != nil {
				return err
			}
			if write {
				return a.printImport(r)
			}
			for _, p := range r.Problems {
				fmt.Fprintln(a.err, p)
			}
			_, err = a.out.Write(append(line, '\n'))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&host, "host", "", "what to call the host (default: as it calls itself)")
	f.StringVar(&root, "root", "", "a mounted file system to look at instead")
	f.BoolVar(&write, "write", false, "put the facts into inventory/facts of the estate")
	return cmd
}
