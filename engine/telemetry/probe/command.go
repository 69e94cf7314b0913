package probe

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// Command looks by a program, once for each look, in whose arguments {{host}} and
// {{address}} stand for the host; run starts it and waits. Its exit status is read
// as that of a monitoring plugin (Monitoring Plugins Development Guidelines,
// "Plugin Return Codes"): 0 is up; 1 and 2, a warning and worse, are not; anything
// else says nothing of the host. One that does not end within timeout says that
// the host is not up.
func Command(argv []string, run func(ctx context.Context, argv []string) error, address func(inventory.HostID) string, timeout time.Duration) Look {
	return func(ctx context.Context, h inventory.HostID) (up, known bool, err error) {
		args := make([]string, len(argv))
		for i, a := range argv {
			if args[i], err = telemetry.Fill(a, h, address(h)); err != nil {
				return false, false, err
			}
		}
		limited, stop := context.WithTimeout(ctx, timeout)
		defer stop()
		err = run(limited, args)
		var exit *exec.ExitError
		switch {
		case err == nil:
			return true, true, nil
		case ctx.Err() != nil:
			return false, false, context.Cause(ctx)
		case limited.Err() != nil:
			return false, true, fmt.Errorf("%q did not end within %s", argv[0], timeout)
		case errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 2):
			return false, true, fmt.Errorf("%q ended with %w", argv[0], err)
		case errors.As(err, &exit):
			return false, false, nil
		}
		return false, false, fmt.Errorf("probing %s with %q: %w", h, argv[0], err)
	}
}
