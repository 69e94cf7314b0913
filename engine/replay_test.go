package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/replay"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// smallPast is eight moments of two plans, of which the fourth's are never
// carried out and the last's are not yet; it has history from before, a hold, and
// a person who disagrees with a score.
func smallPast() pastSpec {
	var rows strings.Builder
	for i := range 40 {
		fmt.Fprintf(&rows, `{"at":%q,"host":"web-%04d","patch":"generic:heron-web@0.%d.0","package":"heron-web","vendor":"Heron","role":"web","event":%q}`+"\n",
			pastFrom.Add(-time.Duration(2000+24*i)*time.Hour).Format(time.RFC3339), i%12, i, map[bool]string{true: "failed", false: "healthy"}[i%9 == 0])
	}
	said := fmt.Sprintf(`{"schema":"ringmaster/override/v1","at":%q,"by":"olivia","kind":"hold","host":"web-0003","reason":"being rebuilt","until":%q,"loosens":false}`+"\n"+
		`{"schema":"ringmaster/override/v1","at":%q,"by":"olivia","kind":"risk","value":"high","patch":"generic:osprey-mail@*","reason":"odd","loosens":false}`+"\n",
		pastFrom.Add(-time.Hour).Format(time.RFC3339), pastFrom.Add(80*time.Hour).Format(time.RFC3339), pastFrom.Add(-time.Hour).Format(time.RFC3339))
	return pastSpec{moments: 8, hosts: 12, every: 36 * time.Hour, ended: func(m int) bool { return m != 3 && m != 7 },
		files: map[string]string{"inventory/history/outcomes.jsonl": rows.String(), "overrides/people.jsonl": said}}
}

func replayed(t *testing.T, e *Env, candidate fs.FS, against string) string {
	t.Helper()
	r, err := e.Replay(context.Background(), ReplayOptions{Files: candidate, Name: "candidate", Against: against})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// treeOf is the commit that is checked out, with files changed or, where they
// are nil, taken away.
func treeOf(t *testing.T, e *Env, changes map[string]string) fstest.MapFS {
	t.Helper()
	h, err := e.head()
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Repo.Diff("", h)
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for _, c := range list {
		data, err := e.Repo.ReadFile(h, c.Path)
		if err != nil {
			t.Fatal(err)
		}
		tree[c.Path] = &fstest.MapFile{Data: data}
	}
	for name, text := range changes {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

// One history serves all that leave it as it is.
func TestReplay(t *testing.T) {
	p := newPast(t, smallPast())
	p.make(slowly)
	t.Run("flips", func(t *testing.T) { testFlips(t, p.env) })
	t.Run("inputs", func(t *testing.T) { testInputs(t, p.env, p.tip) })
	t.Run("models", func(t *testing.T) { testModels(t, p.env, p.tip) })
}

// Every plan that was made is made again, the same policies flip nothing, and a
// rule that stops some changes is joined to what became of them.
func testFlips(t *testing.T, e *Env) {
	same := replayed(t, e, treeOf(t, e, nil), "")
	if !strings.Contains(same, "16 plans, 448 decisions, all reproduced under their own policies\n\nnothing flips ") {
		t.Errorf("Replay(the same policies):\n%s", same)
	}
	flips := replayed(t, e, treeOf(t, e, map[string]string{"policies/rack/rack.rego": rackRule}), "")
	for _, want := range []string{
		"16 plans, 448 decisions, all reproduced under their own policies\n",
		"would have been stopped   26 changes on 2 hosts: of these 9 failed then, 9 were healthy, 8 had no result\n",
		"stopped either way        6 held then, denied now\n", // somebody holds web-0003 for three moments
		"rack.deny                        26            9             9         0        +32\n",
	} {
		if !strings.Contains(flips, want) {
			t.Errorf("Replay(a rule for rack r3) lacks %q:\n%s", want, flips)
		}
	}
	testBundleFlips(t, e)
	fewer := treeOf(t, e, nil)
	fewer["policies/past/past.rego"].Data = []byte(strings.Replace(pastPolicies, "in input.host.holds", "in []", 1))
	if opened := replayed(t, e, fewer, ""); !strings.Contains(opened, "would have been let pass") || !strings.Contains(opened, "past.hold ") {
		t.Errorf("Replay(without a rule):\n%s", opened)
	}
}

// A rule that an organisation's bundle brings flips what it flips in the estate, and
// one that a newer bundle no longer has lets the same pass.
func testBundleFlips(t *testing.T, e *Env) {
	bundle := func(rule string) map[string]string {
		data := tarred(t, "rack/rack.rego", rule)
		return map[string]string{"policies/bundles.hcl": declaration("../acme.tar.gz", policy.DigestOf(data)), "policies/bundle/acme.tar.gz": string(data)}
	}
	older := bundle(rackRule)
	brought := replayed(t, e, treeOf(t, e, older), "")
	for _, want := range []string{"policies/bundle/acme.tar.gz, policies/bundles.hcl", "rack.deny                        26            9             9         0        +32\n"} {
		if !strings.Contains(brought, want) {
			t.Errorf("Replay(a bundle) lacks %q:\n%s", want, brought)
		}
	}
	head, err := e.head()
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string][]byte{}
	for name, text := range older {
		changes[name] = []byte(text)
	}
	had, err := e.Repo.Write(repo.Next{Base: head, Changes: changes, Message: "an organisation's policies", Author: bot, At: e.At})
	if err != nil {
		t.Fatal(err)
	}
	newer := replayed(t, e, treeOf(t, e, bundle("package ringmaster.rack\n\nwarn contains {\"msg\": \"rack r3\"} if input.host.labels.rack == \"r3\"\n")), string(had))
	if want := "would have been let pass"; !strings.Contains(newer, want) || !strings.Contains(newer, "rack.deny ") {
		t.Errorf("Replay(a newer bundle) lacks %q:\n%s", want, newer)
	}
}

// What the timeline makes of history is what reading each commit by itself does.
func testInputs(t *testing.T, e *Env, tip repo.Hash) {
	l, err := e.laws(context.Background(), tip, ReplayOptions{Files: treeOf(t, e, nil)})
	if err != nil {
		t.Fatal(err)
	}
	pr, err := e.presenter(tip, replay.New(), l)
	if err != nil {
		t.Fatal(err)
	}
	running, walls := 0, 0
	for _, m := range pr.moments {
		r, err := pr.reopen(m)
		if err != nil {
			t.Fatal(err)
		}
		est, err := e.read(m.commit)
		if err != nil {
			t.Fatal(err)
		}
		if est.Digests != r.est.Digests {
			t.Errorf("%s: digests %+v, want %+v", m.at, r.est.Digests, est.Digests)
		}
		d, err := newDecider(est, basis{commit: m.commit, at: m.at, version: m.version})
		if err != nil {
			t.Fatal(err)
		}
		for what, diff := range map[string]string{
			"history": cmp.Diff(d.history, r.history), "alarms": cmp.Diff(d.alarms, r.alarms), "quarantine": cmp.Diff(d.walls, r.walls),
			"in hand": cmp.Diff(len(d.running), len(r.running)),
		} {
			if diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", m.at, what, diff)
			}
		}
		for w, id := range d.running {
			if r.running[w] != id {
				t.Errorf("%s: %v is in hand of %q, want %q", m.at, w, r.running[w], id)
			}
		}
		running, walls = running+len(d.running), walls+len(d.walls)
	}
	if running == 0 || walls == 0 || len(pr.moments) != 8 {
		t.Errorf("%d moments, %d changes in hand, %d in quarantine; the test shows nothing", len(pr.moments), running, walls)
	}
}

// What is not as it was made is named with the reason, and the rest counts.
func TestReplayTampered(t *testing.T) {
	tests := []struct {
		name   string
		change func(*madePast) map[string][]byte
		want   []string
	}{
		{"a plan by another engine", func(p *madePast) map[string][]byte {
			one := p.plan(p.ids[2])
			one.Inputs.Engine, one.Patches[0].Test = "v9.9.9", "sandbox?"
			return map[string][]byte{plan.Path(one.ID): p.seal(one)}
		}, []string{"{2}: it was made by engine v9.9.9, and " + Version + " does not come to the same plan"}},
		{"a plan by another engine that comes out the same", func(p *madePast) map[string][]byte {
			one := p.plan(p.ids[14])
			one.Inputs.Engine = "v9.9.9"
			return map[string][]byte{plan.Path(one.ID): p.seal(one)}
		}, nil},
		{"a plan written by hand", func(p *madePast) map[string][]byte {
			one := p.plan(p.ids[15])
			one.Approvals = nil
			return map[string][]byte{plan.Path(one.ID): p.seal(one)}
		}, []string{"{15}: made again at its commit and time it is another plan; see `ringmaster audit verify`"}},
		{"a plan that is none", func(p *madePast) map[string][]byte {
			return map[string][]byte{plan.Path(p.ids[6]): []byte("{}x")}
		}, []string{"{6}: invalid character"}},
		{"a ledger that was cut", func(p *madePast) map[string][]byte {
			data, err := p.env.Repo.ReadFile(p.tip, outcome.Path(p.ids[12]))
			if err != nil {
				p.tb.Fatal(err)
			}
			return map[string][]byte{outcome.Path(p.ids[12]): data[bytes.IndexByte(data, '\n')+1:]}
		}, []string{"what became of {12} cannot be read: outcomes/{12}.jsonl: line 1: prev is "}},
		{"a plan that was taken back", func(p *madePast) map[string][]byte {
			return map[string][]byte{plan.Path(p.ids[13]): nil}
		}, []string{"{13}: it was taken back after it had begun, and is known by its ledger alone"}},
		{"a plan of a commit that is nowhere", func(p *madePast) map[string][]byte {
			one := p.plan(p.ids[7])
			one.Inputs.Commit = strings.Repeat("ab", 20)
			return map[string][]byte{plan.Path(one.ID): p.seal(one)}
		}, []string{"{7}: at commit ababababab: "}},
	}
	p := newPast(t, smallPast())
	e := p.make(slowly)
	changes := map[string][]byte{}
	for _, test := range tests {
		maps.Copy(changes, test.change(p)) // each of another plan
	}
	p.commit(changes, e.At, "nothing to see here")
	again := &Env{Repo: e.Repo, Forge: e.Forge, At: e.At, Version: e.Version, Log: e.Log}
	got := replayed(t, again, treeOf(t, e, nil), "HEAD")
	if want := "11 plans, 308 decisions, reproduced under their own policies; 5 plans could not be, see below"; !strings.Contains(got, want) {
		t.Errorf("Replay() lacks %q:\n%s", want, got)
	}
	for _, test := range tests {
		for _, want := range test.want {
			for n, id := range p.ids {
				want = strings.ReplaceAll(want, fmt.Sprintf("{%d}", n), id)
			}
			if !strings.Contains(got, want) {
				t.Errorf("%s: Replay() lacks %q:\n%s", test.name, want, got)
			}
		}
	}
}

func (p *madePast) plan(id string) *plan.Plan {
	p.tb.Helper()
	data, err := p.env.Repo.ReadFile(p.tip, plan.Path(id))
	if err != nil {
		p.tb.Fatal(err)
	}
	one, err := plan.Parse(data)
	if err != nil {
		p.tb.Fatal(err)
	}
	return one
}

func (p *madePast) seal(one *plan.Plan) []byte {
	p.tb.Helper()
	data, err := plan.Seal(one)
	if err != nil {
		p.tb.Fatal(err)
	}
	return data
}

// A candidate that does not compile, or is none, is told before anything is read.
func TestReplayRefuses(t *testing.T) {
	p := newPast(t, pastSpec{})
	for _, test := range []struct {
		name, want string
		candidate  fs.FS
		models     bool
	}{
		{"an attribute that is none", `policies/x.rego:2:`, fstest.MapFS{"policies/x.rego": {Data: []byte("package ringmaster.x\ndeny contains {\"msg\": input.hots.id}\n")}}, false},
		{"the network", `policies/x.rego:2:`, fstest.MapFS{"policies/x.rego": {Data: []byte("package ringmaster.x\ndeny contains {\"msg\": http.send({\"url\": \"x\"}).body}\n")}}, false},
		{"no policies", "there are no policies to replay with", fstest.MapFS{}, false},
		{"no models", "there are no models to replay with", fstest.MapFS{}, true},
		{"a model that is none", `models/deployment.json:1: `, fstest.MapFS{"models/deployment.json": {Data: []byte(`{"schema":"x"}`)}}, true},
	} {
		_, err := p.env.Replay(context.Background(), ReplayOptions{Files: test.candidate, Models: test.models})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Replay() = %v, want %q", test.name, err, test.want)
		}
		var faults *FaultsError
		if strings.Contains(test.want, ":") && !errors.As(err, &faults) {
			t.Errorf("%s: Replay() = %T, want faults", test.name, err)
		}
	}
}

// With other models a plan is judged as `plan` would have judged it, had they
// been there.
func testModels(t *testing.T, e *Env, tip repo.Hash) {
	est, err := e.read(tip)
	if err != nil {
		t.Fatal(err)
	}
	all, err := deeds(est)
	if err != nil {
		t.Fatal(err)
	}
	learned, err := fit(est, all, nil, basis{at: e.At}, nil)
	if err != nil {
		t.Fatal(err)
	}
	models := map[string][]byte{trackRecord: learned.Record.Bytes(), deploymentModel: learned.Deployment.Bytes()}
	l, err := e.laws(context.Background(), tip, ReplayOptions{Models: true, ModelFiles: models})
	if err != nil {
		t.Fatal(err)
	}
	pr, err := e.presenter(tip, replay.New(), l)
	if err != nil {
		t.Fatal(err)
	}
	changes, moved := 0, 0
	for _, m := range pr.moments {
		r, err := pr.reopen(m)
		if err == nil {
			err = r.open()
		}
		if err != nil {
			t.Fatal(err)
		}
		est, err := e.read(m.commit)
		if err != nil {
			t.Fatal(err)
		}
		est.Models = models
		plans, err := e.decide(est, m.commit, m.at, m.version)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range plans {
			for _, ring := range one.Rings {
				for _, w := range ring.Waves {
					for _, c := range w.Changes {
						a := r.after.answers[work{c.Host, c.Patch}]
						if a.Risk != c.DeployRisk.P || a.Stop != nil || !a.Start.Equal(w.Start) || string(a.Class) != string(classOf(one)) {
							t.Errorf("%s on %s of %s: %+v, want risk %v, class %s, wave at %s", c.Patch, c.Host, one.ID, a, c.DeployRisk.P, classOf(one), w.Start)
						}
						changes++
					}
				}
			}
		}
		for _, id := range m.plans {
			data, err := pr.planAt(id)
			if err != nil {
				t.Fatal(err)
			}
			made, why := r.replay(id, data)
			if why != "" {
				t.Errorf("replay(%s): %s", id, why)
			}
			for i := range made.After.Answers {
				if made.After.Answers[i].Risk != made.Before.Answers[i].Risk {
					moved++
				}
			}
		}
	}
	if changes == 0 || moved == 0 {
		t.Errorf("%d changes planned with the models, and the risk of %d is another; the test shows nothing", changes, moved)
	}
}
