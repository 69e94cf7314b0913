//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// BenchmarkHosts is what the engine itself costs for each host of a plan that a
// plugin carries out at once: the three phases of execute, two shards of apply, until
// every host is healthy. Processor time of the plugin is not in it.
// RINGMASTER_BENCH_LARGE is how many hosts, 500 unless said.
func BenchmarkHosts(b *testing.B) {
	hosts := 500
	if n, err := strconv.Atoi(os.Getenv("RINGMASTER_BENCH_LARGE")); err == nil && n > 1 {
		hosts = n
	}
	spent := map[string]time.Duration{}
	rounds := 0
	for b.Loop() {
		b.StopTimer()
		g := grown{b, filepath.Join(b.TempDir(), strconv.Itoa(rounds)), spent}
		id := g.merged(hosts)
		rounds++
		b.StartTimer()
		g.execute(id, hosts)
	}
	all := time.Duration(0)
	for phase, d := range spent {
		b.ReportMetric(float64(d.Microseconds())/float64(hosts*rounds), "cpu-µs/host/"+phase)
		if phase != "plan" {
			all += d
		}
	}
	b.ReportMetric(float64(all.Microseconds())/float64(hosts*rounds), "cpu-µs/host")
}

// grown is an estate of many hosts of one service.
type grown struct {
	*testing.B
	dir   string
	spent map[string]time.Duration
}

var grownAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// run runs a verb in this process, adds up its processor time, and returns what it
// says.
func (g grown) run(phase string, at time.Time, args ...string) []byte {
	g.Helper()
	var out, errs bytes.Buffer
	before := selfTime(g)
	code := run(context.Background(), append([]string{"-C", g.dir, "--at", at.Format(time.RFC3339), "--log-level", "error"}, args...),
		streams{strings.NewReader(""), &out, &errs}, func(string) string { return "" }, at)
	if phase != "" {
		g.spent[phase] += selfTime(g) - before
	}
	if code != 0 && code != 3 {
		g.Fatalf("%v ends with %d\n%s%s", args, code, &out, &errs)
	}
	return out.Bytes()
}

func selfTime(b testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// merged makes the estate with a plan for every host, merged.
func (g grown) merged(hosts int) string {
	g.run("", grownAt, "init", g.dir)
	for _, old := range []string{"inventory", "rings"} {
		if err := os.RemoveAll(filepath.Join(g.dir, old)); err != nil {
			g.Fatal(err)
		}
	}
	files := map[string]string{
		"inventory/estate.hcl": `
estate "grown" {
  timezone = "UTC"
  clock    = "given"
  review   = "none"
  owners   = ["olivia"]
}
tier "production" {
  rank                     = 2
  downtime_cost_per_minute = 1
  risk_tolerance           = 0.5
}
service "web" {
  tier  = "production"
  owner = "olivia"
  hosts = ["web-*"]
}
`,
		"rings/rings.hcl": fmt.Sprintf(`
ring "all" {
  order = 1
  soak  = "30m"
}
fleet "exec" {
  command  = [%q]
  parallel = %d
}
health "exec" {}
`, filepath.Join(g.dir, "plugin"), hosts),
		"plugin": "#!/bin/sh\nexec " + quickly(g) + "\n",
		"inventory/patches/heron.jsonl": `{"schema":"ringmaster/patch/v1","id":"HER-1","vendor":"Heron","type":"generic","package":"heron-web","from":"4.2.1","to":"4.2.2","kind":"bugfix","published":"2026-02-20T00:00:00Z"}
`,
	}
	var facts strings.Builder
	for i := range hosts {
		fmt.Fprintf(&facts, `{"host":"web-%06d","at":"2026-03-02T08:00:00Z","source":"x","os":{"id":"debian","version":"12"},"packages":[{"type":"generic","name":"heron-web","version":"4.2.1"}],"exposed":false,"mem_free_mb":512,"disk_free_mb":9000}`+"\n", i)
	}
	files["inventory/facts/all.jsonl"] = facts.String()
	for name, text := range files {
		file := filepath.Join(g.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			g.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			g.Fatal(err)
		}
	}
	r, err := repo.Open(g.dir)
	if err != nil {
		g.Fatal(err)
	}
	err = gitCommit(r, "hosts")
	r.Close()
	if err != nil {
		g.Fatal(err)
	}
	g.run("plan", grownAt, "plan", "--open")
	var pulls []struct{ ID string }
	if err := json.Unmarshal(g.run("", grownAt, "--format", "json", "pr", "list"), &pulls); err != nil || len(pulls) != 1 {
		g.Fatalf("%d pull requests (%v), want 1", len(pulls), err)
	}
	g.run("", grownAt.Add(time.Minute), "pr", "approve", pulls[0].ID, "--by", "olivia")
	g.run("", grownAt.Add(2*time.Minute), "pr", "merge", pulls[0].ID, "--by", "olivia")
	return pulls[0].ID
}

// execute runs the phases, as a workflow would, every 35 minutes until each host is
// healthy.
func (g grown) execute(id string, hosts int) {
	ledger := filepath.Join(g.dir, "outcomes", id+".jsonl")
	for at := grownAt.Add(5 * time.Minute); at.Before(grownAt.Add(24 * time.Hour)); at = at.Add(35 * time.Minute) {
		results := filepath.Join(g.TempDir(), "results")
		g.run("intend", at, "execute", "--phase", "intend")
		g.run("apply", at, "execute", "--phase", "apply", "--shard", "1/2", "--results", results)
		g.run("apply", at, "execute", "--phase", "apply", "--shard", "2/2", "--results", results)
		g.run("record", at, "execute", "--phase", "record", "--results", results)
		data, err := os.ReadFile(ledger)
		if err != nil {
			g.Fatal(err)
		}
		if bytes.Count(data, []byte(`"event":"healthy"`)) == hosts {
			return
		}
	}
	g.Fatal("a day later not every host is healthy")
}

// quickly is a plugin's command that answers at once and remembers nothing.
func quickly(b testing.TB) string {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	link := filepath.Join(b.TempDir(), "quickplugin")
	if err := os.Symlink(exe, link); err != nil {
		b.Fatal(err)
	}
	return link
}
