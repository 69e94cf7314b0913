package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

func (a *app) importing() *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:   "import FORMAT FILE…",
		Short: "facts and history from what other tools wrote: " + strings.Join(engine.ImportFormats, ", "),
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(engine.ImportFormats, args[0]) {
				return usage("import %q; expected one of %s", args[0], strings.Join(engine.ImportFormats, ", "))
			}
			dir, err := a.folder()
			if err != nil {
				return err
			}
			at, err := a.now()
			if err != nil {
				return err
			}
			r, err := engine.Import(engine.ImportOptions{Dir: dir, Format: args[0], Files: args[1:], Stdin: a.in, Host: inventory.HostID(host), At: at})
			if err != nil {
				return err
			}
			return a.printImport(r)
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "the host that a file is about which does not name it")
	return cmd
}

func (a *app) printImport(r engine.ImportReport) error {
	if a.format == "json" {
		if err := a.json(r); err != nil {
			return err
		}
	} else {
		for _, p := range r.Problems {
			fmt.Fprintln(a.err, p)
		}
		fmt.Fprintf(a.out, "%s read: %d added, %d updated, %d as before\n", count(len(r.Files), "file"), r.Added, r.Updated, r.Same)
		for _, w := range r.Written {
			fmt.Fprintln(a.out, "wrote", w)
		}
		if len(r.Written) > 0 {
			fmt.Fprintln(a.out, "\nnext: commit inventory/, then ringmaster plan")
		}
	}
	if r.Lost() {
		return errFailed
	}
	return nil
}

// json writes a value as one indented JSON document.
func (a *app) json(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
