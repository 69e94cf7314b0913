package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
)

func (a *app) policyBundle() *cobra.Command {
	var digest string
	c := &cobra.Command{
		Use: "bundle NAME FROM", Short: "brings an organisation's policies, as a pinned OPA bundle, under the estate's own", Args: cobra.ExactArgs(2),
		Long: "Fetches a bundle (a tar.gz) from a file or an http(s) address, holds it to its digest, compiles it with the\n" +
			"estate's policies, and writes policies/bundle/NAME.tar.gz and NAME.pin.json. Commit them: decisions replay from\n" +
			"Git alone. The estate's policies may add to a bundle and not alter it. With policies/bundle/NAME.pem, a public\n" +
			"key, the bundle must be signed by it.",
		Example: "  ringmaster policy bundle acme https://policies.example.org/acme.tar.gz --digest sha256:…\n  ringmaster policy bundle acme ../acme.tar.gz",
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.folder()
			if err != nil {
				return err
			}
			pin, err := engine.FetchBundle(cmd.Context(), engine.BundleOptions{Dir: dir, Name: args[0], From: args[1], Digest: digest})
			if err != nil {
				return err
			}
			if a.format == "json" {
				return a.json(pin)
			}
			fmt.Fprintf(a.out, "policies/bundle/%s.tar.gz has digest %s\nnext: look at what it decides with `ringmaster policy replay`, then commit policies/bundle\n", args[0], pin.Digest)
			return nil
		},
	}
	c.Flags().StringVar(&digest, "digest", "", "what the bundle must be, as `sha256:…`; an address needs it")
	return c
}
