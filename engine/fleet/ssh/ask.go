package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
)

// Bounds of what is read of a host.
const (
	maxAnswer = 4 << 20
	maxNoise  = 4 << 10
)

// ask runs a verb of the host's program and reads its answer. An error that is a
// *fleet.Error says that the host answered; any other, that the connection ended
// before it did, and whatever was begun may go on.
func (c *conn) ask(ctx context.Context, words []string) (host.Answer, error) {
	session, err := c.client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", words[0], err)
	}
	defer session.Close()
	out, noise := &bounded{most: maxAnswer}, &bounded{most: maxNoise}
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(host.Program), out, noise
	command := "sh -s -- " + host.Quote(words)
	if c.become {
		command = "sudo -n -- " + command
	}
	err = session.Run(command)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("asking for %s: %w", words[0], context.Cause(ctx))
	}
	exit := (*ssh.ExitError)(nil)
	if err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("asking for %s: %w", words[0], err)
	}
	a, whole := host.Parse(out.String())
	if !whole {
		return nil, host.Cut(words[0], noise.String())
	}
	return a, nil
}

// bounded keeps the beginning of what is written.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.Len(); len(p) > room {
		b.Buffer.Write(p[:max(0, room)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

var _ io.Writer = (*bounded)(nil)
