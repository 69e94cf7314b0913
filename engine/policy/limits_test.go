package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// hostile are the policies in testdata/hostile whose name ends so, by name.
func hostile(t *testing.T, ending string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "hostile", "*"+ending))
	if err != nil || len(names) == 0 {
		t.Fatalf("%v, %v", names, err)
	}
	texts := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(data)
	}
	return texts
}

// TestHostilePolicies: each policy ends in what stands beside it, by counts alone: the
// same on every machine, and quickly. Those that counts do not catch are
// *.child.rego: cmd/ringmaster runs them in a process of their own.
func TestHostilePolicies(t *testing.T) {
	n := 0
	for name, text := range hostile(t, ".rego") {
		if strings.HasSuffix(name, ".child.rego") {
			continue
		}
		n++
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := outcome("package ringmaster.hostile\n\n" + strings.ReplaceAll(text, "REPEATED", strings.Repeat("(", 300)))
			file := strings.TrimSuffix(name, ".rego") + ".out"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	if n < 20 {
		t.Errorf("%d hostile policies, want 20", n)
	}
}

// outcome is what becomes of a policy: its faults, or what it says of a change.
func outcome(text string) string {
	var lines []string
	s, faults := Compile(map[string][]byte{"policies/hostile/hostile.rego": []byte(text)})
	for _, f := range faults {
		lines = append(lines, strings.TrimPrefix(f.File, "policies/hostile/")+": "+f.Message)
	}
	if s != nil {
		s = s.WithLimits(Limits{Steps: 20_000})
		for _, d := range s.Decide(change(), nil) {
			lines = append(lines, d.Rule+": "+d.Message)
		}
	}
	if len(lines) == 0 {
		lines = []string{"nothing: it ends by itself and says nothing"}
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestBuiltins: what policies may call is written down, so that a new version of
// OPA brings nothing in unseen; nothing that OPA itself calls nondeterministic is
// among it.
func TestBuiltins(t *testing.T) {
	var may []string
	for _, b := range capabilities().Builtins {
		if b.IsNondeterministic() {
			t.Errorf("%s may answer differently to the same input", b.Name)
		}
		may = append(may, b.Name)
	}
	slices.Sort(may)
	got := strings.Join(may, "\n") + "\n"
	file := filepath.Join("testdata", "builtins.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("policies may call other built-ins than %s has; look at each new one before -update", file)
	}
	for _, name := range []string{"time.now_ns", "http.send", "opa.runtime", "net.lookup_ip_addr", "rand.intn", "uuid.rfc4122", "io.jwt.decode_verify", "crypto.x509.parse_and_verify_certificates"} {
		if slices.Contains(may, name) || ast.BuiltinMap[name] == nil {
			t.Errorf("%s is allowed, or OPA has it no more", name)
		}
	}
}

// TestGuardsAreQuiet: what ordinary policies write passes.
func TestGuardsAreQuiet(t *testing.T) {
	s := one(t, `warn contains {"msg": sprintf("%5d %-20s of 10000 %% %v %.2f", [7, "x", numbers.range(1, 5), 1.5])} if {
	regex.match("^[a-z]{1,60}-[0-9]{2,4}$", input.host.id)
	replace("a-b-c", "-", "--") == "a--b--c"
	concat(",", ["a", "b"]) == "a,b"
	count(net.cidr_expand("10.0.0.0/28")) == 16
	bits.lsh(1, 40) == 1099511627776
	units.parse_bytes("10MB") == 10000000
	to_number("1e3") == 1000
	1000000 * 1000000 == 1000000000000
	regex.replace("aXbX", "X", "--") == "a--b--"
}`)
	got := s.Decide(change(), nil)
	if len(got) != 1 || got[0].Message != "    7 x                    of 10000 % [1, 2, 3, 4, 5] 1.50" {
		t.Errorf("Decide() = %v, want the rule's own words", got)
	}
}

// TestBrokenRulesHold: a rule that is undefined for want of an attribute, that
// conflicts with another or that fails is a hold, whatever its own effect is.
func TestBrokenRulesHold(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"undefined", `warn contains {"msg": "m"} if input.host.drift == true`, ruleMissing},
		{"conflicting functions", `f(x) := 1 if x
f(x) := 2 if x
warn contains {"msg": "m"} if f(input.host.known) == 1`, ruleError},
		{"conflicting values", `v := 1 if input.host.known
v := 2 if input.host.exposed
warn contains {"msg": "m"} if v == 1`, ruleError},
		{"failing", `require contains {"msg": "m"} if 1 / (input.ring.order - 1) > 2`, ruleError},
		{"endless", `warn contains {"msg": "m"} if { some x in numbers.range(1, 1000); some y in numbers.range(1, 1000); some z in numbers.range(1, 100); x * y * z == 0 }`, ruleError},
		{"saying no object", "warn contains x if x := input.host.labels", ruleError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, faults := Compile(bytesOf(map[string]string{"policies/x/x.rego": "package ringmaster.x\n\n" + tt.body}))
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			got := s.WithLimits(Limits{Steps: 50_000}).Decide(change(), nil)
			if len(got) != 1 || got[0].Rule != tt.want || !Stops(got) || !strings.Contains(got[0].Message, "x.") {
				t.Errorf("Decide() = %v, want one hold %s that names the rule", got, tt.want)
			}
		})
	}
}
