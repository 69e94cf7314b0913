package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// What a ring's soak sees is what all of its hosts' health blocks see.
func TestWatchOf(t *testing.T) {
	shop := ring.Health{Kind: "prometheus", Signals: map[string]string{"up": "u", "error_ratio": "e", "traffic": "t"}, Step: 15 * time.Second, MinRequests: 500}
	office := ring.Health{Kind: "prometheus", Signals: map[string]string{"up": "u", "load_ratio": "l"}}
	page, none := ring.Health{Kind: "http"}, ring.Health{}
	for _, tc := range []struct {
		name   string
		blocks []ring.Health
		soak   time.Duration
		want   plan.Watch
	}{
		{"one", []ring.Health{shop}, 30 * time.Minute, plan.Watch{Signals: []string{"up", "error_ratio"}, Step: "15s", Points: 120, Within: "27m", Rise: 0.02, MinRequests: 500}},
		{"by the minute", []ring.Health{office}, time.Hour, plan.Watch{Signals: []string{"up", "load_ratio"}, Step: "1m", Points: 60, Within: "50m"}},
		{"two", []ring.Health{shop, office}, time.Hour, plan.Watch{Signals: []string{"up"}, Step: "1m", Points: 60, Within: "50m"}},
		{"too short to be sure", []ring.Health{shop}, 2 * time.Minute, plan.Watch{Signals: []string{"up", "error_ratio"}, Step: "15s", Points: 8, Rise: 0.02, MinRequests: 500}},
		{"no soak", []ring.Health{shop}, 0, plan.Watch{Signals: []string{"up", "error_ratio"}, Step: "15s", Rise: 0.02, MinRequests: 500}},
		{"a page", []ring.Health{page}, time.Hour, plan.Watch{Signals: []string{"up"}}},
		{"a page and a Prometheus", []ring.Health{page, shop}, time.Hour, plan.Watch{Signals: []string{"up"}}},
		{"nothing for some", []ring.Health{shop, none}, time.Hour, plan.Watch{Signals: []string{}}},
	} {
		if diff := cmp.Diff(&tc.want, watchOf(tc.blocks, tc.soak)); diff != "" {
			t.Errorf("%s: watchOf() (-want +got):\n%s", tc.name, diff)
		}
	}
}
