package probe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// mostBody is how much of an answer is read: whether it ends is part of it.
const mostBody = 1 << 20

// HTTP looks by a GET of url, in which {{host}} and {{address}} stand for the
// host: up is a final status of 200 to 299, within timeout. Whatever goes wrong on
// the way to an answer is the host's, for its users would see the same.
func HTTP(url string, address func(inventory.HostID) string, timeout time.Duration, transport http.RoundTripper) Look {
	client := &http.Client{Timeout: timeout, Transport: transport}
	return func(ctx context.Context, h inventory.HostID) (up, known bool, err error) {
		text, err := telemetry.FillURL(url, h, address(h))
		if err != nil {
			return false, false, err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, text, nil)
		if err != nil {
			return false, false, fmt.Errorf("probing %s: %w", h, err)
		}
		r.Header.Set("User-Agent", "ringmaster")
		answer, err := client.Do(r)
		if ctx.Err() != nil {
			return false, false, context.Cause(ctx)
		}
		if err != nil {
			return false, true, err
		}
		defer answer.Body.Close()
		if _, err := io.CopyN(io.Discard, answer.Body, mostBody); err != nil && err != io.EOF {
			return false, true, fmt.Errorf("reading %s: %w", text, err)
		}
		if answer.StatusCode < 200 || answer.StatusCode > 299 {
			return false, true, fmt.Errorf("%s answers with %d %s", text, answer.StatusCode, http.StatusText(answer.StatusCode))
		}
		return true, true, nil
	}
}
