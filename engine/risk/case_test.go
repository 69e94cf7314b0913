package risk

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/advisory"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// The features of a line, through JSON as a ledger keeps them, are what was known.
func TestKnownThroughALedger(t *testing.T) {
	p, h := quiet(), healthy()
	h.Labels = map[string]string{"env": "prod"}
	h.Facts.OS = &inventory.OS{ID: "debian", Version: "12"}
	h.Facts.Load = make([]float64, 168)
	h.Facts.Load[hourOfWeek(now)] = 0.75
	p.Advisories[0].Components = []string{"tls", "net", "tls"}
	p.Advisories[0].KnownIssues = []advisory.KnownIssue{{Text: "breaks", Module: "hba7"}, {Text: "slow"}, {Text: "else", Role: "db"}}
	want := Know(p, h, Setting{Role: "web", Tier: "critical", Dependents: ptr(2), Redundancy: ptr(0), Start: now}, now)
	if want.IssuesHit != 1 || want.IssuesMaybe != 1 || *want.Load != 0.75 || *want.AgeDays != 60 || !cmp.Equal(want.Components, []string{"net", "tls"}) || *want.Redundancy != 0 {
		t.Errorf("Know() = %+v", want)
	}
	data, err := json.Marshal(want.Features())
	if err != nil {
		t.Fatal(err)
	}
	l := outcome.Line{Patch: p.ID, From: p.From, To: p.To}
	if err := json.Unmarshal(data, &l.Features); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, knownOf(l)); diff != "" {
		t.Errorf("read back from a line -want +got:\n%s", diff)
	}
	// A line of another writer: what cannot be read is absent, the rest is kept.
	l.Features["uptime_s"], l.Features["drift"] = "long", 3.0
	got := knownOf(l)
	if got.UptimeS != nil || got.Drift != nil || got.Role != "web" || *got.MemFreeMB != 2048 {
		t.Errorf("with members that are none of ours: %+v", got)
	}
}

// What nobody reported is absent, never zero: in the features, in a line and in a
// row of history.
func TestAbsentIsNotZero(t *testing.T) {
	k := Know(Patch{ID: "deb:x@2", Package: "x", To: "2"}, nil, Setting{}, now)
	if diff := cmp.Diff(map[string]any{"type": "deb", "package": "x", "to": "2"}, k.Features()); diff != "" {
		t.Errorf("Features() of hardly anything -want +got:\n%s", diff)
	}
	row := knownOfRow(outcome.Imported{Patch: "deb:x@2", Host: "a"})
	if diff := cmp.Diff(&k, row); diff != "" {
		t.Errorf("a row of hardly anything -want +got:\n%s", diff)
	}
	for _, f := range Features {
		if f.place == nil {
			continue
		}
		if v := f.place(&k.Place); v.Word != "" || v.Number == v.Number {
			t.Errorf("feature %q of a host of which nothing is known is %+v, want nothing", f.Name, v)
		}
	}
	if traits := k.Place.traits(); len(traits) > 0 {
		t.Errorf("traits of a host of which nothing is known: %v", traits)
	}
}

// Every feature has a name of its own, says what it means, and comes from one side.
func TestFeatureTable(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Features {
		sides := 0
		for _, has := range []bool{f.update != nil, f.place != nil, f.cross != nil} {
			if has {
				sides++
			}
		}
		if sides != 1 || f.Name == "" || f.About == "" || seen[f.Name] {
			t.Errorf("feature %q: about %q, %d sides", f.Name, f.About, sides)
		}
		seen[f.Name] = true
	}
}

func TestTraits(t *testing.T) {
	for _, c := range []struct {
		u    Update
		want []string
	}{
		{Update{Type: "generic", Package: "heron-web", Vendor: "Heron", To: "v4.2.2", Kind: "feature", Reboot: ptr(true), SizeBytes: ptr(int64(2e8)), Components: []string{"tls"}},
			[]string{"component tls", "kind feature", "line heron-web 4", "package heron-web", "reboot yes", "size 100 MB", "size 30 MB", "vendor Heron"}},
		{Update{Type: "deb", Package: "bind9", To: "1:9.18.28-1~deb12u2"}, []string{"line bind9 9", "package bind9"}},
		{Update{Type: "windows", Package: "KB5034441", To: "KB5034441"}, []string{"package KB5034441"}},
		{Update{Type: "generic", Package: "tzdata", To: "20250101"}, []string{"package tzdata"}},
		{Update{}, nil},
	} {
		if diff := cmp.Diff(c.want, c.u.traits()); diff != "" {
			t.Errorf("traits of %+v -want +got:\n%s", c.u, diff)
		}
	}
	p := Place{Role: "web", OS: "debian 12", Modules: []string{"hba7"}, Drift: ptr(true), RebootPending: ptr(false), MemFreeMB: ptr(int64(700)), DiskFreeMB: ptr(int64(500)), UptimeS: ptr(int64(200 * 86400))}
	want := []string{"disk 1 GB", "disk 4 GB", "drift yes", "memory 1 GB", "module hba7", "os debian 12", "role web", "uptime 180 days"}
	if diff := cmp.Diff(want, p.traits()); diff != "" {
		t.Errorf("traits of a host -want +got:\n%s", diff)
	}
	for _, trait := range append(p.traits(), "pending yes", "env prod") {
		if !isTrait(trait, hostTraits) {
			t.Errorf("%q is not read back as a host's trait", trait)
		}
	}
}

// What people said moves what is learnt, and neither record nor incompatibilities.
func TestSaidTrains(t *testing.T) {
	trials := randomTrials(9, 900)
	plain, err := FitDeployment(trials, hours(100000), DeploymentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var said []Said
	for _, k := range trials[:300] {
		said = append(said, Said{Trial: k, High: true})
	}
	told, err := FitDeployment(trials, hours(100000), DeploymentOptions{Said: said})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain.Record, told.Record); diff != "" {
		t.Errorf("opinions changed the record: %s", diff)
	}
	if diff := cmp.Diff(plain.Pairs, told.Pairs); diff != "" {
		t.Errorf("opinions changed the incompatibilities: %s", diff)
	}
	if told.Data["overrides"] != 300.0 || told.Data["override_weight"] != SaidWeight {
		t.Errorf("data card %v, want 300 overrides and their weight", told.Data)
	}
	l := study(lessonsOf(trials, hours(100000)))
	if err := l.model.learn(l.rows(nil), nil, nil); err != nil {
		t.Fatal(err)
	}
	before := l.model.learnt.Intercept()
	if err := l.model.learn(l.rows(nil), said, nil); err != nil {
		t.Fatal(err)
	}
	if after := l.model.learnt.Intercept(); after <= before {
		t.Errorf("300 times \"high\" moved what is learnt from %v to %v, want up", before, after)
	}
}
