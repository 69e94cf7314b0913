package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) policyBundle() *cobra.Command {
	return &cobra.Command{
		Use: "bundle NAME [FROM]", Short: "brings an organisation's policies, a pinned OPA bundle, under the estate's own", Args: cobra.RangeArgs(1, 2),
		Long: `Fetches a bundle (a tar.gz) that a block in policies/*.hcl declares,

  bundle "acme" {
    from   = "https://policies.example.org/acme-4.tar.gz"
    digest = "sha256:…"
  }

holds it to that digest, compiles it with the estate's policies, and writes
policies/bundle/acme.tar.gz. Commit both: decisions replay from Git alone. from may
be a file, seen from the estate's folder. An address is fetched from only where you
name it here too, so that an estate under review contacts nobody.

The estate's policies may add to a bundle; they neither alter nor feed it. With
policies/bundle/acme.pem, a public key, the bundle must be signed by it.`,
		Example: "  ringmaster policy bundle acme https://policies.example.org/acme-4.tar.gz\n  ringmaster policy bundle acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.folder()
			if err != nil {
				return err
			}
			o := engine.BundleOptions{Dir: dir, Name: args[0]}
			if len(args) > 1 {
				o.From = args[1]
			}
			b, err := engine.FetchBundle(cmd.Context(), o)
			if err != nil {
				return err
			}
			if a.format == "json" {
				return a.json(b)
			}
			fmt.Fprintf(a.out, "%s is what bundle %q declares, %s\nnext: see what it would have decided with `ringmaster policy replay`, then commit policies/\n", b.File(), b.Name, b.Digest)
			return nil
		},
	}
}
