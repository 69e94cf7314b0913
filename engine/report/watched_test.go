package report

import (
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// The plan promises of every host what is measured of every host, and no more.
func TestWatchedBy(t *testing.T) {
	of := func(signals ...string) plan.Ring { return plan.Ring{Watch: &plan.Watch{Signals: signals}} }
	for want, rings := range map[string][]plan.Ring{
		"Every host that a health block takes is watched by what its fleet or the block measures, against": {of("up"), {}},
		"Every host is watched (up, errors) against":                                                       {of("up", "error_ratio", "load_ratio"), of("up", "error_ratio", "latency_seconds")},
		"Every host is asked whether it is up, ":                                                           {of("up"), of("up", "error_ratio")},
		"There is nothing that is measured of every host. ":                                                {of("up"), of()},
		"Every host is watched (up, errors, latency, load) again":                                          {of("up", "error_ratio", "latency_seconds", "load_ratio")},
	} {
		if got := watchedBy(rings); !strings.HasPrefix(got, want) {
			t.Errorf("watchedBy() = %q, want %q …", got, want)
		}
	}
}
