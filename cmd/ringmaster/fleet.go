package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/fleettest"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/version"
)

func (a *app) fleet() *cobra.Command {
	cmd := &cobra.Command{Use: "fleet", Short: "for authors of fleet plugins: conform"}
	cmd.AddCommand(a.conform())
	return cmd
}

func (a *app) conform() *cobra.Command {
	var hosts, env []string
	var p fleet.Package
	var kind string
	cmd := &cobra.Command{
		Use:   "conform --hosts a,b --package NAME --from V --to V -- PLUGIN [ARG…]",
		Short: "tries every promise of the plugin protocol on hosts that may be changed",
		Long: `Starts the plugin as execute would, and tries every promise that ringmaster
relies on: one line each, "ok", "skip" with the reason, or "FAIL" with what was
seen. The package must be at --from on every host; it is left there again where
the plugin can roll back.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(hosts) < 2 || p.Name == "" || p.From == "" || p.To == "" {
				return usage("conform needs --hosts with at least two, --package, --from and --to")
			}
			dir, err := os.Getwd()
			if err != nil {
				return err
			}
			at, err := a.now()
			if err != nil {
				return err
			}
			p.Type = version.Type(kind)
			f := fleettest.Fixture{Package: p, Now: at, Run: a.runName(), Wait: waitOn}
			for _, h := range hosts {
				f.Hosts = append(f.Hosts, inventory.HostID(h))
			}
			f.Open = func() (fleet.Fleet, error) {
				return exec.Open(exec.Options{Command: args, Dir: dir, Env: env, Engine: engine.Version,
					Log: func(line string) { a.log.Info(line) }})
			}
			return fleettest.Conform(cmd.Context(), a.out, f)
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&hosts, "hosts", nil, "at least two hosts that may be changed")
	fl.StringSliceVar(&env, "env", nil, "variables the plugin inherits besides PATH, HOME, LANG")
	fl.StringVar(&p.Name, "package", "", "the package to move")
	fl.StringVar(&p.From, "from", "", "the version that it has")
	fl.StringVar(&p.To, "to", "", "the version to move it to")
	fl.StringVar(&kind, "type", "generic", "the package's type")
	return cmd
}

// waitOn lets a second pass while a job is under way.
func waitOn(ctx context.Context, now time.Time) (time.Time, error) {
	if !wait(ctx, time.Second) {
		return now, ctx.Err()
	}
	return now.Add(time.Second), nil
}
