package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/testdata/gen/synthetic"
)

// recallable is a history of n days, each of which merges a plan over 20 hosts and
// appends to its ledger; every seventh brings newer facts of one host, every 28th
// another advisory.
func recallable(t testing.TB, e *Env, n int) []deed {
	t.Helper()
	head, err := e.Repo.Head()
	if err != nil {
		t.Fatal(err)
	}
	est, err := e.read(head.Commit)
	if err != nil {
		t.Fatal(err)
	}
	a := est.Advisories[0]
	id := plan.PatchID(fmt.Sprintf("%s:%s@%s", a.Fixes[0].Type, a.Fixes[0].Package, a.Fixes[0].Fixed))
	tip := head.Commit
	var list []deed
	for day := range n {
		at := plannedAt.AddDate(0, 0, day)
		// In place of a ledger, which the whole estate could not do without a plan.
		files := map[string][]byte{"policies/day.rego": fmt.Appendf(nil, "package day\n\nday := %d\n", day)}
		if day%7 == 6 {
			host := est.Hosts[day%len(est.Hosts)].ID
			files[fmt.Sprintf("inventory/facts/day%03d.jsonl", day)] = fmt.Appendf(nil, `{"host":%q,"at":%q,"uptime_s":%d,"modules":["m%d"]}`+"\n", host, at.Format(time.RFC3339), day*3600, day)
		}
		if day%28 == 27 {
			files[fmt.Sprintf("inventory/patches/day%03d.jsonl", day)] = fmt.Appendf(nil,
				`{"schema":"ringmaster/patch/v1","id":"HER-%d","vendor":"Heron","type":"generic","package":"heron-web","to":"4.2.%d","kind":"bugfix","published":%q}`+"\n", day, day, at.Format(time.RFC3339))
		}
		if tip, err = e.Repo.Advance("refs/heads/main", repo.Next{Base: tip, Changes: files, Message: "a day", Author: bot, At: at}); err != nil {
			t.Fatal(err)
		}
		d := deed{plan: &plan.Plan{ID: fmt.Sprintf("standard-main-%d", day+1), At: at, Inputs: plan.Inputs{Commit: string(tip)},
			Patches: []plan.Patch{{ID: id, Package: a.Fixes[0].Package, To: a.Fixes[0].Fixed, Advisories: []string{a.ID}}}}}
		for i := range 20 {
			d.lines = append(d.lines, outcome.Line{At: at, Plan: d.plan.ID, Host: est.Hosts[(day+i*7)%len(est.Hosts)].ID, Patch: id, Event: outcome.Healthy})
		}
		list = append(list, d)
	}
	return list
}

// What is read in part and kept from plan to plan says the same of every change as
// the whole estate of its commit, read anew.
func TestRecalledIsWhatWasKnown(t *testing.T) {
	e := syntheticEnvOf(t, synthetic.Options{Hosts: 60, Advisories: 40, At: plannedAt})
	list := recallable(t, e, 29)
	said, err := e.recalled(&estate.Estate{}, list)
	if err != nil || len(said) != 0 {
		t.Fatalf("recalled() = %v, %v", said, err)
	}
	for _, day := range []int{0, 28} { // before and after facts and advisories changed
		done := list[day]
		commit := repo.Hash(done.plan.Inputs.Commit)
		est, err := e.read(commit)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := newDecider(est, e.basis(commit, done.plan.At))
		if err != nil {
			t.Fatal(err)
		}
		whole.deeds = []deed{done}
		for i := range done.lines {
			l := done.lines[i]
			if diff := cmp.Diff(whole.features(&l), l.Features); diff != "" {
				t.Fatalf("%s on %s (-whole +part):\n%s", l.Plan, l.Host, diff)
			}
			if l.Features["cves"] == nil || l.Features["role"] == nil {
				t.Fatalf("features without advisory or host: %v", l.Features)
			}
		}
	}
}

// BenchmarkRecall works out anew what was known of the changes of 200 plans, on a
// fleet of 1,000 with 500 advisories.
func BenchmarkRecall(b *testing.B) {
	e := syntheticEnv(b, 1000)
	list := recallable(b, e, 200)
	before := cpuTime()
	for b.Loop() {
		if _, err := e.recalled(&estate.Estate{}, list); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpuTime()-before).Seconds()/float64(b.N), "cpu-s/op")
}
