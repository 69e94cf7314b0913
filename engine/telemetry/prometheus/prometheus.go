// Package prometheus measures hosts by a Prometheus server, or by what speaks its
// HTTP API: one range query for a host and a signal, in PromQL that the site wrote.
//
// An answer that is not whole is none. A warning of the server (a store that did
// not answer) and an error end the measurement, for a part of the truth would be
// taken for all of it; a query that comes to more than one series of a host, or to
// anything else than numbers, says nothing of that host. What the server does not
// have stays absent, and what is no number stays no number: health holds on both.
package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
)

// most is how many points a server gives of one series.
const most = 11_000

// parallel is how many queries are asked at a time.
const parallel = 8

// timeout ends one query.
const timeout = 30 * time.Second

// Options say where and what.
type Options struct {
	URL       string                          // of the server; what stands before /api/v1
	Signals   map[string]string               // signal, or telemetry.Traffic → PromQL, with {{host}} and {{address}}
	Step      time.Duration                   // between points; 0 means telemetry.Step
	Token     string                          // sent as a bearer token, "" none
	Address   func(h inventory.HostID) string // "" where facts say none
	Transport http.RoundTripper               // nil: http.DefaultTransport
}

// Open returns a source. It asks nothing of the server.
func Open(o Options) (telemetry.Source, error) {
	rt := o.Transport
	if rt == nil {
		rt = http.DefaultTransport
	}
	if o.Token != "" {
		at, err := url.Parse(o.URL)
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", o.URL, err)
		}
		rt = bearer{rt, o.Token, at}
	}
	client, err := api.NewClient(api.Config{Address: o.URL, RoundTripper: rt})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", o.URL, err)
	}
	return &source{o, v1.NewAPI(client)}, nil
}

// bearer adds a token to each request to the server at, and to none that an
// answer leads to elsewhere.
type bearer struct {
	http.RoundTripper
	token string
	at    *url.URL
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != b.at.Scheme || r.URL.Host != b.at.Host {
		return b.RoundTripper.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.RoundTripper.RoundTrip(r)
}

type source struct {
	Options
	api v1.API
}

func (s *source) Close() error { return nil }

// query is one signal of one host.
type query struct {
	host   inventory.HostID
	signal string
	text   string
	points []telemetry.Point
	odd    error // why the answer says nothing of the host
	err    error // why there is none, which is nobody's answer
}

// Measure asks for every signal of every host. The first error, in the order of
// hosts and signals, is the answer.
func (s *source) Measure(ctx context.Context, _ time.Time, hosts []inventory.HostID, from, to time.Time) (telemetry.Series, error) {
	queries, unasked := s.queries(hosts)
	s.ask(ctx, queries, from, to)
	for _, q := range queries {
		what := fmt.Sprintf("asking %s for %s of %s", s.URL, q.signal, q.host)
		switch {
		case q.err != nil:
			return nil, fmt.Errorf("%s: %w", what, q.err)
		case q.odd != nil && unasked[q.host] == nil:
			unasked[q.host] = fmt.Errorf("%s: %w", what, q.odd)
		}
	}
	series := telemetry.Series{}
	for _, q := range queries {
		if len(q.points) == 0 || unasked[q.host] != nil {
			continue
		}
		if series[q.host] == nil {
			series[q.host] = map[string][]telemetry.Point{}
		}
		series[q.host][q.signal] = q.points
	}
	return series, unasked.Err()
}

// queries are those for hosts that can be asked for.
func (s *source) queries(hosts []inventory.HostID) ([]*query, telemetry.Unasked) {
	var queries []*query
	unasked := telemetry.Unasked{}
	for _, h := range hosts {
		for _, signal := range append(slices.Clone(telemetry.Signals), telemetry.Traffic) {
			expr, ok := s.Signals[signal]
			if !ok {
				continue
			}
			text, err := telemetry.Fill(expr, h, s.Address(h))
			if err != nil {
				unasked[h] = err
				break
			}
			queries = append(queries, &query{host: h, signal: signal, text: text})
		}
	}
	return queries, unasked
}

// ask answers queries, some at a time; after an error no more are begun.
func (s *source) ask(ctx context.Context, queries []*query, from, to time.Time) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan *query)
	var done sync.WaitGroup
	for range min(parallel, len(queries)) {
		done.Go(func() {
			for q := range next {
				if q.err = context.Cause(ctx); q.err != nil {
					continue
				}
				if q.points, q.odd, q.err = s.one(ctx, q.text, from, to); q.err != nil {
					stop(q.err)
				}
			}
		})
	}
	for _, q := range queries {
		next <- q
	}
	close(next)
	done.Wait()
}

// one asks one query. An answer that says nothing of its host is odd.
func (s *source) one(ctx context.Context, text string, from, to time.Time) (points []telemetry.Point, odd, err error) {
	value, warnings, _, err := s.api.QueryRange(ctx, text, v1.Range{Start: from, End: to, Step: s.step(to.Sub(from))}, v1.WithTimeout(timeout))
	if err != nil {
		return nil, nil, fmt.Errorf("%w (query %s)", err, text)
	}
	if len(warnings) > 0 {
		return nil, nil, fmt.Errorf("the server warns that %s (query %s)", strings.Join(warnings, "; "), text)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, nil, fmt.Errorf("the server answers with a %s, and a range was asked for (query %s)", value.Type(), text)
	}
	points, odd = read(matrix, text, from, to)
	return points, odd, nil
}

// read takes the points of an answer.
func read(matrix model.Matrix, text string, from, to time.Time) ([]telemetry.Point, error) {
	switch {
	case len(matrix) == 0:
		return nil, nil
	case len(matrix) > 1:
		return nil, fmt.Errorf("the query comes to %d series, as %s and %s; expected one: name the host in it, and put sum(…) or max(…) around it (query %s)", len(matrix), matrix[0].Metric, matrix[1].Metric, text)
	case len(matrix[0].Histograms) > 0:
		return nil, fmt.Errorf("the query comes to histograms; expected numbers, as histogram_quantile(…) makes them (query %s)", text)
	}
	points := make([]telemetry.Point, 0, len(matrix[0].Values))
	for _, v := range matrix[0].Values {
		at := v.Timestamp.Time().UTC()
		if at.Before(from.Truncate(time.Millisecond)) || at.After(to) {
			return nil, fmt.Errorf("the server answers with a point at %s, outside of what was asked for (query %s)", at.Format(time.RFC3339), text)
		}
		points = append(points, telemetry.Point{At: at, V: float64(v.Value)})
	}
	slices.SortStableFunc(points, func(a, b telemetry.Point) int { return a.At.Compare(b.At) })
	return points, nil
}

// step is between the points of a range: longer than asked for where a server
// would not give as many.
func (s *source) step(span time.Duration) time.Duration {
	least := time.Duration(math.Ceil((span / most).Seconds())) * time.Second
	return max(cmp.Or(s.Step, telemetry.Step), least)
}
