package estate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// ok reads an estate of testdata/ok.
func ok(t *testing.T, name string) *Estate {
	t.Helper()
	fsys, _ := archive(t, filepath.Join(testdata, "ok", name+".txtar"))
	e, faults := Read(fsys)
	if len(faults) > 0 {
		t.Fatalf("Read() faults:\n%s", lines(faults))
	}
	return e
}

// TestContractValues: everything that the contract's example says is read.
func TestContractValues(t *testing.T) {
	e := ok(t, "contract")
	day := 24 * time.Hour
	compare(t, "Settings", e.Settings, inventory.Settings{
		Name: "acme", Timezone: "Europe/Berlin", Clock: "wall", Review: "required", OpenPlans: 5,
		Groups: []inventory.Group{{Name: "payments", Services: []string{"shop", "orders-*"}}},
		SLA:    map[string]time.Duration{"critical": day, "high": 7 * day, "standard": 30 * day, "low": 90 * day},
		Owners: []string{"team-platform"}, Teams: map[string][]string{"team-payments": {"alice", "bob"}, "team-platform": {"carol"}},
		Expires: 7 * day, Baseline: map[string]string{"standard": "34d", "failure_rate": "4%"},
		Economy: inventory.Economy{Currency: "EUR", Detection: 10 * time.Minute, Compromise: 3 * day, Reach: map[string]float64{"internal": 0.2, "isolated": 0}},
	})
	compare(t, "Tiers", e.Tiers, []inventory.Tier{
		{Name: "business-critical", Rank: 1, DowntimeCostPerMinute: 5600, RiskTolerance: 0.01, Autonomy: "recommend"},
		{Name: "standard", Rank: 2, Autonomy: "semi-autonomous"}})
	compare(t, "Services", e.Services, []inventory.Service{
		{Name: "legacy", Tier: "standard", Hosts: []string{"old-?"}, Install: 30 * time.Minute, Rollback: 30 * time.Minute, Group: "main"},
		{Name: "orders-db", Tier: "business-critical", Hosts: []string{"db-*"}, Install: 30 * time.Minute, Rollback: 30 * time.Minute, Group: "payments"},
		{Name: "shop", Tier: "business-critical", Owner: "team-payments", Hosts: []string{"web-*"}, Labels: map[string]string{"role": "web"}, DependsOn: []string{"orders-db"},
			Exposure: "internet", HumanImpact: "high", Compliance: []string{"pci-dss"}, MinAvailable: "60%", Window: "tuesdays", Users: 5000,
			Install: 20 * time.Minute, Rollback: 10 * time.Minute, Group: "payments"}})
	compare(t, "Windows", e.Windows, []ring.Window{
		{Name: "sundays", Recur: "FREQ=WEEKLY;BYDAY=SU;BYHOUR=3;BYMINUTE=30", Duration: 90 * time.Minute, Timezone: "Europe/Berlin"},
		{Name: "tuesdays", Recur: "FREQ=WEEKLY;BYDAY=TU;BYHOUR=23;BYMINUTE=0", Duration: 4 * time.Hour, Timezone: "Europe/Berlin"}})
	compare(t, "Freezes", e.Freezes, []ring.Freeze{{Name: "board", From: date(2026, 3, 5), To: date(2026, 3, 7), Services: []string{"*"}, Reason: "board meeting"}})
	compare(t, "Exceptions", e.Exceptions, []inventory.Exception{{Name: "legacy", Patch: "deb:openssl@*", Services: []string{"legacy"}, Rules: []string{"freeze.deny"},
		Owner: "team-db", Reason: "the vendor supports no newer one before May", Until: date(2026, 5, 1)},
		{Name: "waits", Patch: "deb:openssl@3.0.15-1~deb12u1", Owner: "team-db", Reason: "that build breaks the card reader", UntilFix: true,
			CompensatingControl: "the reader's port is closed to all but the till"}})
	compare(t, "Feeds", len(e.Feeds), 2)
	compare(t, "Rings", e.Rings, []ring.Ring{
		{Name: "canary", Order: 1, Share: 0.05, After: day, Soak: day},
		{Name: "broad", Order: 2, Share: 1, After: 9 * day, Select: ring.Select{ExceptTiers: []string{"business-critical"}}},
		{Name: "business-critical", Order: 3, Share: 1, Count: 40, After: 11 * day, Select: ring.Select{Tiers: []string{"business-critical"}}}})
	compare(t, "Fleets", e.Fleets, []ring.Fleet{
		{Kind: "sim", Parallel: 2, Seed: 7, File: "sim/truth.json", Select: ring.Select{Labels: map[string]string{"site": "lab"}}},
		{Kind: "exec", Command: []string{"./fleet.py"}, Env: []string{"VAULT_ADDR"}, Parallel: 10, Timeout: 30 * time.Minute}})
	compare(t, "signals", slices.Sorted(maps.Keys(e.Healths[0].Signals)), []string{"error_ratio", "latency_seconds", "load_ratio", "up"})
	compare(t, "a PromQL expression", e.Healths[0].Signals["up"], `up{instance="{{host}}"}`)
	compare(t, "where its token is, and its step", []string{e.Healths[0].Token, e.Healths[0].Step.String()}, []string{"PROMETHEUS_TOKEN", "15s"})
	compare(t, "Healths[1]", e.Healths[1], ring.Health{Kind: "http", URL: "https://{{address}}/health", Timeout: 5 * time.Second, Select: ring.Select{Services: []string{"shop"}}})

	if len(e.Hosts) != 1 {
		t.Fatalf("%d hosts, want 1", len(e.Hosts))
	}
	h := e.Hosts[0]
	compare(t, "labels", h.Labels, map[string]string{"rack": "b4", "role": "web", "site": "fra1"})
	compare(t, "host", []any{h.ID, h.Declared, h.Window, h.Services}, []any{inventory.HostID("web-01"), true, "sundays", []string{"shop"}})
	if h.Facts == nil || h.Packages.Len() != 2 || h.Packages.Packages()[0].Name != "bash" || h.Packages.Packages()[1].Source != "openssl" || len(h.Facts.Load) != 168 || !*h.Facts.Exposed || *h.Facts.MemFreeMB != 512 {
		t.Errorf("facts = %+v", h.Facts)
	}
}

// TestHostFleets: what may be done to hosts, and what nobody declares.
func TestHostFleets(t *testing.T) {
	compare(t, "Fleets", ok(t, "fleets").Fleets, []ring.Fleet{
		{Kind: "ansible", Parallel: 1, Policy: ring.Policy{NoHold: true, RestartLanes: 2, Restart: 5 * time.Minute,
			Hooks: []ring.Hook{{Name: "drain", Command: []string{"lbctl", "drain", "self"}, Timeout: 90 * time.Second},
				{Name: "undrain", Tasks: "ansible/undrain.yml", Timeout: 5 * time.Minute}},
			Running: []ring.Running{{Package: "shopd", Command: []string{"shopd", "running"}}}}},
		{Kind: "ansible", Parallel: 1}})
}

func date(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func compare(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestMinimalValues(t *testing.T) {
	e := ok(t, "minimal")
	compare(t, "Settings", e.Settings, inventory.Settings{Name: "acme", Timezone: "UTC", Clock: "wall", OpenPlans: 5, Owners: []string{"owners"}, Expires: 7 * 24 * time.Hour})
	if len(e.Hosts)+len(e.Services)+len(e.Rings) > 0 {
		t.Errorf("hosts %v, services %v, rings %v, want none", e.Hosts, e.Services, e.Rings)
	}
}

// TestWindowZones: a window without a zone has the estate's, and every window
// opens.
func TestWindowZones(t *testing.T) {
	for _, w := range ok(t, "windows").Windows {
		if w.Name == "always" && w.Timezone != "Pacific/Auckland" {
			t.Errorf("window %q is in zone %q, want the estate's", w.Name, w.Timezone)
		}
		if _, open := w.Next(date(2026, 1, 1)); !open {
			t.Errorf("window %q does not open after 2026-01-01", w.Name)
		}
	}
}

func TestSets(t *testing.T) {
	e := ok(t, "sets")
	got := map[inventory.HostID]string{}
	for _, h := range e.Hosts {
		if h.Packages == nil {
			got[h.ID] = "nothing known"
			continue
		}
		var names []string
		for p := range h.Packages.All() {
			names = append(names, p.Name+" "+p.Version)
		}
		got[h.ID] = strings.Join(names, ", ")
	}
	const all = "bash 5.1.8-6.el9_1, kernel 5.14.0-362.8.1.el9_3, nodejs 1:18.18.2-2.module_el9, openssl-libs 1:3.0.7-24.el9"
	compare(t, "packages", got, map[inventory.HostID]string{
		"a-1": all,
		"a-2": "heron-web 4.2.1, bash 5.1.8-9.el9, kernel 5.14.0-362.8.1.el9_3, openssl-libs 1:3.0.7-24.el9",
		"a-3": all,
		"b-1": "nothing known",
		"b-2": "",
	})
	if e.Hosts[0].Packages != e.Hosts[2].Packages {
		t.Error("two hosts of the same set have two lists in memory")
	}
}

func TestHistoryValues(t *testing.T) {
	e := ok(t, "history")
	if len(e.Imported) != 2 || !e.Imported[0].At.Before(e.Imported[1].At) || len(e.Incidents) != 1 || *e.Incidents[0].Minutes != 180 {
		t.Errorf("imported %v, incidents %v", e.Imported, e.Incidents)
	}
	if len(e.Overrides) != 2 || e.Overrides[0].By != "bob" || e.Ledgers["high-main-1"] == nil || e.Approvals["high-main-1"] == nil || e.Plans["high-main-1"] == nil || e.Models["models/track-record.json"] == nil {
		t.Errorf("overrides %v, ledgers %d, approvals %d, plans %d, models %d", e.Overrides, len(e.Ledgers), len(e.Approvals), len(e.Plans), len(e.Models))
	}
}

// TestServices: who serves what, in which order, and whose labels hold.
func TestServices(t *testing.T) {
	e, faults := Read(fstest.MapFS{
		"inventory/e.hcl": {Data: []byte(`estate "x" {}
tier "low" {
  rank = 9
}
tier "top" {
  rank = 1
}
service "b" {
  tier   = "low"
  hosts  = ["h*", "h1"]
  labels = { role = "b", env = "prod" }
}
service "z" {
  tier   = "top"
  hosts  = ["?1", "named"]
  labels = { role = "z", site = "one" }
}
service "a" {
  tier  = "low"
  hosts = ["*"]
}
host "h1" {
  labels = { site = "block" }
}
`)},
		"inventory/facts/f.jsonl": {Data: []byte(`{"host":"h1","labels":{"env":"lab","os":"x"}}` + "\n" + `{"host":"h2"}` + "\n")},
	})
	if len(faults) > 0 {
		t.Fatal(lines(faults))
	}
	var got []string
	for _, h := range e.Hosts {
		labels, _ := json.Marshal(h.Labels)
		got = append(got, fmt.Sprintf("%s %v %s", h.ID, h.Services, labels))
	}
	compare(t, "hosts", got, []string{
		`h1 [z a b] {"env":"lab","os":"x","role":"z","site":"block"}`,
		`h2 [a b] {"env":"prod","role":"b"}`,
		`named [z a] {"role":"z","site":"one"}`,
	})
	compare(t, "labels of service b, which hosts share", e.Services[1].Labels, map[string]string{"role": "b", "env": "prod"})
	compare(t, "labels of the facts", e.Hosts[0].Facts.Labels, map[string]string{"env": "lab", "os": "x"})
}

// TestDigests recomputes the digests as the documentation says.
func TestDigests(t *testing.T) {
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{
		"inventory/a.hcl": "estate \"x\" {}\n", "inventory/notes.txt": "read by nobody", "inventory/facts/f.jsonl": "{\"host\":\"a\"}\n",
		"inventory/patches/p.jsonl": "", "rings/r.hcl": "", "outcomes/b.jsonl": "{\"prev\":\"1\"}\n{\"prev\":\"2\"}\n", "outcomes/a.jsonl": "{\"prev\":\"3\"}\n",
	} {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	e, faults := Read(fsys)
	if len(faults) > 0 {
		t.Fatal(lines(faults))
	}
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	over := func(names ...string) string {
		all := ""
		for _, n := range names {
			all += n + "\x00" + hash(string(fsys[n].Data)) + "\n"
		}
		return "sha256:" + hash(all)
	}
	compare(t, "Digests", e.Digests, Digests{
		Inventory:  over("inventory/a.hcl", "inventory/facts/f.jsonl", "inventory/notes.txt"),
		Rings:      over("rings/r.hcl"),
		Policies:   "sha256:" + hash(""),
		Models:     "sha256:" + hash(""),
		Advisories: over("inventory/patches/p.jsonl"),
		Outcomes:   "sha256:" + hash("a\x00"+hash(`{"prev":"3"}`)+"\nb\x00"+hash(`{"prev":"2"}`)+"\n"),
	})
}

// TestReadDeterministic: the same files give the same estate and faults for any
// number of processors.
func TestReadDeterministic(t *testing.T) {
	fsys := generated(400, 5, 3)
	broken, _ := archive(t, filepath.Join(testdata, "err", "several_files.txtar"))
	read := func() []byte {
		e, faults := Read(fsys)
		_, more := Read(broken)
		data, err := json.Marshal([]any{e, faults, more})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	want := read()
	for _, n := range []int{1, 2, 8} {
		old := runtime.GOMAXPROCS(n)
		got := read()
		runtime.GOMAXPROCS(old)
		if !bytes.Equal(got, want) {
			t.Fatalf("another estate with GOMAXPROCS=%d", n)
		}
	}
}

// FuzzRead: no text of people or machines makes Read panic, and its faults are
// sorted, each once.
func FuzzRead(f *testing.F) {
	f.Add([]byte("estate \"x\" {}\nwindow \"w\" {\n  recur = \"FREQ=DAILY\"\n  duration = \"4h\"\n}\n"), []byte("ring \"c\" {\n  order = 1\n}\n"), []byte(`{"host":"a","packages":[{"type":"deb","name":"b","version":"1"}]}`), []byte(`{"at":"2026-03-02T08:00:00Z","by":"a","kind":"hold","reason":"x"}`))
	f.Add([]byte("service \"s\" {\n  depends_on = [\"s\"]\n}"), []byte("fleet \"exec\" {}"), []byte("{}"), []byte("[]"))
	f.Fuzz(func(t *testing.T, inv, rings, facts, overrides []byte) {
		fsys := fstest.MapFS{"inventory/a.hcl": {Data: inv}, "rings/r.hcl": {Data: rings}, "inventory/facts/f.jsonl": {Data: facts}, "overrides/o.jsonl": {Data: overrides},
			"inventory/history/outcomes.jsonl": {Data: facts}, "outcomes/a.jsonl": {Data: overrides}, "inventory/facts/sets/s.json": {Data: facts}}
		_, faults := Read(fsys)
		for i, x := range faults {
			if x.Message == "" || x.File == "" || i > 0 && Order(faults[i-1], x) >= 0 {
				t.Errorf("faults %q: not sorted, or one is empty or twice", lines(faults))
			}
		}
	})
}
