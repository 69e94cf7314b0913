package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// lookupRules look into the elements of lists in every way that there is.
// watched says whether a wave of which no patch says that it restarts its host,
// and no ring how many failures it allows, has to be watched.
var lookupRules = []struct {
	name, rule string
	watched    bool
}{
	{"required attribute", `warn contains {"msg": s.name} if { some s in input.wave.services; s.in_wave > 1 }`, false},
	{"required, by a function", "warn contains {\"msg\": s.name} if { some s in input.wave.services; up(s) > 1 }\nup(s) := s.total - s.down", false},
	{"required, in a comprehension", `warn contains {"msg": sprintf("%v", [{s.name | some s in input.wave.services; s.rank > 1}])}`, false},
	{"required, below an index", `warn contains {"msg": input.wave.services[0].name}`, false},
	{"element of an element", `warn contains {"msg": on} if { some s in input.wave.services; some on in s.depends_on }`, false},
	{"required, by every", `warn contains {"msg": "all"} if { every s in input.wave.services { s.down == 0 } }`, false},
	{"absent attribute", `warn contains {"msg": s.name} if { some s in input.wave.services; s.reboots > 1 }`, true},
	{"absent, in the message", `warn contains {"msg": sprintf("%v", [s.reboots])} if some s in input.wave.services`, true},
	{"absent, under not", `warn contains {"msg": s.name} if { some s in input.wave.services; not s.reboots }`, true},
	{"absent, by a function", "warn contains {\"msg\": s.name} if { some s in input.wave.services; many(s) }\nmany(s) if s.reboots > 1", true},
	{"absent, by a function of a function", "warn contains {\"msg\": s.name} if { some s in input.wave.services; a(s) }\na(s) if b(s)\nb(t) if t.reboots > 1", true},
	{"misspelt, by a function of two lists", "warn contains {\"msg\": s.name} if { some s in input.wave.services; some r in input.wave.earlier; many(s); many(r) }\nmany(s) if s.rebots > 1", true},
	{"absent, in a comprehension", `warn contains {"msg": sprintf("%d", [count([1 | some s in input.wave.services; s.reboots > 0])])}`, true},
	{"absent, by every", `warn contains {"msg": "all"} if { every s in input.wave.services { s.reboots == 0 } }`, true},
	{"by a key from data", `warn contains {"msg": s.name} if { some s in input.wave.services; some k in data.any.keys; s[k] > 1 }`, true},
	{"by a key of a function", "warn contains {\"msg\": s.name} if { some s in input.wave.services; at(s, \"reboots\") > 1 }\nat(o, k) := o[k]", true},
	{"by a key of another element", `warn contains {"msg": k} if { some s in input.wave.services; some k, _ in input.wave.services[0]; s[k] == 1 }`, true},
	{"object.get", `warn contains {"msg": s.name} if { some s in input.wave.services; object.get(s, "reboots", 0) > 1 }`, false},
	{"second list", `warn contains {"msg": r.name} if { some r in input.wave.earlier; r.failures > r.max_failures }`, true},
	{"second list, required", `warn contains {"msg": r.name} if { some r in input.wave.earlier; r.failures > 0 }`, false},
	{"two lists by one function", "warn contains {\"msg\": r.name} if { some r in input.wave.earlier; some s in input.wave.services; f(r); f(s) }\nf(x) if x.down > 0", true},
	{"the section whole", "warn contains {\"msg\": \"w\"} if f(input.wave)\nf(w) if { some s in w.services; s.reboots > 1 }", true},
	{"an else", "warn contains {\"msg\": f(s)} if some s in input.wave.services\nf(s) := \"many\" if { s.reboots > 1 } else := s.name", true},
}

// vague is a random wave in which much may be absent.
func vague(r *rand.Rand) *Input {
	in := aWave()
	w := *in.Wave
	w.Services, w.Earlier = []WaveService{}, []RingProgress{}
	for i := range r.IntN(3) {
		w.Services = append(w.Services, WaveService{Name: fmt.Sprint("s", i), Rank: r.IntN(3), Total: 1 + r.IntN(3), InWave: r.IntN(3), Down: r.IntN(2), DependsOn: []string{"s1"}[:r.IntN(2)], Compliance: []string{}, Reboots: maybe(r, 0, 2)})
	}
	for i := range r.IntN(3) {
		w.Earlier = append(w.Earlier, RingProgress{Name: fmt.Sprint("r", i), Failures: r.IntN(3), MaxFailures: maybe(r, 0, 1), Ends: now})
	}
	in.Wave = &w
	return in
}

// What is not watched because nothing that is absent can be come to gives the
// same answers as what is watched throughout.
func TestLookups(t *testing.T) {
	for _, test := range lookupRules {
		t.Run(test.name, func(t *testing.T) {
			s := compiled(t, map[string]string{"policies/x/x.rego": "package ringmaster.x\n\n" + test.rule, "policies/any/data.json": `{"keys":["reboots"]}`})
			if got := watches(s, aWaveWithout()); got != test.watched {
				t.Errorf("it is watched: %v, want %v", got, test.watched)
			}
			r := rand.New(rand.NewPCG(3, 4))
			missing := 0
			for range rounds(15, 60) {
				in := vague(r)
				got := s.Decide(in, nil)
				in.Estate.Exceptions = []ExceptionInput{}
				want := naive(t, s, in)
				if !cmp.Equal(got, want) {
					t.Fatalf("%s\n%s", whole(t, in), cmp.Diff(want, got))
				}
				for _, d := range want {
					if d.Rule == ruleMissing {
						missing++
					}
				}
			}
			if missing > 0 && !test.watched {
				t.Errorf("%d attributes are missing of what is not watched", missing)
			}
		})
	}
}

// aWaveWithout is a wave whose lists lack all that they may.
func aWaveWithout() *Input {
	in := aWave()
	w := *in.Wave
	w.Services = []WaveService{{Name: "s0", DependsOn: []string{"s1"}, Compliance: []string{}}}
	w.Earlier = []RingProgress{{Name: "r0"}}
	in.Wave = &w
	return in
}

// watches says whether a set's only clause is watched for absent attributes.
func watches(s *Set, in *Input) bool {
	b := newBatch(s, in.Point, nil)
	watched := false
	b.run(1, *in, func(int, *Input) {}, func(int, int) {
		for _, j := range b.jobs {
			_, trace, _ := b.memo.input(b.view.node[j.clause], j.class, b.view.clauses[j.clause].lookups)
			watched = watched || trace
		}
	})
	return watched
}

// Where a value is of a type that people fill in, anything may be absent.
func TestLook(t *testing.T) {
	in := change()
	for name, test := range map[string]struct {
		rule string
		want bool
	}{
		"labels whole":   {`warn contains {"msg": "x"} if count(input.host.labels) > 0`, true},
		"a label":        {`warn contains {"msg": input.host.labels.role}`, false},
		"a risk":         {"warn contains {\"msg\": \"x\"} if f(input.host.deploy_risk)\nf(x) if x.high > 0", false},
		"a risk, by key": {`warn contains {"msg": k} if { some k, v in input.host.deploy_risk; v > 0 }`, true},
		"a list of text": {`warn contains {"msg": m} if some m in input.host.modules`, false},
	} {
		c := *in
		h := *in.Host
		h.Labels, h.Modules, h.DeployRisk = map[string]string{"role": "web"}, []string{"a"}, plan.Risk{Source: "rules"}
		c.Host = &h
		if got := watches(one(t, test.rule), &c); got != test.want {
			t.Errorf("%s: it is watched: %v, want %v", name, got, test.want)
		}
	}
	v := groupValue{}
	if ok := v.look(ast.MustParseTerm(`[{"a": 1}]`).Value, nil); ok {
		t.Error("look() takes a value of unknown type to lack nothing")
	}
}
