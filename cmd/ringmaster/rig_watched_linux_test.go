package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// watchedNights are judged by what Prometheus measured of real traffic, in real time.
var watchedNights = []night{
	{name: "1.4-1, declared soak", to: "1.4-1", soak: "90s", play: watched, want: counts{outcome.RolledBack: 1}, hosts: map[string]int{"1.0-1": 3},
		said: []string{"degraded    canary/1", "error ratio"}},
	{name: "1.4-1, short soak", to: "1.4-1", soak: "15s", play: missed, want: counts{outcome.Healthy: 3}, hosts: map[string]int{"1.4-1": 3},
		said: []string{"promoted    canary"}},
	{name: "1.1-1", to: "1.1-1", soak: "20s", play: watched, want: counts{outcome.Healthy: 3}, hosts: map[string]int{"1.1-1": 3},
		said: []string{"promoted    canary", "error ratio 0 → 0 (peers 0)"}},
	{name: "1.2-1", to: "1.2-1", soak: "20s", play: watched, want: counts{outcome.RolledBack: 1}, hosts: map[string]int{"1.0-1": 3},
		said: []string{"degraded    canary/1", "error ratio", "2 not begun"}},
}

// watched plays a night by the machine's clock, with traffic on every host: execute
// runs every few seconds, and whenever something is due.
func watched(t *testing.T, r *rig.Rig, fleet string, n night) *world {
	t.Helper()
	files := rigFiles(t, r, fleet, n.to)
	now := time.Now().UTC()
	for name, text := range files {
		text = strings.ReplaceAll(text, "2026-03-01T09:00:00Z", now.Add(-24*time.Hour).Format(time.RFC3339))
		files[name] = strings.ReplaceAll(text, "2026-03-02T07:00:00Z", now.Add(-time.Hour).Format(time.RFC3339))
	}
	files["inventory/estate.hcl"] = strings.ReplaceAll(files["inventory/estate.hcl"], `"given"`, `"wall"`)
	files["inventory/services.hcl"] = strings.ReplaceAll(files["inventory/services.hcl"], "tier ", "install = \"10s\"\n  tier ")
	files["rings/rings.hcl"] = strings.ReplaceAll(files["rings/rings.hcl"], `"30m"`, fmt.Sprintf("%q", n.soak))
	files["policies/soak/data.json"] = `{"minutes": 0, "critical_rank": 0, "critical_minutes": 0}` // so that seconds need nobody's approval
	files["rings/health.hcl"] = fmt.Sprintf(`
health "prometheus" {
  url             = %q
  up              = "up{host=\"{{host}}\"}"
  error_ratio     = "sum(rate(http_requests_total{host=\"{{host}}\",code=\"500\"}[5s])) / sum(rate(http_requests_total{host=\"{{host}}\"}[5s]))"
  latency_seconds = "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{host=\"{{host}}\"}[5s])))"
  step            = "1s"
  patience        = "30s"
}
`, r.Prometheus())
	r.Load(10)
	w := rigMergedAt(t, r, files, now)
	w.wall = true
	for _, h := range r.Names() { // enough to be compared with
		r.Until(fmt.Sprintf(`count_over_time((sum(rate(http_requests_total{host=%q}[5s])) > 0)[1m:1s]) >= bool 12`, h), time.Minute)
	}
	for began := time.Now(); time.Since(began) < 8*time.Minute; {
		next, ok := due(w.run(time.Now(), "execute"))
		if !ok {
			return w
		}
		time.Sleep(min(time.Until(next), 5*time.Second)) // a soak is time that passes
	}
	_, lines := w.ledger()
	for _, l := range lines {
		t.Log(l.At.Format("15:04:05"), lineText(l, false))
	}
	t.Fatal("the plan is not over after eight minutes")
	return nil
}

// missed is a night that ends well and leaves every host ill, which shows when it is
// over.
func missed(t *testing.T, r *rig.Rig, fleet string, n night) *world {
	t.Helper()
	w := watched(t, r, fleet, n)
	for _, h := range r.Names() {
		r.Until(fmt.Sprintf(`sum(rate(http_requests_total{host=%q,code="500"}[5s])) / sum(rate(http_requests_total{host=%[1]q}[5s])) > bool 0.2`, h), 2*time.Minute)
	}
	return w
}
