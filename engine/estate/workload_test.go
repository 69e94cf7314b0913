package estate

import (
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// What a workload block does not say is as docs/sandbox.md has it.
func TestWorkloads(t *testing.T) {
	usual := ring.Workload{Paths: []string{"/"}, Rate: 2.5, Duration: time.Minute, Timeout: 10 * time.Second, Connections: 10}
	byName, bySix, command := usual, usual, usual
	byName.Kind, byName.URL, byName.Hosts = "http", "https://{{host}}.lab.example", []string{"edge-*"}
	bySix.Kind, bySix.URL, bySix.Hosts = "http", "http://[{{address}}]:8080", []string{"six-*"}
	command.Kind, command.Command, command.Env, command.Rate, command.Labels = "command", []string{"./orders", "--db", "{{address}}"}, []string{"PGPASSFILE"}, 10, map[string]string{"role": "db"}
	compare(t, "Workloads", ok(t, "workload").Workloads, []ring.Workload{
		{Kind: "http", URL: "http://{{address}}:8080", Paths: []string{"/", "/search?q=hammer", "/search?q=nail", "//twice"}, Rate: 50, Duration: 2 * time.Minute, Timeout: 5 * time.Second, Connections: 20, Shape: "shop"},
		byName, bySix, command})
}
