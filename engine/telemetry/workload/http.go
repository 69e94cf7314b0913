package workload

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// HTTP is a workload of GETs. Right is an answer with a status of 200 to 299 within
// the timeout. A redirect is not followed, for it may lead to a host that is in no
// sandbox, and is not right; no proxy is between.
func HTTP(o Options) telemetry.Workload {
	return func(ctx context.Context, h inventory.HostID, week [telemetry.Hours]float64) (telemetry.Load, error) {
		base, err := telemetry.FillURL(o.URL, h, o.Address(h))
		if err != nil {
			return telemetry.Load{}, err
		}
		var targets []vegeta.Target
		for _, p := range o.Paths {
			targets = append(targets, vegeta.Target{Method: http.MethodGet, URL: base + p, Header: http.Header{"User-Agent": {"ringmaster"}}})
		}
		transport := &http.Transport{MaxConnsPerHost: o.Connections, MaxIdleConnsPerHost: o.Connections, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport, Timeout: o.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		n := uint64(o.Connections)
		attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.Workers(n), vegeta.MaxWorkers(n), vegeta.MaxBody(0))
		defer context.AfterFunc(ctx, func() { attacker.Stop() })()
		var load telemetry.Load
		wrong := causes{}
		for r := range attacker.Attack(vegeta.NewStaticTargeter(targets...), pace(o.due(week)), o.Duration, "") {
			ok := r.Error == "" && r.Code >= 200 && r.Code <= 299
			load.Add(ok, r.Latency.Seconds())
			if !ok {
				wrong[cause(r)]++
			}
		}
		if ctx.Err() != nil {
			return telemetry.Load{}, context.Cause(ctx)
		}
		wrong.tell(o, h)
		return load, nil
	}
}

// cause is why a request went wrong; what a server says beside its status is left out.
func cause(r *vegeta.Result) string {
	if r.Code != 0 {
		return fmt.Sprintf("it was answered with %d %s", r.Code, http.StatusText(int(r.Code)))
	}
	return r.Error
}

// pace is when requests are due.
type pace []time.Duration

// Pace says how long to wait for the next request.
func (p pace) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= uint64(len(p)) {
		return 0, true
	}
	return p[hits] - elapsed, false
}

// Rate is asked for by nothing that is used here.
func (p pace) Rate(time.Duration) float64 { return 0 }
