package exec

import (
	"context"
	"errors"
	"io"
	osexec "os/exec"
	"time"
)

// Run starts a command of the estate's with these arguments, as a plugin is
// started (its folder, its environment, no shell), and waits for it. It reads in and
// writes to out, either of which may be nil: nothing. When ctx ends it is killed with
// all that it started. An *osexec.ExitError says how it ended by itself; any other
// error is about starting it, or out's.
func Run(ctx context.Context, o Options, in io.Reader, out io.Writer) error {
	name, err := program(o)
	if err != nil {
		return err
	}
	env, err := Environment(o.Env, o.LookupEnv)
	if err != nil {
		return err
	}
	c := osexec.CommandContext(ctx, name, o.Command[1:]...)
	c.Dir, c.Env, c.WaitDelay = o.Dir, env, time.Second
	c.Stdin, c.Stdout = in, out
	separate(c)
	c.Cancel = func() error { slay(c); return nil }
	err = c.Run()
	if errors.Is(err, osexec.ErrWaitDelay) {
		return nil // it ended well, and left a child behind that holds its output
	}
	return err
}
