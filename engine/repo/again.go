package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// How often a remote that does not answer is asked, and how long is waited before it
// is asked the second time: four times as long before each further one.
const (
	readTries  = 4
	firstPause = time.Second
)

// ErrDown is returned (wrapped) where a remote was out of reach, or in trouble of its
// own, as often as it was asked.
var ErrDown = errors.New("it does not answer")

// again asks a remote until it answers, for 21 seconds of pauses at most. What asks
// changes nothing there.
func (m Remote) again(ctx context.Context, ask func() error) error {
	pause := firstPause
	for n := 1; ; n++ {
		err := ask()
		if err == nil || !unanswered(err) || ctx.Err() != nil {
			return err
		}
		if n == readTries || m.Wait == nil || !m.Wait(ctx, pause) {
			return fmt.Errorf("%w: %w", ErrDown, err)
		}
		pause *= 4
	}
}

// unanswered says whether a remote was out of reach, or in trouble of its own.
func unanswered(err error) bool {
	var status *githttp.Err
	if odd := (*plumbing.UnexpectedError)(nil); errors.As(err, &odd) {
		err = odd.Err
	}
	if errors.As(err, &status) {
		return status.StatusCode() >= http.StatusInternalServerError || status.StatusCode() == http.StatusTooManyRequests
	}
	var broken net.Error
	return errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// askRefs returns what the references of a remote name now.
func (m Remote) askRefs(ctx context.Context, f far) (known map[string]Hash, err error) {
	err = m.again(ctx, func() error {
		known, err = f.refs(ctx)
		return err
	})
	return known, err
}
