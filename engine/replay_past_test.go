package engine

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/match"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// pastSpec is a made-up history: at each moment two packages of each of two
// groups of services have an update, one plan for each group is merged, and all of
// it is carried out within the day; one change in fifty degrades and is rolled
// back.
type pastSpec struct {
	moments int
	hosts   int // of each group; each has two changes a moment
	every   time.Duration
	ended   func(moment int) bool // whether its plans were carried out; nil: all
	files   map[string]string     // more files, or others
	shipped bool                  // with the shipped policies; else with a few that stay as they are
}

// pastPolicies ask about everything that a timeline has to know.
const pastPolicies = `package ringmaster.past

hold contains {"msg": sprintf("%s holds it", [h.by]), "facts": {"until": object.get(h, "until", "")}, "remedy": "wait"} if some h in input.host.holds

hold contains {"msg": sprintf("it failed in %s", [q.plan]), "facts": {"until": q.until}, "remedy": "wait"} if some q in input.host.quarantine

warn contains {"msg": a.says, "facts": {}, "remedy": "look"} if some a in input.patch.alarms

warn contains {"msg": sprintf("%d outcomes, %v months", [input.history.outcomes, input.history.months]), "facts": {}, "remedy": "none"} if input.point == "plan"

require contains {"msg": sprintf("%s is asked", [s.owner]), "facts": {"from": s.owner, "count": 1}, "remedy": "ask"} if {
	some s in input.plan.services
	input.plan.max_risk > 0
}

warn contains {"msg": sprintf("%d hosts at once", [input.wave.hosts]), "facts": {}, "remedy": "none"} if input.wave.hosts > 5
`

const pastEstate = `
estate "acme" {
  timezone = "Europe/Berlin"
  clock    = "given"
  owners   = ["owners"]
  group "payments" {
    services = ["shop"]
  }
}

tier "production" {
  rank                     = 2
  downtime_cost_per_minute = 400
  risk_tolerance           = 0.10
  autonomy                 = "semi-autonomous"
}

tier "development" {
  rank                     = 3
  downtime_cost_per_minute = 5
  risk_tolerance           = 0.30
  autonomy                 = "autonomous"
}

service "shop" {
  tier     = "production"
  owner    = "team-payments"
  hosts    = ["web-*"]
  labels   = { role = "web" }
  exposure = "internet"
}

service "intranet" {
  tier     = "development"
  owner    = "team-office"
  hosts    = ["office-*"]
  labels   = { role = "office" }
  exposure = "internal"
}
`

const pastRings = `
ring "canary" {
  order        = 1
  share        = "5%"
  soak         = "1h"
  max_failures = 50
}

ring "broad" {
  order        = 2
  soak         = "1h"
  max_failures = 50
}

fleet "sim" {
  parallel = 1000
}

health "sim" {}
`

var (
	pastFrom   = time.Date(2024, 1, 3, 9, 0, 0, 0, time.UTC)
	pastGroups = []struct {
		hosts, role, vendor string
		packages            [2]string
		exposed             bool
	}{
		{"web", "web", "Heron", [2]string{"heron-web", "heron-tls"}, true},
		{"office", "office", "Osprey", [2]string{"osprey-agent", "osprey-mail"}, false},
	}
)

// madePast is a history in the making.
type madePast struct {
	tb   testing.TB
	spec pastSpec
	env  *Env
	tip  repo.Hash
	has  map[string]string // host/package → version
	ids  []string          // of all plans, those of the group main before those of payments
	log  []step            // commits, with the plans and ledgers that they changed
}

// newPast begins a history with the estate.
func newPast(tb testing.TB, spec pastSpec) *madePast {
	tb.Helper()
	r, err := repo.Init(tb.TempDir(), "main")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	log := logrus.New()
	log.SetOutput(io.Discard)
	p := &madePast{tb: tb, spec: spec, has: map[string]string{}}
	p.env = &Env{Repo: r, Forge: local.New(r, "main", nil), At: pastFrom, Version: Version, Run: "past", Log: log}
	files := map[string][]byte{"policies/past/past.rego": []byte(pastPolicies)}
	if spec.shipped {
		files = shippedPolicies(tb)
	}
	files["inventory/estate.hcl"], files["rings/rings.hcl"] = []byte(pastEstate), []byte(pastRings)
	for name, text := range spec.files {
		files[name] = []byte(text)
	}
	p.commit(files, pastFrom.Add(-48*time.Hour), "an estate")
	return p
}

func shippedPolicies(tb testing.TB) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	src := os.DirFS("../policies")
	err := fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path.Join("policies", name)], err = fs.ReadFile(src, name)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func (p *madePast) commit(files map[string][]byte, at time.Time, message string) {
	p.tb.Helper()
	next := repo.Next{Base: p.tip, Changes: files, Message: message, Author: bot, At: at}
	var err error
	if p.tip, err = p.env.Repo.Advance("refs/heads/main", next); err != nil {
		p.tb.Fatal(err)
	}
	s := step{commit: p.tip}
	for _, name := range sortedKeys(files) {
		_, isPlan := planAt(name)
		if _, isLedger := ledgerAt(name); isPlan || isLedger {
			s.changes = append(s.changes, repo.Change{Path: name, After: p.tip})
		}
	}
	p.log = append(p.log, s)
}

// at is when the plans of a moment are made.
func (p *madePast) at(moment int) time.Time {
	return pastFrom.Add(time.Duration(moment) * p.spec.every)
}

// make goes through all moments; decide makes the plans of the tip at a time.
func (p *madePast) make(decide func(*Env, repo.Hash, time.Time) ([]*plan.Plan, error)) *Env {
	p.tb.Helper()
	for m := range p.spec.moments {
		at := p.at(m)
		p.commit(p.facts(m), at.Add(-time.Hour), "facts, and updates")
		plans, err := decide(p.env, p.tip, at)
		if err != nil {
			p.tb.Fatal(err)
		}
		files := map[string][]byte{}
		for _, one := range plans {
			if len(one.Rings) == 0 {
				continue
			}
			p.ids = append(p.ids, one.ID)
			if files[plan.Path(one.ID)], err = plan.Seal(one); err != nil {
				p.tb.Fatal(err)
			}
			if p.spec.ended == nil || p.spec.ended(m) {
				files[outcome.Path(one.ID)] = p.ledger(one)
			}
		}
		p.commit(files, at.Add(20*time.Hour), "plans, and what became of them")
	}
	p.env.At = p.at(p.spec.moments)
	return p.env
}

// facts are what hosts report, and the updates there are for it.
func (p *madePast) facts(m int) map[string][]byte {
	at := p.at(m)
	var updates bytes.Buffer
	files := map[string][]byte{}
	for g, group := range pastGroups {
		for _, name := range group.packages {
			fmt.Fprintf(&updates, `{"schema":"ringmaster/patch/v1","id":"UP-%d-%s","vendor":%q,"type":"generic","package":%q,"from":"1.0.0","to":"1.%d.0","kind":"security","published":%q,"size_bytes":4200000,"reboot":false,"components":["tls"],"cves":[{"id":"CVE-2024-%d","cvss":"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N"}],"bulletin":"Restart the service.","known_issues":[],"reports":0}`+"\n",
				m, name, group.vendor, name, m+1, at.Add(-100*time.Hour).Format(time.RFC3339), 10000+4*m+g)
		}
		var shard bytes.Buffer
		for i := range p.spec.hosts {
			host := fmt.Sprintf("%s-%04d", group.hosts, i)
			fmt.Fprintf(&shard, `{"at":%q,"disk_free_mb":%d,"disk_mb":40000,"drift":false,"exposed":%v,"host":%q,"labels":{"role":%q,"rack":"r%d"},"mem_free_mb":3000,"mem_mb":8192,"modules":["m%d"],"os":{"arch":"amd64","id":"debian","version":"12"},"packages":[`,
				at.Add(-2*time.Hour).Format(time.RFC3339), 20000+100*(i%7), group.exposed, host, group.role, i%10, i%4)
			for n, name := range group.packages {
				version := p.has[host+"/"+name]
				if version == "" {
					version = "1.0.0"
				}
				if n > 0 {
					shard.WriteByte(',')
				}
				fmt.Fprintf(&shard, `{"name":%q,"type":"generic","vendor":%q,"version":%q}`, name, group.vendor, version)
			}
			fmt.Fprintf(&shard, `],"reboot_pending":false,"source":"made","uptime_s":%d}`+"\n", 3456000+86400*(i%5))
		}
		files["inventory/facts/"+group.hosts+".jsonl"] = shard.Bytes()
	}
	files["inventory/patches/updates.jsonl"] = updates.Bytes()
	return files
}

// ledger carries a plan out: intended, applied and healthy, or rolled back.
func (p *madePast) ledger(one *plan.Plan) []byte {
	p.tb.Helper()
	var lines []outcome.Line
	n := 0
	for _, r := range one.Rings {
		for w, wave := range r.Waves {
			for _, c := range wave.Changes {
				_, name, to, _ := c.Patch.Parts()
				l := outcome.Line{At: one.At.Add(time.Hour), Plan: one.ID, Ring: r.Name, Wave: w + 1, Host: c.Host, Patch: c.Patch, From: c.From, To: to,
					Key: fmt.Sprintf("%s/%s/%s/1", one.ID, c.Host, c.Patch), Fleet: "sim", Engine: Version, Run: "past", Predicted: c.DeployRisk.P}
				l.Features = map[string]any{"vendor": one.Patches[0].Vendor, "package": name, "role": "web", "kind": "security", "uptime_s": 3456000.0}
				add := func(e outcome.Event, after time.Duration) {
					l.Event, l.At = e, one.At.Add(after)
					lines = append(lines, l)
				}
				add(outcome.Intended, time.Hour)
				add(outcome.Applied, time.Hour+time.Minute)
				if n++; n%50 == 7 {
					add(outcome.Degraded, 2*time.Hour)
					l.From, l.To, l.Key = l.To, l.From, l.Key+"/rollback"
					add(outcome.Intended, 2*time.Hour)
					add(outcome.RolledBack, 2*time.Hour+time.Minute)
					continue
				}
				add(outcome.Healthy, 4*time.Hour)
				p.has[string(c.Host)+"/"+name] = to
			}
		}
	}
	lines = append(lines, outcome.Line{At: one.At.Add(5 * time.Hour), Plan: one.ID, Event: outcome.Completed, Engine: Version, Run: "past"})
	data, err := outcome.Append(nil, one.Digest, lines)
	if err != nil {
		p.tb.Fatal(err)
	}
	return data
}

// slowly decides as `plan` does.
func slowly(e *Env, commit repo.Hash, at time.Time) ([]*plan.Plan, error) {
	est, err := e.read(commit)
	if err != nil {
		return nil, err
	}
	return e.decide(est, commit, at, e.Version)
}

// quickly decides as `plan` does, in a time that does not grow with the history:
// what TestReplay shows to be the same is kept from moment to moment.
func quickly(p *madePast) func(*Env, repo.Hash, time.Time) ([]*plan.Plan, error) {
	pr, err := p.env.presenter(p.tip, replay.New(), &laws{own: map[string]*policy.Set{}})
	if err != nil {
		p.tb.Fatal(err)
	}
	t := pr.timeline
	t.steps, t.said = nil, func(string, []replay.Fate) {}
	return func(e *Env, commit repo.Hash, at time.Time) ([]*plan.Plan, error) {
		for _, s := range p.log[len(t.steps):] {
			for _, c := range s.changes {
				t.last[c.Path] = len(t.steps)
			}
			t.steps = append(t.steps, s)
		}
		t.goTo(len(t.steps) - 1)
		est, err := pr.estateAt(commit)
		if err != nil {
			return nil, err
		}
		taken := map[string]bool{}
		for _, id := range p.ids {
			taken[id] = true
		}
		d, _, err := t.decider(est, basis{commit: commit, at: at, version: e.Version, taken: taken})
		if err == nil {
			d.policies, err = pr.laws.compiled(est)
		}
		if err != nil {
			return nil, err
		}
		found := match.Changes(d.hosts, est.Advisories)
		d.uncovered = len(found.Uncovered)
		var plans []*plan.Plan
		for _, dr := range d.drafts(found) {
			dr.fill()
			d.score(dr)
			d.admit(dr)
			d.place(dr)
			d.judgeWaves(dr)
			plans = append(plans, d.compose(dr, d.population()))
		}
		d.leftovers(plans, found)
		slices.SortFunc(plans, byID)
		return plans, nil
	}
}
