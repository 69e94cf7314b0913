package policy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// whole is an input as OPA would read it from a file: nothing projected.
func whole(t testing.TB, in *Input) *ast.Term {
	t.Helper()
	c := *in
	if c.Host != nil {
		c.Host = newMemo(&view{}).derived(c.Host)
	}
	data, err := plan.Canonical(&c)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(data)
}

// naive asks every rule about the whole input, watches it always, and remembers
// nothing in between.
func naive(t testing.TB, s *Set, in *Input) []plan.Decision {
	t.Helper()
	var list []plan.Decision
	for _, c := range s.views[in.Point].clauses {
		list = append(list, s.ask(question{clause: c, input: whole(t, in), trace: true, cache: func(*watch) topdown.VirtualCache { return forgetful{} }})...)
	}
	return sorted(list)
}

// forgetful is a cache that remembers nothing.
type forgetful struct{}

func (forgetful) Push()                         {}
func (forgetful) Pop()                          {}
func (forgetful) Get(ast.Ref) (*ast.Term, bool) { return nil, false }
func (forgetful) Put(ast.Ref, *ast.Term)        {}
func (forgetful) Keys() []ast.Ref               { return nil }

// plainOPA asks OPA's own library about the whole input: no clauses, no watching.
func plainOPA(t testing.TB, texts map[string]string, in *Input) []plan.Decision {
	t.Helper()
	options := []func(*rego.Rego){rego.Query("data.ringmaster"), rego.StrictBuiltinErrors(true)}
	for name, text := range texts {
		options = append(options, rego.Module(name, text))
	}
	rs, err := rego.New(append(options, rego.ParsedInput(whole(t, in).Value))...).Eval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var list []plan.Decision
	for concern, rules := range rs[0].Expressions[0].Value.(map[string]any) {
		for name, said := range rules.(map[string]any) {
			if !slices.Contains(effects, plan.Effect(name)) {
				continue
			}
			for _, v := range said.([]any) {
				d := plan.Decision{Rule: concern + "." + name, Effect: plan.Effect(name)}
				d.Message, _ = v.(map[string]any)["msg"].(string)
				list = append(list, d)
			}
		}
	}
	return sorted(list)
}

// varied is a random input of point change: shared sections as an engine would
// hand them over, hosts made anew.
type varied struct {
	patches  []*PatchInput
	services []*ServiceInput
	tiers    []*TierInput
	rings    []*RingInput
}

func newVaried(r *rand.Rand) *varied {
	v := &varied{}
	for i := range 4 {
		p := *change().Patch
		p.ID, p.Class, p.KnownExploited = fmt.Sprintf("deb:p%d@1", i), pick(r, "low", "high", "critical"), r.IntN(2) == 0
		if r.IntN(2) == 0 {
			p.AgeSeconds = nil
		}
		p.Reboot = []*bool{nil, ptr(true), ptr(false)}[r.IntN(3)]
		v.patches = append(v.patches, &p)
		v.services = append(v.services, &ServiceInput{Name: fmt.Sprint("s", i), Tier: pick(r, "gold", "lab"), Owner: pick(r, "", "team-a"), Labels: map[string]string{"env": pick(r, "a", "b")},
			Compliance: [][]string{nil, {"pci-dss"}, {"pci-dss", "dora"}}[r.IntN(3)], Exposure: pick(r, "", "internet")})
		v.tiers = append(v.tiers, &TierInput{Name: fmt.Sprint("t", i), Rank: i, Autonomy: pick(r, "recommend", "autonomous"), RiskTolerance: pick(r, 0.01, 0.25, 1)})
		v.rings = append(v.rings, &RingInput{Name: fmt.Sprint("r", i), Order: i})
	}
	return v
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func maybe[T any](r *rand.Rand, list ...T) *T {
	if r.IntN(3) == 0 {
		return nil
	}
	return ptr(pick(r, list...))
}

func (v *varied) vary(r *rand.Rand, in *Input) {
	in.Patch = pick(r, v.patches...)
	if i := r.IntN(5); i < 4 {
		in.Service, in.Tier = v.services[i], v.tiers[r.IntN(4)]
	}
	if i := r.IntN(5); i < 4 {
		in.Ring = v.rings[i]
	}
	h := &HostInput{ID: fmt.Sprint("h", r.IntN(6)), Labels: map[string]string{}, Known: r.IntN(3) > 0, AgeSeconds: maybe[int64](r, 10, 90000, 900000), OS: pick(r, "", "debian", "rhel"),
		Exposed: maybe(r, true, false), DiskFreeMB: maybe[int64](r, 10, 5000), Drift: maybe(r, true, false), DeployRisk: plan.Risk{High: pick(r, 0.001, 0.2, 0.5)}}
	if r.IntN(2) == 0 {
		h.Labels["role"] = pick(r, "web", `we"b`, "wéb")
	}
	for range r.IntN(3) {
		h.Holds = append(h.Holds, Override{Kind: pick(r, "hold", "stop"), By: "ann", Reason: pick(r, "x", "y"), Until: pick(r, time.Time{}, now)})
	}
	if r.IntN(10) == 0 {
		h = nil
	}
	in.Host = h
}

// attributesOf the point change, as rules refer to them.
var someAttributes = []string{
	"patch.class", "patch.known_exploited", "patch.age_seconds", "patch.reboot", "patch.deploy_risk.high", "patch.id", "host.id", "host.known", "host.age_days", "host.os",
	"host.exposed", "host.disk_free_gb", "host.labels.role", "host.labels", "host.holds", "host.deploy_risk", "host", "service.name", "service.owner", "service.compliance",
	"service", "tier.rank", "tier.risk_tolerance", "tier", "ring.order", "estate.owners", "history.months", "phase", "at", "estate",
}

// randomPolicy writes a policy from pieces: literals over attributes, direct and
// through helpers, functions, comprehensions, defaults, negation.
func randomPolicy(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("package ringmaster.x\n\n")
	ref := func() string { return "input." + pick(r, someAttributes...) }
	literal := func() string {
		return pick(r,
			func() string { return ref() },
			func() string { return fmt.Sprintf("%s == %s", ref(), ref()) },
			func() string { return fmt.Sprintf("json.marshal(%s) > json.marshal(%s)", ref(), ref()) },
			func() string { return "not " + ref() },
			func() string { return fmt.Sprintf("not helper%d", r.IntN(3)) },
			func() string { return fmt.Sprintf("helper%d", r.IntN(3)) },
			func() string { return fmt.Sprintf("f(%s)", ref()) },
			func() string {
				return fmt.Sprintf("object.get(input, %q, 7) != 8", strings.Split(ref(), ".")[1])
			},
			func() string { return `object.get(input, ["host", "exposed"], true)` },
			func() string { return `object.get(input.host, "age_seconds", 0) > 100` },
			func() string { return "some h in input.host.holds; h.until" },
			func() string { return `input.host[pick].p` },
			func() string { return "count(open) > 0" },
			func() string { return "h := input.host; h.os == \"rhel\"" },
			func() string { return "value > 3" },
			func() string { return `every c in input.service.compliance { c != "dora" }` },
			func() string { return `walk(input.tier, [p, 1])` },
		)()
	}
	body := func(n int) string {
		var list []string
		for range 1 + r.IntN(n) {
			list = append(list, "  "+strings.ReplaceAll(literal(), "; ", "\n  "))
		}
		return strings.Join(dropSecondH(list), "\n")
	}
	b.WriteString("pick := \"deploy_risk\" if input.patch\nopen contains h if {\n some h in input.host.holds\n h.until\n}\ndefault value := 5\nvalue := input.host.age_days\n")
	b.WriteString("f(x) if x == true\nf(x) if x == \"high\"\nf(x) if x.rank > 1\n")
	for i := range 3 {
		fmt.Fprintf(&b, "helper%d if {\n  %s\n}\n", i, pick(r, ref()+" == "+ref(), "not "+ref(), ref(), "count("+"object.get(input, \"host\", {})) > 3"))
	}
	for i := range 1 + r.IntN(5) {
		fmt.Fprintf(&b, "%s contains {\"msg\": sprintf(\"%d %%v %%v\", [%s, object.get(input, [\"host\", \"id\"], \"?\")])} if {\n%s\n}\n", pick(r, effects...), i, ref(), body(4))
	}
	return b.String()
}

// dropSecondH keeps one declaration of h and of p in a body.
func dropSecondH(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(s string) bool {
		for _, word := range []string{"some h", "h :="} {
			if strings.Contains(s, word) {
				if seen["h"] {
					return true
				}
				seen["h"] = true
			}
		}
		if strings.Contains(s, "walk(") {
			if seen["p"] {
				return true
			}
			seen["p"] = true
		}
		return false
	})
}

// TestBatchIsNaive: asking once per projection says word for word what asking
// for every input says, for random policies over random inputs.
func TestBatchIsNaive(t *testing.T) {
	policies, inputs, compiledOnes, decisions, withMissing := rounds(20, 80), 40, 0, 0, 0
	for seed := range uint64(policies) {
		r := rand.New(rand.NewPCG(seed, 1))
		text := randomPolicy(r)
		texts := map[string]string{"policies/x/x.rego": text}
		s, faults := Compile(bytesOf(texts))
		if len(faults) > 0 {
			if seed < 5 {
				t.Logf("seed %d: %v", seed, faults)
			}
			continue // a type that cannot match, an attribute of a list
		}
		compiledOnes++
		v := newVaried(r)
		ins := make([]*Input, inputs)
		for i := range ins {
			in := *change()
			v.vary(r, &in)
			ins[i] = &in
		}
		got := s.Batch(len(ins), *change(), func(i int, in *Input) { *in = *ins[i] }, nil)
		for i, in := range ins {
			in.Estate.Exceptions = []ExceptionInput{}
			want := naive(t, s, in)
			if !cmp.Equal(got[i], want) {
				t.Fatalf("seed %d, input %d:\n%s\n%s\n%s", seed, i, text, whole(t, in), cmp.Diff(want, got[i]))
			}
			if one := s.Decide(in, nil); !cmp.Equal(one, want) {
				t.Fatalf("seed %d, input %d: Decide() differs: %s", seed, i, cmp.Diff(want, one))
			}
			decisions += len(want)
			mine := slices.DeleteFunc(slices.Clone(want), func(d plan.Decision) bool { return d.Rule == ruleMissing })
			if len(mine) < len(want) {
				withMissing++
			}
			if i%8 == 0 && Strongest(mine) != "" && !slices.ContainsFunc(mine, func(d plan.Decision) bool { return d.Rule == ruleError }) {
				if opa := plainOPA(t, texts, in); !cmp.Equal(opa, mine) {
					t.Fatalf("seed %d, input %d: OPA differs:\n%s\n%s", seed, i, text, cmp.Diff(opa, mine))
				}
			}
		}
	}
	t.Logf("%d policies, %d decisions, %d inputs with something missing", compiledOnes, decisions, withMissing)
	if compiledOnes < policies/3 || decisions < 100 || withMissing < 50 {
		t.Errorf("too little was tried: %d policies, %d decisions, %d with something missing", compiledOnes, decisions, withMissing)
	}
}

// TestBatchOrder: neither the number of processors nor the order of inputs has a
// say in the answers.
func TestBatchOrder(t *testing.T) {
	s := one(t, `warn contains {"msg": sprintf("%s %v", [input.host.id, input.host.holds])} if input.host.known
hold contains {"msg": "old"} if input.host.age_days > 3`)
	r := rand.New(rand.NewPCG(1, 2))
	v := newVaried(r)
	ins := make([]*Input, 3*chunk/2)
	for i := range ins {
		in := *change()
		v.vary(r, &in)
		ins[i] = &in
	}
	ask := func(order []int) [][]plan.Decision {
		got := s.Batch(len(ins), *change(), func(i int, in *Input) { *in = *ins[order[i]] }, nil)
		back := make([][]plan.Decision, len(got))
		for i, at := range order {
			back[at] = got[i]
		}
		return back
	}
	straight := make([]int, len(ins))
	for i := range straight {
		straight[i] = i
	}
	want := ask(straight)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := ask(r.Perm(len(ins))); !cmp.Equal(got, want) {
		t.Error("another order, another answer")
	}
}
