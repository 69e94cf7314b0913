package telemetry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// Hours are those of a week, from Monday 00:00 UTC.
const Hours = 168

// Workload puts a host under load as its service is in a week: the hours of week,
// each a share (0 to 1) of the busiest one, follow one another in a short time. An
// error says that nothing is known of the host, not that it did badly.
type Workload func(ctx context.Context, h inventory.HostID, week [Hours]float64) (Load, error)

// Most of a workload, whatever the estate asks for: of requests a second to one host,
// of requests at a time, and of time for all of them and for one.
const (
	MostRate        = 1000
	MostConnections = 100
	MostDuration    = 10 * time.Minute
	MostTimeout     = 30 * time.Second
)

// Load is what a workload met on one host.
type Load struct {
	Requests int    // that were made
	Errors   int    // of them, those without an answer, or with a wrong one
	Took     Spread // how long the others took
}

// Spread counts durations by the least of edges that they do not exceed; those beyond
// the last edge stand with it.
type Spread [len(edges)]int

// edges are in seconds, 0.0001 to 100: the series E12 of IEC 60063, of which each
// number is about a fifth more than the one before.
var edges = [...]string{
	"0.0001", "0.00012", "0.00015", "0.00018", "0.00022", "0.00027", "0.00033", "0.00039", "0.00047", "0.00056", "0.00068", "0.00082",
	"0.001", "0.0012", "0.0015", "0.0018", "0.0022", "0.0027", "0.0033", "0.0039", "0.0047", "0.0056", "0.0068", "0.0082",
	"0.01", "0.012", "0.015", "0.018", "0.022", "0.027", "0.033", "0.039", "0.047", "0.056", "0.068", "0.082",
	"0.1", "0.12", "0.15", "0.18", "0.22", "0.27", "0.33", "0.39", "0.47", "0.56", "0.68", "0.82",
	"1", "1.2", "1.5", "1.8", "2.2", "2.7", "3.3", "3.9", "4.7", "5.6", "6.8", "8.2",
	"10", "12", "15", "18", "22", "27", "33", "39", "47", "56", "68", "82", "100",
}

var edgeSeconds = func() (list [len(edges)]float64) {
	for i, text := range edges {
		list[i], _ = strconv.ParseFloat(text, 64)
	}
	return list
}()

// Add counts a request: whether it was answered rightly, and in how many seconds.
func (l *Load) Add(ok bool, seconds float64) {
	l.Requests++
	if !ok {
		l.Errors++
		return
	}
	i := 0
	for i < len(edges)-1 && !(seconds <= edgeSeconds[i]) {
		i++
	}
	l.Took[i]++
}

// ErrorRatio is the share of requests that went wrong, false of no requests.
func (l Load) ErrorRatio() (float64, bool) {
	if l.Requests == 0 {
		return 0, false
	}
	return float64(l.Errors) / float64(l.Requests), true
}

// Median is how many seconds half of those that were answered took at most, to within
// an edge, between which they are taken to lie evenly; false where none was.
func (l Load) Median() (float64, bool) {
	half := float64(l.Requests-l.Errors) / 2
	if half == 0 {
		return 0, false
	}
	below, from := 0.0, 0.0
	for i, n := range l.Took {
		if up := below + float64(n); up >= half {
			return from + float64((edgeSeconds[i]-from)*((half-below)/float64(n))), true
		}
		below, from = below+float64(n), edgeSeconds[i]
	}
	return 0, false
}

// What the ledger calls a load's numbers. Of the last there are as many as edges
// within which a request was answered; the number is how many were answered within
// that one and not within the one before.
const (
	keyRequests = "workload_requests"
	keyErrors   = "workload_errors"
	keyWithin   = "workload_within_" // and an edge, in seconds
)

// Signals are a load's numbers as the ledger keeps them, beside those of health.
func (l Load) Signals() map[string]float64 {
	m := map[string]float64{keyRequests: float64(l.Requests), keyErrors: float64(l.Errors)}
	for i, n := range l.Took {
		if n > 0 {
			m[keyWithin+edges[i]] = float64(n)
		}
	}
	return m
}

// LoadOf is the load whose numbers stand among those of the ledger. The error says
// why there is none: numbers that are missing, that are none, or that do not add up.
func LoadOf(signals map[string]float64) (Load, error) {
	if _, ok := signals[keyRequests]; !ok {
		return Load{}, errors.New("nothing was measured")
	}
	var l Load
	var bad error
	count := func(key string) int {
		v, ok := signals[key]
		if !ok && strings.HasPrefix(key, keyWithin) {
			return 0
		}
		if !ok {
			bad = fmt.Errorf("%s is not there", key)
		} else if v != math.Trunc(v) || v < 0 || v > MostRate*MostDuration.Seconds() {
			bad = fmt.Errorf("%s is %v, which is no count of requests", key, v)
		}
		return int(v)
	}
	l.Requests, l.Errors = count(keyRequests), count(keyErrors)
	all := l.Errors
	for i := range edges {
		l.Took[i] = count(keyWithin + edges[i])
		all += l.Took[i]
	}
	if bad == nil && all != l.Requests {
		bad = fmt.Errorf("%d of %d requests are accounted for", all, l.Requests)
	}
	if bad != nil {
		return Load{}, bad
	}
	return l, nil
}
