package main

import (
	"context"
	"fmt"
	"io"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry/workload"
)

// openWorkload returns what puts hosts in a sandbox under load.
func (a *app) openWorkload(l ring.Workload, w engine.World) (telemetry.Workload, error) {
	o := workload.Options{URL: l.URL, Paths: l.Paths, Command: l.Command, Rate: l.Rate, Duration: l.Duration, Timeout: l.Timeout, Connections: l.Connections,
		Address: addressOf(w),
		Wrong: func(h inventory.HostID, n int, why string) {
			a.log.WithField("host", h).WithField("errors", n).Warn("under load: " + why)
		}}
	switch l.Kind {
	case "http":
		return workload.HTTP(o), nil
	case "command":
		return workload.Command(o, func(ctx context.Context, argv []string, in io.Reader, out io.Writer) error {
			return exec.Run(ctx, exec.Options{Command: argv, Dir: w.Dir, Env: l.Env}, in, out)
		}), nil
	}
	return nil, fmt.Errorf("workload %q is none that this version knows", l.Kind)
}
