package policy

import (
	"fmt"
	"strings"
	"testing"
)

// TestFaults: each is found, at its place, with what would have been right.
func TestFaults(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"clock", `deny contains {"msg": "m"} if time.now_ns() > 5`, `x.rego:3:31: policies may not use time.now_ns: it reads the clock; the time is input.at`},
		{"clock handed on", `deny contains {"msg": "m"} if count([time.now_ns() | input.at]) > 0`, `policies may not use time.now_ns`},
		{"network", `deny contains {"msg": "m"} if http.send({"url": "http://x", "method": "get"}).status_code == 200`, `policies may not use http.send: it reaches the network`},
		{"name service", `deny contains {"msg": "m"} if net.lookup_ip_addr("x")`, `policies may not use net.lookup_ip_addr`},
		{"environment", `deny contains {"msg": opa.runtime().env.HOME}`, `policies may not use opa.runtime: it reads the environment`},
		{"dice", `deny contains {"msg": "m"} if rand.intn("x", 5) == 3`, `policies may not use rand.intn: it throws dice`},
		{"uuid", `deny contains {"msg": uuid.rfc4122("x")}`, `policies may not use uuid.rfc4122`},
		{"tokens", `deny contains {"msg": "m"} if io.jwt.decode_verify("x", {})`, `policies may not use io.jwt.decode_verify: it compares with the clock`},
		{"certificates", `deny contains {"msg": "m"} if crypto.x509.parse_and_verify_certificates("x")`, `policies may not use crypto.x509.parse_and_verify_certificates`},
		{"schemas", `deny contains {"msg": "m"} if json.match_schema({}, {"$ref": "http://x"})`, `policies may not use json.match_schema`},
		{"in a helper", "f(x) := http.send(x)\ndeny contains {\"msg\": \"m\"} if f({})", `x.rego:3:9: policies may not use http.send`},
		{"misspelt attribute", `deny contains {"msg": "m"} if input.host.teir == "x"`, `x.rego:3:31: input.host.teir: there is no "teir"; did you mean input.tier?`},
		{"misspelt beyond guessing", `deny contains {"msg": "m"} if input.host.quux == "x"`, `input.host.quux: there is no "quux"; expected one of "age_days", `},
		{"misspelt through a variable", "deny contains {\"msg\": \"m\"} if {\n some f in input.wave.freezes\n f.nmae == \"x\" }", `x.rego:5:2: f.nmae: there is no "nmae"; did you mean "name"?`},
		{"misspelt in object.get", `deny contains {"msg": "m"} if object.get(input.host, "teir", "") == "x"`, `x.rego:3:54: input.host.teir: there is no "teir"; did you mean input.tier?`},
		{"misspelt in a path of object.get", `deny contains {"msg": "m"} if object.get(input, ["service", "onwer"], "") == "x"`, `x.rego:3:61: input.service.onwer: there is no "onwer"; did you mean "owner"?`},
		{"misspelt in object.get of an element", "deny contains {\"msg\": \"m\"} if {\n some s in input.wave.services\n object.get(s, \"rebots\", 0) > 1 }", `x.rego:5:16: input.wave.services[].rebots: there is no "rebots"; did you mean "reboots"?`},
		{"misspelt in a function", "old(h) if h.age_dys > 5\ndeny contains {\"msg\": \"m\"} if old(input.host)", `x.rego:3:13: input.host.age_dys: there is no "age_dys"; did you mean "age_days"?`},
		{"misspelt in a function of a function", "a(s) := b(s)\nb(s) := s.naem\ndeny contains {\"msg\": a(s)} if some s in input.plan.services", `x.rego:4:11: input.plan.services[].naem: there is no "naem"; did you mean "name"?`},
		{"misspelt section", `deny contains {"msg": "m"} if input.hots.id == "x"`, `input.hots: there is no "hots"; did you mean "host"?`},
		{"misspelt in an element", "deny contains {\"msg\": \"m\"} if {\n some s in input.plan.services\n s.onwer }", `there is no "onwer"; did you mean "owner"?`},
		{"wrong type", `deny contains {"msg": "m"} if input.host.exposed == "yes"`, `boolean is compared with string, which it never equals`},
		{"no message", `deny contains {"message": "m"}`, `deny says "message"; expected "msg", "facts", "remedy"`},
		{"a string", `deny contains "m"`, `deny must be a set of objects with "msg", got string`},
		{"a message that is none", `deny contains {"msg": 5}`, `msg of deny must be of type string, got number`},
		{"a string worked out", `deny contains x if x := sprintf("%s", [input.host.id])`, `x.rego:3:1: deny must be a set of objects with "msg", got string`},
		{"a list in a function's answer", "f(x) := [x]\ndeny contains f(1)", `x.rego:4:1: deny must be a set of objects with "msg", got array`},
		{"a boolean rule", `deny if input.host.known`, `deny must be a set of objects with "msg": deny contains {"msg": …} if { … }`},
		{"a complete rule", `deny := {"msg": "m"}`, `deny must be a set of objects with "msg"`},
		{"a function", `deny(x) := x`, `deny must be a set of objects with "msg"`},
		{"sections apart", `deny contains {"msg": "m"} if input.host.id == input.wave.services[0].name`, `x.deny reads input.host and input.wave, which no decision point has together`},
		{"no such point", `deny contains {"msg": "m"} if input.point == "waves"`, `x.deny asks for input.point == "waves"; expected one of "plan", "wave", "change", "edit"`},
		{"the wrong point", "deny contains {\"msg\": input.host.id} if input.point == \"plan\"", `x.deny is never asked`},
		{"with", `deny contains {"msg": "m"} if input.host.id == "x" with input as {}`, "`with` alters what a policy reads; it belongs in a _test.rego"},
		{"data that is not there", `deny contains {"msg": "m"} if input.history.months < data.x.monhts`, `data.x.monhts: neither a data.json nor a rule has it; did you mean "months"? object.get gives a default`},
		{"a custom that is no boolean", "# METADATA\n# custom:\n#   exceptable: yes please\ndeny contains {\"msg\": \"m\"}", `custom.exceptable of x.deny is true or false, got yes please`},
		{"recursion", "a if b\nb if a\ndeny contains {\"msg\": \"m\"} if a", `recursive`},
		{"syntax", `deny contains {"msg" "m"}`, `x.rego:3:`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, faults := Compile(bytesOf(map[string]string{"policies/x/x.rego": "package ringmaster.x\n\n" + tt.body, "policies/x/data.json": `{"months": 3}`}))
			var text []string
			for _, f := range faults {
				text = append(text, fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message))
			}
			if !strings.Contains(strings.Join(text, "\n"), tt.want) {
				t.Errorf("faults = %s, want %s", strings.Join(text, "\n"), tt.want)
			}
		})
	}
}

func TestFaultsOfFiles(t *testing.T) {
	_, faults := Compile(bytesOf(map[string]string{
		"policies/a/a.rego":      "package ringmaster.a\n\ndeny contains",
		"policies/a/a_test.rego": "package ringmaster.a_test\n\ntest_x if",
		"policies/b/data.json":   `[1]`,
		"policies/c/data.json":   `{"x": 1}`,
		"policies/data.json":     `{"c": {"x": 2}}`,
		"policies/d/data.json":   `{"x"`,
		"policies/e/e.rego":      "package ringmaster\n\ndeny contains {\"msg\": \"m\"}",
		"policies/f/f.rego":      "",
		"policies/README.md":     "no policy",
	}))
	var got []string
	for _, f := range faults {
		got = append(got, f.File)
	}
	want := "policies/a/a.rego policies/a/a_test.rego policies/b/data.json policies/d/data.json policies/data.json policies/e/e.rego policies/f/f.rego"
	if strings.Join(got, " ") != want {
		t.Errorf("faults = %v, want them in %s", faults, want)
	}
}

// TestHostile: whatever a rule does to the engine ends in a hold that tells it,
// and the other rules still speak.
func TestHostile(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"conflict", "v := 1 if input.host.known\nv := 2 if input.patch.class == \"high\"\ndeny contains {\"msg\": \"m\"} if v > 0", "rule data.ringmaster.x.v produced conflicting values: 1 at policies/x/x.rego:3"},
		{"function conflict", "f(x) := 1 if x\nf(x) := 2 if x != false\ndeny contains {\"msg\": \"m\"} if f(input.host.known) > 0", "function data.ringmaster.x.f produced conflicting values"},
		{"division", `deny contains {"msg": "m"} if 1 / input.ring.max_failures > 0`, "divide by zero"},
		{"conversion", `deny contains {"msg": "m"} if to_number(input.host.id) > 0`, "to_number"},
		{"time zone", `deny contains {"msg": "m"} if time.clock([0, "Local"])`, `"Local" is not a time zone`},
		{"a message that turns out to be none", `deny contains {"msg": object.get(data.any, "nowhere", 5)}`, "msg must be of type string, got number"},
		{"an answer that turns out to be none", `deny contains object.get(data.any, "nowhere", "m")`, `expected an object with "msg"`},
		{"facts that turn out to be none", `deny contains {"msg": "m", "facts": object.get(data.any, "nowhere", 5)}`, "facts must be of type object"},
		{"a word that nobody knows", `deny contains object.get(data.any, "nowhere", {"msg": "m", "level": 3})`, `it says "level"`},
		{"no message", `deny contains object.get(data.any, "nowhere", {"facts": {}})`, `it says no "msg"`},
		{"bytes that are no text", `deny contains {"msg": hex.decode("ff")}`, "not UTF-8"},
		{"a number out of range", `deny contains {"msg": "m", "facts": {"n": 1e400}}`, "out of range"},
		{"a comprehension that never ends", `deny contains {"msg": "m"} if count([1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); a == b]) > 0`, "it takes more than 1000 steps"},
		{"a walk of a walk", `deny contains {"msg": "m"} if {
	walk(input, [p, v])
	walk(input, [q, w])
	walk(input, [r, x])
	v == [w, x]
}`, "it takes more than 1000 steps"},
		{"a deep call", "f(n) := g(n) + g(n)\ng(n) := h(n) + h(n + 1)\nh(n) := count([1 | some i in numbers.range(0, 5000); i > n])\ndeny contains {\"msg\": \"m\"} if f(1) > 0", "it takes more than 1000 steps"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := one(t, tt.body+"\nwarn contains {\"msg\": \"still here\"} if input.host.known").WithLimits(Limits{Steps: 1000})
			got := s.Decide(change(), nil)
			if len(got) != 2 || got[0].Rule != ruleError || got[0].Effect != "hold" || !strings.Contains(got[0].Message, tt.want) || got[1].Message != "still here" {
				t.Errorf("Decide() = %v, want a hold with %q and a warning", got, tt.want)
			}
		})
	}
}
