package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
	"github.com/ringmaster-dev/ringmaster/testdata/rig"
)

// On real hosts a workload shows what a bad version of a service does, in the sandbox
// and by nothing else: the hosts of production keep what they have. They get a good one
// when the sandbox has passed it.
func TestRealHostsSandbox(t *testing.T) {
	r := rig.Up(t)
	lab := r.Names()[0]
	others := map[string]string{
		// So little is tolerated that whatever it is, it is tried in a sandbox first.
		"inventory/estate.hcl": strings.ReplaceAll(chaosFiles()["inventory/estate.hcl"], "risk_tolerance = 0.9", "risk_tolerance = 0.00001"),
		"rings/rings.hcl": fmt.Sprintf(`
ring "lab" {
  order   = 1
  hosts   = [%q]
  soak    = "30m"
  sandbox = true
}

ring "broad" {
  order = 2
  soak  = "30m"
}

workload "http" {
  url      = "http://{{address}}:8080"
  rate     = 60
  duration = "5s"
}
`, lab)}
	for _, tc := range []struct {
		to      string
		verdict outcome.Event
		ends    string  // the version that all hosts have in the end
		wrong   int     // requests after the change, of 300, at least
		slower  float64 // seconds, at least
	}{
		{"1.1-1", outcome.Healthy, "1.1-1", 0, -0.03},
		{"1.2-1", outcome.Degraded, "1.0-1", 80, 0.03},
	} {
		t.Run(tc.to, func(t *testing.T) {
			files := rigFiles(t, r, "ssh", tc.to)
			maps.Copy(files, others)
			files["rings/fleet.hcl"] = strings.Replace(files["rings/fleet.hcl"], `health "command" {`, fmt.Sprintf("health \"command\" {\n  hosts   = [\"%s\"]", strings.Join(r.Names()[1:], `", "`)), 1)
			w := rigMerged(t, r, files)
			p, _ := w.ledger()
			if p.Patches[0].Test != "sandbox" || !p.Rings[0].Sandbox {
				t.Fatalf("the plan tries it by %q, in %q first", p.Patches[0].Test, p.Rings[0].Name)
			}
			next, _ := due(w.run(chaosAt, "execute"))
			for h, v := range shops(r) {
				if h != lab && v != "1.0-1" {
					t.Errorf("%s has %s before the sandbox had its verdict", h, v)
				}
			}
			w.finish(next)
			_, lines := w.ledger()
			seen := false
			for _, l := range lines {
				if string(l.Host) != lab || l.Event != tc.verdict {
					continue
				}
				seen = true
				before, err := telemetry.LoadOf(l.Measured.Before)
				after, err2 := telemetry.LoadOf(l.Measured.After)
				was, _ := before.Median()
				is, _ := after.Median()
				if err != nil || err2 != nil || after.Requests < 250 || after.Errors < tc.wrong || is-was < tc.slower {
					t.Errorf("under load %+v → %+v (%v, %v)", before, after, err, err2)
				}
				t.Logf("%d of %d went wrong, median %.4f s → %d of %d, %.4f s", before.Errors, before.Requests, was, after.Errors, after.Requests, is)
			}
			for h, v := range shops(r) {
				if v != tc.ends {
					t.Errorf("%s has %s, want %s", h, v, tc.ends)
				}
			}
			if !seen || t.Failed() {
				t.Errorf("the verdict of the sandbox is not %s", tc.verdict)
				for _, l := range lines {
					t.Log(l.At.Format("15:04"), lineText(l, false))
				}
			}
		})
	}
}
