package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/health"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/telemetry"
	"github.com/ringmaster-dev/ringmaster/testdata/plugin/reference"
)

// shopHost is one host of a shop with a laboratory: a real web server on a loopback
// address of its own, of the version that the plugin's journal says it has.
type shopHost struct {
	id, address string
	asked       atomic.Int64
}

// shopWorld is a world whose hosts answer by HTTP. Bad is whether the new version
// answers wrongly, and slowly; down, whether hosts answer nothing right at all.
type shopWorld struct {
	*world
	hosts     []*shopHost
	bad, down atomic.Bool
}

// shopHosts are two in the laboratory and three in production.
var shopHosts = []string{"lab-01", "lab-02", "web-01", "web-02", "web-03"}

// newShop is such an estate with its plan merged. Of its two patches one has a known
// issue, so that it is to be tried in a sandbox first. Files are written over the usual.
func newShop(t *testing.T, subnet int, files map[string]string, plugin ...string) *shopWorld {
	t.Helper()
	s := &shopWorld{world: &world{t: t, base: t.TempDir()}}
	port := 0
	for i, id := range shopHosts {
		h := &shopHost{id: id, address: fmt.Sprintf("127.78.%d.%d", subnet, i+1)}
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", h.address, port))
		if err != nil {
			t.Fatal(err)
		}
		port = l.Addr().(*net.TCPAddr).Port
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.answer(h, w) })}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
		s.hosts = append(s.hosts, h)
	}
	all := s.files(port)
	for name, text := range files {
		all[name] = text
	}
	s.estate(all)
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' -state ../state -hosts %s -package osprey-agent=2.3.0,heron-web=4.2.1 %s\n", refplugin(t), strings.Join(shopHosts, ","), strings.Join(plugin, " "))
	if err := os.WriteFile(filepath.Join(s.base, "plugin"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r := s.open()
	defer r.Close()
	if err := gitCommit(r, "a shop with a laboratory"); err != nil {
		t.Fatal(err)
	}
	return s
}

// merge makes the plan and merges it, approved by fred and others.
func (s *shopWorld) merge(others ...string) *plan.Plan {
	s.t.Helper()
	s.must(chaosAt, "plan", "--open")
	for _, by := range append(others, "fred") {
		s.must(chaosAt, "pr", "approve", "--by", by)
	}
	s.must(chaosAt, "pr", "merge", "--by", "omar")
	p, _ := s.ledger()
	return p
}

// answer is a host's, of whatever version it has.
func (s *shopWorld) answer(h *shopHost, w http.ResponseWriter) {
	n := h.asked.Add(1)
	if s.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if s.bad.Load() && s.version(h.id, "heron-web") == "4.2.2" {
		time.Sleep(60 * time.Millisecond) // what the version takes
		if n%5 < 2 {
			http.Error(w, "bad", http.StatusInternalServerError)
		}
	}
}

// version is what a host has of a package.
func (s *shopWorld) version(host, name string) string {
	v := chaosFrom[name]
	list, err := reference.ReadJournal(s.state())
	if err != nil {
		return v // its folder is not there yet
	}
	for _, e := range list {
		for _, p := range e.Packages {
			if e.Event == "moved" && e.Host == host && p.Name == name {
				v = p.To
			}
		}
	}
	return v
}

func (s *shopWorld) files(port int) map[string]string {
	files := chaosFiles()
	var facts strings.Builder
	for _, h := range s.hosts {
		week := strings.TrimSuffix(strings.Repeat("0.2,0.4,0.8,", telemetry.Hours/3), ",")
		if strings.HasPrefix(h.id, "lab") {
			week = strings.TrimSuffix(strings.Repeat("0,", telemetry.Hours), ",")
		}
		fmt.Fprintf(&facts, `{"at":"2026-03-02T07:00:00Z","address":%q,"disk_free_mb":21000,"disk_mb":40000,"drift":false,"exposed":false,"host":%q,"labels":{"env":%q,"role":"shop"},"load":[%s],"mem_free_mb":3000,"mem_mb":8192,"os":{"arch":"amd64","id":"debian","version":"12"},`+
			`"packages":[{"name":"heron-web","type":"generic","vendor":"Heron","version":"4.2.1"},{"name":"osprey-agent","type":"generic","vendor":"Osprey","version":"2.3.0"}],"reboot_pending":false,"source":"test","uptime_s":3456000}`+"\n",
			h.address, h.id, h.id[:3], week)
	}
	files["inventory/facts/hosts.jsonl"] = facts.String()
	files["inventory/patches/patches.jsonl"] = strings.Replace(files["inventory/patches/patches.jsonl"], `"package":"heron-web","from":"4.2.1","to":"4.2.2"`,
		`"package":"heron-web","from":"4.2.1","to":"4.2.2","known_issues":[{"at":"2026-03-01T09:00:00Z","text":"slow under load","resolved_at":null}]`, 1)
	files["inventory/patches/patches.jsonl"] = strings.Replace(files["inventory/patches/patches.jsonl"], `"known_issues":[],"reports":0`, `"reports":0`, -1)
	files["inventory/services.hcl"] = `
service "shop" {
  tier          = "development"
  owner         = "team-office"
  hosts         = ["lab-*", "web-*"]
  exposure      = "internal"
  min_available = "30%"
}
`
	files["rings/rings.hcl"] = `
ring "lab" {
  order   = 1
  labels  = { env = "lab" }
  soak    = "30m"
  sandbox = true
}

ring "canary" {
  order = 2
  share = "35%"
  soak  = "30m"
}

ring "broad" {
  order        = 3
  soak         = "30m"
  max_failures = 1
}
`
	files["rings/fleet.hcl"] = fmt.Sprintf(`
fleet "exec" {
  command  = ["../plugin"]
  parallel = 5
}

health "exec" {
  hosts = ["web-*"]
}

workload "http" {
  url         = "http://{{address}}:%d"
  paths       = ["/", "/search?q=hammer"]
  rate        = 400
  duration    = "1s"
  connections = 30
}
`, port)
	return files
}

// outcomes are what a ledger says of a patch, as "lab-01 healthy" in the order of lines.
func outcomesOf(lines []outcome.Line, patch plan.PatchID) []string {
	var list []string
	for _, l := range lines {
		if l.Patch == patch && l.Host != "" && l.Event != outcome.Intended && l.Event != outcome.Applied {
			list = append(list, string(l.Host)+" "+string(l.Event))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// said is what the thread of the plan's pull request says became of it.
func (s *shopWorld) said(p *plan.Plan) string {
	s.t.Helper()
	r := s.open()
	defer r.Close()
	said, err := local.New(r, "main", nil).Said("ringmaster/" + p.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return said["outcome"]
}

// onlyTheLab checks that nothing but the laboratory was ever loaded.
func (s *shopWorld) onlyTheLab(least int64) {
	s.t.Helper()
	for _, h := range s.hosts {
		n := h.asked.Load()
		if lab := strings.HasPrefix(h.id, "lab"); lab && n < least || !lab && n > 0 {
			s.t.Errorf("%s was asked %d times", h.id, n)
		}
	}
}

const risky, steady plan.PatchID = "generic:heron-web@4.2.2", "generic:osprey-agent@2.3.1"

// A good version passes the sandbox under load and goes on; what was met is in the
// ledger, and gives the same verdict again.
func TestSandbox(t *testing.T) {
	t.Parallel()
	s := newShop(t, 1, nil)
	p := s.merge()
	if gates := p.Rings[0].Gates; !p.Rings[0].Sandbox || !strings.Contains(gates[len(gates)-1], "under a synthetic workload") || len(p.Rings[1].Gates) != len(gates)-1 {
		t.Errorf("the plan's gates are %q, then %q", gates, p.Rings[1].Gates)
	}
	s.run(chaosAt, "execute")
	if _, lines := s.ledger(); slices.ContainsFunc(lines, func(l outcome.Line) bool { return l.Ring != "lab" && l.Patch == risky }) {
		t.Error("another ring began before the sandbox had its verdict")
	}
	s.finish(chaosAt)
	_, lines := s.ledger()
	if got, want := fmt.Sprint(outcomesOf(lines, risky)), "[lab-01 healthy lab-02 healthy web-01 healthy web-02 healthy web-03 healthy]"; got != want {
		t.Errorf("the risky patch ends %s, want %s", got, want)
	}
	verdicts := 0
	for _, l := range lines {
		switch {
		case l.Measured == nil:
		case l.Ring != "lab":
			if _, err := telemetry.LoadOf(l.Measured.Before); err == nil {
				t.Errorf("%s on %s in %s was under load", l.Patch, l.Host, l.Ring)
			}
		case l.Event == outcome.Applied || l.Event == outcome.Healthy:
			before, err := telemetry.LoadOf(l.Measured.Before)
			// A mean hour is at 7/12 of the busiest: 233 of 400, or fewer on a machine that cannot keep up.
			if err != nil || before.Requests < 150 || before.Requests > 235 {
				t.Errorf("%s of %s on %s: before, %+v, %v", l.Event, l.Patch, l.Host, before, err)
			}
			after, err := telemetry.LoadOf(l.Measured.After)
			if l.Event == outcome.Healthy {
				if v := health.JudgeLoad(before, after); err != nil || v.State != health.Healthy || v.Why != l.Detail {
					t.Errorf("%s on %s: by the ledger the verdict is %s, %q (%v), and it says %q", l.Patch, l.Host, v.State, v.Why, err, l.Detail)
				}
				verdicts++
			}
		}
	}
	if verdicts != 4 {
		t.Errorf("%d verdicts under load, want 4: two patches on two hosts", verdicts)
	}
	if n := s.hosts[0].asked.Load(); n > 4*240 {
		t.Errorf("lab-01 was asked %d times: once before each of its waves and once after is enough", n)
	}
	s.onlyTheLab(300)
	said := s.said(p)
	if !strings.Contains(said, "**Tried in a sandbox**") || strings.Count(said, "| passed |") != 4 || !strings.Contains(said, "| 0.0 % → 0.0 % |") {
		t.Errorf("the thread says\n%s", said)
	}
	s.must(chaosAt.Add(24*time.Hour), "audit", "verify")
}

// A bad version is seen by its errors and its latency, before any host of production
// has it, and the thread says how it did.
func TestSandboxCatches(t *testing.T) {
	t.Parallel()
	s := newShop(t, 2, nil)
	s.bad.Store(true)
	p := s.merge()
	s.finish(chaosAt)
	_, lines := s.ledger()
	if got, want := fmt.Sprint(outcomesOf(lines, risky)), "[lab-01 degraded lab-01 held lab-01 rolled_back lab-02 degraded lab-02 held lab-02 rolled_back]"; got != want {
		t.Errorf("the risky patch ends %s, want %s", got, want)
	}
	for _, h := range s.hosts {
		if v := s.version(h.id, "heron-web"); v != "4.2.1" {
			t.Errorf("%s has %s", h.id, v)
		}
	}
	if got := outcomesOf(lines, steady); strings.Count(fmt.Sprint(got), "healthy") != 5 || strings.Contains(fmt.Sprint(got), "rolled_back") {
		t.Errorf("the other patch ends %v, want it healthy everywhere", got)
	}
	s.onlyTheLab(300)
	said := s.said(p)
	for _, want := range []string{"\n\\| `generic:heron-web@4.2.2` \\| `lab-01` \\| \\d+ → \\d+ \\| 0.0 % → (3[5-9]|4[0-5]).\\d % \\| .* → [6-9]\\d.\\d ms \\| did not pass \\|\n", "\\*\\*Stopped\\*\\*", "2 of 2 hosts in ring \"lab\" went wrong and it allows 0"} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("the thread does not say %s:\n%s", want, said)
		}
	}
}

// Without anything to compare with a change does not begin. It is measured again by
// each run, and goes on when there is something.
func TestSandboxUnwell(t *testing.T) {
	t.Parallel()
	s := newShop(t, 3, nil)
	s.down.Store(true)
	p := s.merge()
	out := s.run(chaosAt, "execute")
	if n := len(slices.DeleteFunc(s.moved(), func(e reference.Entry) bool { return !strings.HasPrefix(e.Host, "lab") })); n > 0 || !strings.Contains(out, "too many of its requests went wrong before the change already") {
		t.Errorf("%d moves in a laboratory that is down:\n%s", n, out)
	}
	_, before := s.ledger()
	s.run(chaosAt, "execute")
	if _, lines := s.ledger(); len(lines) != len(before) {
		t.Errorf("the same again made %d lines of %d", len(lines), len(before))
	}
	if said := s.said(p); !strings.Contains(said, "| no verdict |") {
		t.Errorf("the thread says\n%s", said)
	}
	s.down.Store(false)
	s.finish(chaosAt.Add(5 * time.Minute))
	if _, lines := s.ledger(); !strings.Contains(fmt.Sprint(outcomesOf(lines, risky)), "lab-01 healthy lab-01 held lab-02 healthy") {
		t.Errorf("the risky patch ends %v", outcomesOf(lines, risky))
	}
}

// What was measured before a change and lost with its run is measured again where
// nothing was done yet. Where it was done, there is no verdict, and no other ring
// begins.
func TestSandboxKilled(t *testing.T) {
	const lost = "[lab-01 held lab-02 held web-02 skipped web-03 skipped]"
	for i, tc := range []struct {
		name   string
		plugin string
		after  bool // the change was made
		want   string
	}{
		{"before the change", "", false, "[lab-01 healthy lab-02 healthy web-01 healthy web-02 healthy web-03 healthy]"},
		{"after it", "", true, lost},
		{"after it, and nobody can say what is installed", "-ops apply,rollback,status,probe", true, lost},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name != "after it" && os.Getenv("RINGMASTER_LONG") == "" {
				t.Skip("set RINGMASTER_LONG=1 for this moment too")
			}
			t.Parallel()
			// Each answer of the plugin comes so late that a run can be killed before it.
			s := newShop(t, 10+i, nil, "-misbehave delay=400ms "+tc.plugin)
			s.merge()
			k := &killer{}
			moment := func() bool { return s.hosts[0].asked.Load() > 50 }
			if tc.after {
				moment = func() bool {
					return s.version("lab-01", "heron-web") == "4.2.2" && s.version("lab-02", "heron-web") == "4.2.2"
				}
			}
			if !k.stop(s.world, chaosAt, true, k.when(0, moment)) {
				t.Fatal("the run ended before it could be killed")
			}
			if _, lines := s.ledger(); !open(lines) {
				t.Fatal("no intent is open")
			}
			s.finish(chaosAt.Add(time.Minute))
			_, lines := s.ledger()
			if got := fmt.Sprint(outcomesOf(lines, risky)); got != tc.want {
				t.Errorf("the risky patch ends %s, want %s", got, tc.want)
				for _, l := range lines {
					t.Log(l.At.Format("15:04"), l.Run, lineText(l, false))
				}
			}
			s.onlyTheLab(50)
		})
	}
}

// As jobs of a workflow, the shards of apply load each host once, and record alone
// writes what they met.
func TestSandboxPhases(t *testing.T) {
	t.Parallel()
	s := newShop(t, 6, nil)
	s.bad.Store(true)
	s.merge()
	for at := chaosAt; at.Before(chaosAt.Add(2 * time.Hour)); at = at.Add(35 * time.Minute) {
		s.phases(at, 2, func(int) bool { return false })
	}
	_, lines := s.ledger()
	if got, want := fmt.Sprint(outcomesOf(lines, risky)), "[lab-01 degraded lab-01 held lab-01 rolled_back lab-02 degraded lab-02 held lab-02 rolled_back]"; got != want {
		t.Errorf("the risky patch ends %s, want %s", got, want)
	}
	s.onlyTheLab(300)
}

// A patch that is fast goes to the canary directly, while the sandbox still has it; one
// that is to be tried there first does not.
func TestFastGoesToTheCanary(t *testing.T) {
	t.Parallel()
	var history strings.Builder
	for n := range 400 { // what is known of it, and not rules alone, says that the tier tolerates it
		event := map[bool]outcome.Event{true: outcome.Degraded, false: outcome.Healthy}[n%8 == 0]
		fmt.Fprintf(&history, `{"at":%q,"host":"web-%02d","patch":"OSP-%d","service":"shop","package":"osprey-agent","vendor":"Osprey","event":%q}`+"\n",
			chaosAt.Add(time.Duration(n-500)*time.Hour).Format(time.RFC3339), n%3+1, n/5, event)
	}
	s := newShop(t, 7, map[string]string{"inventory/history/outcomes.jsonl": history.String()})
	s.must(chaosAt, "learn")
	s.must(chaosAt, "pr", "approve", "models", "--by", "olivia")
	s.must(chaosAt, "pr", "merge", "models", "--by", "omar")
	p := s.merge()
	for _, x := range p.Patches {
		if want := map[plan.PatchID]string{risky: "sandbox", steady: "fast"}[x.ID]; x.Test != want {
			t.Fatalf("%s is tried by %q, want %q: %+v", x.ID, x.Test, want, x.DeployRisk)
		}
	}
	began := map[plan.PatchID]map[string]bool{risky: {}, steady: {}}
	for at := chaosAt; at.Before(chaosAt.Add(30 * time.Minute)); at = at.Add(10 * time.Minute) { // less than the sandbox's soak
		s.run(at, "execute")
	}
	_, lines := s.ledger()
	for _, l := range lines {
		if l.Event == outcome.Intended {
			began[l.Patch][l.Ring] = true
		}
		if l.Event == outcome.Healthy && l.Ring == "lab" {
			t.Errorf("%s has soaked on %s; this test tells nothing", l.Patch, l.Host)
		}
	}
	if !began[steady]["canary"] || began[risky]["canary"] || !began[risky]["lab"] {
		t.Errorf("within the soak of the sandbox there began %v", began)
	}
}

// Without a laboratory a sandbox is the hosts of the least critical tier that stand
// best for all. The plan says how far they do, and they alone are loaded.
func TestSandboxWithoutALab(t *testing.T) {
	t.Parallel()
	s := newShop(t, 8, map[string]string{"inventory/services.hcl": `
service "back-office" {
  tier  = "development"
  owner = "team-office"
  hosts = ["lab-*"]
}

service "shop" {
  tier          = "production"
  owner         = "team-office"
  hosts         = ["web-*"]
  min_available = "30%"
}
`, "rings/rings.hcl": `
ring "trial" {
  order   = 1
  count   = 1
  soak    = "30m"
  sandbox = true
}

ring "broad" {
  order = 2
  soak  = "60m"
}
`, "rings/health.hcl": `
health "exec" {}
`})
	p := s.merge("olivia")
	trial := p.Rings[0]
	if trial.Name != "trial" || !trial.Sandbox || trial.StandsFor == nil || *trial.StandsFor < 0.5 || *trial.StandsFor >= 0.995 {
		t.Fatalf("the first ring is %q, which stands for %v", trial.Name, trial.StandsFor)
	}
	for _, w := range trial.Waves {
		for _, c := range w.Changes {
			if !strings.HasPrefix(string(c.Host), "lab-") {
				t.Errorf("%s is in the sandbox, and a host of the least critical tier is like it", c.Host)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(s.dir(), "plans", p.ID, "plan.md"))
	if want := fmt.Sprintf("- trial, with the rings before it, stands for %.0f %% of all hosts", 100**trial.StandsFor); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("the plan does not say %q: %v", want, err)
	}
	s.finish(chaosAt)
	if _, lines := s.ledger(); fmt.Sprint(outcomesOf(lines, risky)) != "[lab-01 healthy lab-02 healthy web-01 healthy web-02 healthy web-03 healthy]" {
		t.Errorf("the risky patch ends %v", outcomesOf(lines, risky))
	}
	if one, other := s.hosts[0].asked.Load(), s.hosts[1].asked.Load(); one == 0 || other != 0 {
		t.Errorf("the sandbox's host was asked %d times, the other of its tier %d times", one, other)
	}
	s.onlyTheLab(0)
}
