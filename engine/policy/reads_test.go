package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReads(t *testing.T) {
	tests := []struct {
		name, body, want string // attributes: points
	}{
		{"constant", `deny contains {"msg": "m"}`, "plan wave change"},
		{"scalar", `deny contains {"msg": input.at}`, "input.at plan wave change"},
		{"one", `deny contains {"msg": input.host.id}`, "input.host.id change"},
		{"two sections", `deny contains {"msg": input.host.id} if input.patch.class == "low"`, "input.host.id input.patch.class change"},
		{"below another", `deny contains {"msg": input.host.id} if count(input.host) > 1`, "input.host change"},
		{"list", `deny contains {"msg": s.name} if some s in input.plan.services`, "input.plan.services plan wave"},
		{"narrowed", `deny contains {"msg": s.name} if { input.point == "plan"; some s in input.plan.services }`, "input.plan.services input.point plan"},
		{"narrowed the other way round", `deny contains {"msg": input.plan.id} if "wave" == input.point`, "input.plan.id input.point wave"},
		{"object.get", `deny contains {"msg": object.get(input.host, "os", "?")}`, "input.host.os change"},
		{"object.get of a path", `deny contains {"msg": object.get(input, ["host", "labels", "role"], "?")}`, "input.host.labels.role change"},
		{"object.get of a variable", `deny contains {"msg": object.get(input.host.labels, input.patch.package, "?")}`, "input.host.labels input.patch.package change"},
		{"object.get of part of a path", `deny contains {"msg": object.get(input, ["host", "labels", input.patch.package], "?")}`, "input.host.labels input.patch.package change"},
		{"variable key", `deny contains {"msg": input.host.labels[input.patch.package]}`, "input.host.labels input.patch.package change"},
		{"everything", `deny contains {"msg": "m"} if input[_] == "plan"`, "input plan wave change"},
		{"walk", `deny contains {"msg": "m"} if { walk(input.tier, [_, x]); x == 1 }`, "input.tier change"},
		{"variable that is one step", `deny contains {"msg": "m"} if { h := input.host; h.os == "x"; h.known }`, "input.host.known input.host.os change"},
		{"variable that is more", `deny contains {"msg": "m"} if { h := input.host; h.os == "x"; count(h) > 1 }`, "input.host change"},
		{"rule", "a if input.host.known\nb if a\ndeny contains {\"msg\": \"m\"} if not b", "input.host.known change"},
		{"function", "f(x) := input.ring.order + x\ndeny contains {\"msg\": \"m\"} if f(1) > 1", "input.ring.order change wave"},
		{"argument", "f(x) := x.id\ndeny contains {\"msg\": f(input.host)}", "input.host change"},
		{"else", "a := 1 if input.host.known\nelse := 2 if input.host.drift\ndeny contains {\"msg\": \"m\"} if a > 1", "input.host.drift input.host.known change"},
		{"comprehension", `deny contains {"msg": "m"} if count([1 | input.host.known]) > 0`, "input.host.known change"},
		{"every", `deny contains {"msg": "m"} if every s in input.wave.services { s.rank > input.wave.number }`, "input.wave.number input.wave.services wave"},
		{"other package's rule", `deny contains {"msg": "m"} if data.ringmaster.x.sub`, "input.history.months plan wave change"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := one(t, tt.body+"\nsub if input.history.months > 1").Reads()
			var got []string
			got = append(got, list[0].Attributes...)
			for _, p := range list[0].Points {
				got = append(got, string(p))
			}
			if a, b := fieldsOf(tt.want), strings.Join(got, " "); a != fieldsOf(b) {
				t.Errorf("Reads() = %s, want %s", b, tt.want)
			}
		})
	}
}

// fieldsOf puts points into one order.
func fieldsOf(s string) string {
	var attributes, points []string
	for _, w := range strings.Fields(s) {
		if strings.HasPrefix(w, "input") {
			attributes = append(attributes, w)
		}
	}
	for _, p := range Points {
		if strings.Contains(" "+s+" ", " "+string(p)+" ") {
			points = append(points, string(p))
		}
	}
	return strings.Join(append(attributes, points...), " ")
}

func TestCost(t *testing.T) {
	s := one(t, "warn contains {\"msg\": input.host.id}\nhold contains {\"msg\": \"m\"} if input.host.known")
	f := newFleet(40, 5)
	var got []int
	for _, c := range s.Cost(f.size(), *change(), f.vary, nil) {
		got = append(got, c.Evaluations)
	}
	if !cmp.Equal(got, []int{40, 1}) && !cmp.Equal(got, []int{40, 2}) {
		t.Errorf("Cost() = %v, want one a host and one for each value of known", got)
	}
}

// TestReadme: the policy that the README shows works, with its test.
func TestReadme(t *testing.T) {
	files := library(t)
	var blocks []string
	var block []string
	for line := range strings.Lines(string(files["policies/README.md"])) {
		if code, ok := strings.CutPrefix(line, "    "); ok || strings.TrimSpace(line) == "" && len(block) > 0 {
			block = append(block, strings.TrimRight(code, "\n"))
			continue
		}
		if len(block) > 0 {
			blocks, block = append(blocks, strings.Join(block, "\n")), nil
		}
	}
	for _, b := range blocks {
		switch {
		case strings.Contains(b, "package ringmaster.weekend_test"):
			files["policies/weekend/weekend_test.rego"] = []byte(b)
		case strings.Contains(b, "package ringmaster.weekend"):
			files["policies/weekend/weekend.rego"] = []byte(b)
		}
	}
	report, err := RunTests(files)
	if err != nil || !report.Passed() {
		t.Errorf("RunTests() = %v, %v", report.Tests, err)
	}
	if files["policies/weekend/weekend.rego"] == nil || files["policies/weekend/weekend_test.rego"] == nil {
		t.Fatal("the README shows no policy with its test")
	}
	s := compiled(t, map[string]string{"policies/weekend/weekend.rego": string(files["policies/weekend/weekend.rego"])})
	if r := s.Reads()[0]; r.Rule != "weekend.hold" || !r.Exceptable {
		t.Errorf("Reads() = %v", r)
	}
}
