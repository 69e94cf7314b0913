package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	starter "github.com/ringmaster-dev/ringmaster"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/policy"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/rollout"
)

var updateExamples = flag.Bool("update", false, "rewrite docs/policy/examples")

// TestPolicyExamples: the published example inputs are what policies are asked
// about the demo's first plan, when it is planned and when its first wave is due.
func TestPolicyExamples(t *testing.T) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	d := &demo{DemoOptions: DemoOptions{Dir: t.TempDir(), Starter: starter.Files, At: DemoAt, Log: log, Out: io.Discard}, ctx: context.Background(), at: DemoAt}
	if err := d.estate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.repo.Close() })
	r, err := d.env().Plan(d.ctx, PlanOptions{Open: true})
	if err != nil {
		t.Fatal(err)
	}
	p := r.Plans[0].Plan
	s, err := d.env().scene(p, p.Patches[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	planned := p.Rings[0].Waves[0]
	x := policy.Exceptions(s.decider.est.Exceptions)
	example(t, "change.plan.json", s.changeInput(s.placeOf(planned.Changes[0].Host)), x)
	example(t, "wave.plan.json", s.waves[0].input, x)
	example(t, "plan.plan.json", s.whole, x)

	example(t, "edit.plan.json", d.edit(t), x)

	if err := d.mergeAll(); err != nil {
		t.Fatal(err)
	}
	d.at = planned.Start
	look, live, due := d.due(t, p)
	base, vary := look.decider.dueInputs(live, due)
	vary(0, &base)
	example(t, "change.execute.json", &base, x)
	example(t, "wave.execute.json", look.dueWave(live, wavesOf(due)[0], due), x)
	downOf(t, look, live, due)
}

// downOf: what is tried again, or was intended and is asked about once more, is in the
// wave and not down besides; what went wrong is down.
func downOf(t *testing.T, look *tip, live *live, due []*rollout.Change) {
	t.Helper()
	first, other := *due[0], *due[0]
	first.Host, other.Host, other.Wave = "web-01", "web-02", 99
	due = []*rollout.Change{&first}
	live.progress.Changes = []*rollout.Change{&first, &other}
	live.progress.Changes = append(live.progress.Changes, &other)
	for _, state := range []rollout.State{rollout.Pending, rollout.Unreachable, rollout.Intended} {
		for others, want := range map[rollout.State]int{rollout.Pending: 0, rollout.Failed: 1} {
			first.State, other.State = state, others
			if in := look.dueWave(live, wavesOf(due)[0], due).Wave.Services[0]; in.Down != want || in.InWave != 1 {
				t.Errorf("with the wave %s and another host %s of %s %d are in the wave and %d down, want 1 and %d", state, others, in.Name, in.InWave, in.Down, want)
			}
		}
	}
}

// edit is what policies are asked about a pull request that declares an exception,
// changes a policy and lowers a score.
func (d *demo) edit(t *testing.T) *policy.Input {
	t.Helper()
	e := d.env()
	base, r, err := e.judge(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	commit, err := d.repo.Write(repo.Next{Base: base, Author: bot, At: d.at, Message: "an exception", Changes: map[string][]byte{
		"inventory/exceptions.hcl": []byte("exception \"legacy\" {\n  patch    = \"generic:heron-web@*\"\n  services = [\"shop\"]\n  owner    = \"team-shop\"\n  reason   = \"the old till breaks\"\n  until    = \"2026-04-01T00:00:00Z\"\n}\n"),
		"overrides/2026-03.jsonl":  []byte(`{"schema":"ringmaster/override/v1","at":"2026-03-02T09:00:00Z","by":"maria","kind":"risk","value":"low","patch":"generic:osprey-agent@*","loosens":true,"reason":"it is only an agent"}` + "\n"),
		"policies/soak/data.json":  []byte("{}\n"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	pr := forge.PullRequest{Branch: "exception-legacy", Head: string(commit), Author: "mallory", Approvals: []forge.Review{{By: "olivia", Commit: string(commit)}}}
	it, _, err := e.editOf(base, commit, pr)
	if err != nil {
		t.Fatal(err)
	}
	in, err := e.asking(d.ctx, it, r)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// due is what of a merged plan is due now.
func (d *demo) due(t *testing.T, p *plan.Plan) (*tip, *live, []*rollout.Change) {
	t.Helper()
	found, err := (&Executor{Env: d.env()}).look(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range found.live {
		if due := rollout.Next(l.progress, d.at).Apply; l.plan.ID == p.ID && len(due) > 0 {
			return found, l, due
		}
	}
	t.Fatalf("nothing of %s is due at %s: %v", p.ID, d.at, found.refused)
	return nil, nil, nil
}

// example compares an input with the published example, indented.
func example(t *testing.T, name string, in *policy.Input, x policy.Exceptions) {
	t.Helper()
	text, err := in.Document(x)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	file := filepath.Join("..", "docs", "policy", "examples", name)
	if *updateExamples {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), want.String()); diff != "" {
		t.Errorf("%s is not what the demo asks; `go test ./engine -run TestPolicyExamples -update` rewrites it: %s", file, diff)
	}
}

// TestPolicyCosts: what is counted on the demo's estate is what each rule reads:
// a rule about one risk of a patch is asked once a patch, one about hosts once a
// host, one that reads nothing once a plan.
func TestPolicyCosts(t *testing.T) {
	e := demoEnv(t)
	const rules = `package ringmaster.x

warn contains {"msg": "risk", "remedy": "r"} if input.patch.reports > 3

warn contains {"msg": input.host.id, "remedy": "r"}

warn contains {"msg": "plan", "remedy": "r"} if {
	input.point == "plan"
	input.plan.hosts > 3
}

warn contains {"msg": "at execution", "remedy": "r"} if {
	input.phase == "execute"
	input.wave.hosts > 3
}
`
	got, err := e.PolicyCosts(fstest.MapFS{"policies/x/x.rego": {Data: []byte(rules)}})
	if err != nil {
		t.Fatal(err)
	}
	by := map[int]int{}
	for _, c := range got.Rules {
		by[c.Line] = c.Evaluations
	}
	r, err := e.Plan(context.Background(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]bool{}
	for _, p := range r.Plans {
		for _, ring := range p.Plan.Rings {
			for _, w := range ring.Waves {
				for _, c := range w.Changes {
					hosts[p.Plan.ID+string(c.Host)] = true
				}
			}
		}
	}
	if by[3] < 1 || by[3] > len(r.Plans) || by[5] < len(hosts) || by[7] != len(r.Plans) || got.Questions < len(hosts)+len(r.Plans) {
		t.Errorf("PolicyCosts() = %v of %d questions, with %d plans and %d hosts", by, got.Questions, len(r.Plans), len(hosts))
	}
}

// TestReviewPolicies: nothing but policies/ is read, and where there is none,
// nothing is said.
func TestReviewPolicies(t *testing.T) {
	got, err := ReviewPolicies(fstest.MapFS{"inventory/broken.hcl": {Data: []byte("{{{")}})
	if err != nil || len(got.Faults)+len(got.Findings)+len(got.Tests.Tests)+len(got.Reads) > 0 {
		t.Errorf("ReviewPolicies() = %v, %v, want nothing", got, err)
	}
	got, err = ReviewPolicies(fstest.MapFS{
		"policies/a/a.rego":      {Data: []byte("package ringmaster.a\n\nwarn contains {\"msg\": input.hots}")},
		"policies/a/a_test.rego": {Data: []byte("package ringmaster.a_test\n\ntest_a if input.patch.clas")},
	})
	var messages []string
	for _, f := range got.Faults {
		messages = append(messages, f.String())
	}
	all := strings.Join(messages, "\n")
	if err != nil || strings.Count(all, `did you mean "host"?`) != 1 || strings.Count(all, `did you mean "class"?`) != 1 {
		t.Errorf("ReviewPolicies() = %s, %v, want both faults once", all, err)
	}
}

// BenchmarkReviewPolicies is what `policy test --watch` does at a save, on the
// starter's policies.
func BenchmarkReviewPolicies(b *testing.B) {
	for b.Loop() {
		r, err := ReviewPolicies(starter.Files)
		if err != nil || len(r.Faults)+len(r.Findings) > 0 || !r.Tests.Passed() {
			b.Fatalf("ReviewPolicies() = %v, %v", r, err)
		}
	}
}
