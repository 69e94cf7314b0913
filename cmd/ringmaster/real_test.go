package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// realAt is a day after Vuls looked at the AlmaLinux hosts.
const realAt = "2026-05-08T09:00:00Z"

// realFiles are what the README's real run declares; DATA is where the data is.
var realFiles = map[string]string{
	"inventory/services.hcl": `service "files" {
  tier     = "development"
  owner    = "team-office"
  hosts    = ["alma_*", "debian_*"]
  exposure = "internal"
}
`,
	"inventory/feeds.hcl": `feed "osv" {
  from = ["DATA/osv/almalinux-advisories.tar.gz"]
}
feed "debian" {
  from = ["DATA/debian-tracker/DSA-list.gz", "DATA/debian-tracker/DLA-list.gz"]
}
feed "kev" {
  from = ["DATA/kev/known_exploited_vulnerabilities.json"]
}
`,
	"rings/rings.hcl": `ring "canary" {
  order = 1
  hosts = ["alma_9"]
  soak  = "24h"
}
ring "broad" {
  order = 2
  soak  = "24h"
}
`,
	"inventory/estate.hcl": `estate "real" {
  teams = { owners = ["olivia"], team-office = ["fred"] }
}
tier "development" {
  rank     = 3
  autonomy = "autonomous"
}
`,
}

// need is a host that an advisory's fix of a package is for.
type need struct{ host, pkg, advisory string }

// TestRealRun is the README's real run: hosts that Vuls looked at, AlmaLinux's
// and Debian's advisories, a plan, and every need equal to what librpm and dpkg
// say of the same hosts.
func TestRealRun(t *testing.T) {
	data, err := filepath.Abs("../../../shared/data")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(data); err != nil {
		t.Skip("../shared/data is not there; engine/match holds cases of the same kinds")
	}
	dir := realEstate(t, data)
	if got := outputOf(t, 0, "-C", dir, "--at", realAt, "feeds", "sync"); !strings.Contains(got, "3722 records") {
		t.Errorf("feeds sync said %s", got)
	}
	commitAll(t, dir, "advisories")
	begin := time.Now()
	plans := plansOf(t, outputOf(t, exitHeld, "-C", dir, "--at", realAt, "--log-level", "error", "--format", "json", "plan"))
	spent := time.Since(begin)

	r := tallyOf(t, plans)
	modules := modulesOf(t, dir)
	for file, column := range map[string]string{"alma_host_matches.csv": "package", "debian_host_matches.csv": "source_package"} {
		r.compare(t, filepath.Join(data, "versions", file), column, modules)
	}
	for n := range r.needs {
		if !r.want[n] && !modules[n.host+" "+n.pkg] {
			t.Errorf("%v is needed, which the reference does not know", n)
		}
	}
	t.Logf("%s in %v", r, spent.Round(time.Millisecond))
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), r.String()) {
		t.Errorf("README.md does not have the run's figures:\n%s", r)
	}
}

// realEstate is a repository with the three hosts' facts.
func realEstate(t *testing.T, data string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "real")
	outputOf(t, 0, "--at", realAt, "init", dir)
	vuls := filepath.Join(data, "inventory", "vuls")
	outputOf(t, 0, "-C", dir, "--at", realAt, "import", "vuls", vuls+"/alma_8.json", vuls+"/alma_9.json", vuls+"/debian_9.json")
	for name, text := range realFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "DATA", data)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	commitAll(t, dir, "our hosts")
	return dir
}

// outputOf runs ringmaster in this process and returns what it printed.
func outputOf(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	got := run(context.Background(), args, streams{strings.NewReader(""), &out, &log}, func(string) string { return "" }, time.Date(2026, 5, 8, 9, 0, 0, 0, time.UTC))
	if got != code {
		t.Fatalf("ringmaster %s ended with %d, want %d:\n%s", strings.Join(args, " "), got, code, log.String())
	}
	return out.String()
}

func plansOf(t *testing.T, lines string) []*plan.Plan {
	t.Helper()
	var list []*plan.Plan
	for _, l := range strings.Split(strings.TrimSpace(lines), "\n") {
		p := &plan.Plan{}
		if err := json.Unmarshal([]byte(l), p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// realTally is what a run's plans come to.
type realTally struct {
	needs, want                          map[need]bool
	hosts, planned, waiting, undecided   int
	patches, disputes, compared, modular int
}

func (r *realTally) String() string {
	return fmt.Sprintf("%d hosts, %d needs (host, package, advisory): %d rows of the reference compared, all equal;\n"+
		"%d patches, %d changes planned, %d not planned, %d undecided, %d disputes with the scanner",
		r.hosts, len(r.needs), r.compared, r.patches, r.planned, r.waiting, r.undecided, r.disputes)
}

// tallyOf reads the needs off the plans: what is planned and what is not.
func tallyOf(t *testing.T, plans []*plan.Plan) *realTally {
	t.Helper()
	r := &realTally{needs: map[need]bool{}, want: map[need]bool{}}
	for _, p := range plans {
		r.hosts = p.Population.Declared
		r.patches += len(p.Patches)
		r.disputes += len(p.Scanners)
		byID := map[plan.PatchID]plan.Patch{}
		for _, x := range p.Patches {
			byID[x.ID] = x
		}
		add := func(host inventory.HostID, id plan.PatchID) {
			for _, a := range byID[id].Advisories {
				r.needs[need{string(host), byID[id].Package, a}] = true
			}
		}
		for _, ring := range p.Rings {
			for _, w := range ring.Waves {
				for _, c := range w.Changes {
					r.planned++
					add(c.Host, c.Patch)
				}
			}
		}
		for _, s := range p.NotPlanned {
			if strings.HasPrefix(s.Why, "undecided") {
				r.undecided++
				continue
			}
			if !strings.HasPrefix(s.Why, "sufficiency.hold: the host's facts are 62 days old") {
				t.Errorf("%s on %s is not planned: %s", s.Patch, s.Host, s.Why)
			}
			r.waiting++
			add(s.Host, s.Patch)
		}
	}
	return r
}

// compare holds the needs to a reference. It compares module packages without
// their streams, so that rows of modules say only what may not be needed.
func (r *realTally) compare(t *testing.T, file, column string, modules map[string]bool) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range all[0] {
		at[name] = i
	}
	plain, byStream := map[need]bool{}, map[need]bool{}
	for _, row := range all[1:] {
		n := need{row[at["host"]], row[at[column]], row[at["advisory"]]}
		affected := row[at["affected"]] == "1"
		if i, ok := at["modular"]; ok && row[i] == "1" {
			r.modular++
			byStream[n] = byStream[n] || affected && advisory.ModularVersion(row[at["installed"]])
			continue
		}
		r.compared++
		plain[n] = plain[n] || affected
	}
	for n, want := range plain {
		if r.needs[n] != want {
			t.Errorf("%v: needed %v, want %v", n, r.needs[n], want)
		}
		if want {
			r.want[n] = true
		}
	}
	for n, may := range byStream {
		if r.needs[n] && !may && !plain[n] {
			t.Errorf("%v is said to need the fix of a module that it is not from", n)
		}
	}
}

// modulesOf are "host package" that come from module streams.
func modulesOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "inventory", "facts", "hosts.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	from := map[string]bool{}
	for _, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var h struct {
			Host     string
			Packages []struct{ Name, Module string }
		}
		if err := json.Unmarshal([]byte(l), &h); err != nil {
			t.Fatal(err)
		}
		for _, p := range h.Packages {
			from[h.Host+" "+p.Name] = p.Module != ""
		}
	}
	return from
}
