package policy

import (
	"bytes"
	"context"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// FuzzCompile: no text makes Compile panic, and what compiles answers.
func FuzzCompile(f *testing.F) {
	for name, text := range library(f) {
		if strings.HasSuffix(name, ".rego") && !strings.HasSuffix(name, "_test.rego") {
			f.Add(string(text))
		}
	}
	f.Add("package ringmaster.x\n\ndeny contains {\"msg\": input[input.host.id]} if input.host")
	f.Add("package ringmaster.x\n\ndeny contains x if some x in input.estate.owners")
	f.Add("package ringmaster[\"a b\"].c\n\nhold contains {\"msg\": \"m\"} if not not input.host.exposed")
	f.Fuzz(func(t *testing.T, text string) {
		s, faults := Compile(map[string][]byte{"policies/x/x.rego": []byte(text)})
		if len(faults) > 0 {
			return
		}
		s = s.WithLimits(Limits{Steps: 2000})
		for _, in := range []*Input{change(), aWave(), aPlan()} {
			in.Estate.Exceptions = []ExceptionInput{}
			if got, want := s.Decide(in, nil), naive(t, s, in); !reflect.DeepEqual(got, want) && !strings.Contains(rules(got)+rules(want), ruleError) {
				t.Errorf("Decide() = %v, want %v", got, want)
			}
		}
	})
}

// FuzzKey: an attribute read through its key is what canonical JSON says.
func FuzzKey(f *testing.F) {
	f.Add("web-01", int64(5), 0.25, true, "role", "web")
	f.Add("a\"b\\\x01é\u2028", int64(-1), math.Inf(1), false, "a.b", "")
	f.Add("", int64(1)<<60, math.Copysign(0, -1), true, "", "\x00~0")
	f.Add("\xff", int64(0), 1e300, true, "k", "\xc3")
	f.Fuzz(func(t *testing.T, id string, age int64, risk float64, known bool, label, value string) {
		h := &HostInput{ID: id, Known: known, AgeSeconds: &age, Labels: map[string]string{label: value}, DeployRisk: plan.Risk{High: risk}, Holds: []Override{{Reason: value}}}
		data, err := plan.Canonical(h)
		if err != nil {
			return // engine.error: see TestNotJSON
		}
		want := parsed(data).Value.(ast.Object)
		for _, p := range []trail{{"id"}, {"age_seconds"}, {"known"}, {"labels", label}, {"labels"}, {"deploy_risk", "high"}, {"holds"}, {"os"}, {"modules"}, {}} {
			get, err := newGetter(reflect.TypeFor[*HostInput](), p)
			if err != nil {
				t.Fatal(err)
			}
			key, err := get.appendKey(nil, reflect.ValueOf(h))
			if err != nil {
				t.Fatalf("%v: %v", p, err)
			}
			if bytes.Count(key, []byte{0}) != 1 {
				t.Fatalf("%v: the key %q ends twice", p, key)
			}
			g := group{section: len(order) - 1, getters: []getter{get}}
			got := ast.ObjectTerm(g.materialise(key, "").members...).Value.(ast.Object)
			path := ast.EmptyRef()
			for _, word := range p {
				path = append(path, ast.StringTerm(word))
			}
			x, e1 := got.Find(path)
			y, e2 := want.Find(path)
			if (e1 == nil) != (e2 == nil) || e1 == nil && x.Compare(y) != 0 {
				t.Errorf("%v = %v, want %v", p, x, y)
			}
		}
	})
}

// TestNotJSON: what cannot be written down is a hold that says so.
func TestNotJSON(t *testing.T) {
	s := one(t, "hold contains {\"msg\": \"m\"} if input.host.id == \"x\"\nwarn contains {\"msg\": \"w\"} if count(input.host.labels) == 1")
	in := change()
	in.Host.ID = "\xff"
	got := s.Decide(in, nil)
	if len(got) != 2 || got[0].Rule != ruleError || !strings.Contains(got[0].Message, "is not UTF-8") {
		t.Errorf("Decide() = %v, want a hold", got)
	}
}

// TestTimeLimit: a built-in that takes long is cut off by the context handed in.
func TestTimeLimit(t *testing.T) {
	s := one(t, `deny contains {"msg": "m"} if count([x | some x in numbers.range(1, 500000)]) > 0`)
	ended := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), time.Millisecond)
	}
	got := s.WithLimits(Limits{Context: ended}).Decide(change(), nil)
	if len(got) != 1 || got[0].Rule != ruleError || !strings.Contains(got[0].Message, "takes longer than is allowed") {
		t.Errorf("Decide() = %v, want a hold", got)
	}
	if got := one(t, `deny contains {"msg": "m"} if input.host.known`).WithLimits(Limits{Context: func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), time.Hour)
	}}).Decide(change(), nil); len(got) != 1 || got[0].Message != "m" {
		t.Errorf("Decide() = %v, want the rule's own", got)
	}
}

// TestZones: a time in a zone is the embedded database's, whatever the machine
// says.
func TestZones(t *testing.T) {
	s := one(t, `warn contains {"msg": sprintf("%v %v %v %v %v %v %v", [
	time.format([n, "Europe/Berlin", "RFC3339"]),
	time.date([n, "America/New_York"]),
	time.clock([n, "Asia/Kolkata"]),
	time.weekday([n, "UTC"]),
	time.diff(n, time.add_date(n, 1, 2, 3)),
	time.parse_ns("RFC1123", "Mon, 02 Mar 2026 09:00:00 CET") == n,
	time.format(n),
])} if {
	n := time.parse_rfc3339_ns(input.at)
}`)
	t.Setenv("TZ", "Europe/Berlin")
	got := s.Decide(aPlan(), nil)
	want := "2026-03-02T10:00:00+01:00 [2026, 3, 2] [14, 30, 0] Monday [1, 2, 3, 0, 0, 0] true 2026-03-02T09:00:00Z"
	if len(got) != 1 || got[0].Message != want {
		t.Errorf("Decide() = %v, want %s", got, want)
	}
}
