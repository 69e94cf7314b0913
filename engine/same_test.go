package engine

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// reviewed is a plan of one of everything that reviewers decide on.
func reviewed(t *testing.T) *plan.Plan {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	decisions := func() []plan.Decision {
		return []plan.Decision{{Rule: "a.warn", Effect: plan.Warn, Message: "m", Remedy: "r", Facts: map[string]any{"n": 1.5, "b": true, "list": []any{"x", nil}, "o": map[string]any{"k": "v"}}}}
	}
	return &plan.Plan{
		At: at, Patches: []plan.Patch{{ID: "deb:x@1", Class: plan.High, Test: "fast", Feasible: true, Decisions: decisions(), Conflict: []plan.Constraint{{Kind: "clock", Name: "n", Message: "m"}}}},
		Rings: []plan.Ring{{Name: "canary", Soak: "1d", MaxFailures: 1, Gates: []string{"g"}, Waves: []plan.Wave{{Start: at, NotAfter: at, End: at, Soak: "1h",
			Changes: []plan.Change{{Host: "h", Patch: "deb:x@1", From: "0", DeployRisk: plan.Risk{P: 0.1, Source: "prior"}, Decisions: decisions()}}}}}},
		Approvals: []plan.Approval{{From: "a", Count: 1, By: at, EscalateTo: "b", Because: "c"}},
	}
}

// A plan is the same when it is read again, and differs when anything differs
// that reviewers decide on: every member below its rings but the scores.
func TestSame(t *testing.T) {
	a := reviewed(t)
	data, err := plan.Seal(a)
	if err != nil {
		t.Fatal(err)
	}
	b, err := plan.Parse(data)
	if err != nil || !Same(a, b) || !Same(b, a) {
		t.Fatalf("Same() says that a plan is not itself when it is read again (%v)", err)
	}
	b.Rings[0].Waves[0].Changes[0].DeployRisk, b.At, b.Inputs.Commit = plan.Risk{P: 0.2}, b.At.Add(time.Hour), "x"
	b.Patches[0].DeployRisk.P, b.Patches[0].Deadline = 0.3, b.At
	b.Rings[0].StandsFor = new(float64)
	if !Same(a, b) {
		t.Error("Same() = false for plans that differ in scores and times of no wave")
	}
	for _, part := range []func(*plan.Plan) any{
		func(p *plan.Plan) any { return &p.Rings[0] },
		func(p *plan.Plan) any { return &p.Rings[0].Waves[0] },
		func(p *plan.Plan) any { return &p.Rings[0].Waves[0].Changes[0] },
		func(p *plan.Plan) any { return &p.Rings[0].Waves[0].Changes[0].Decisions[0] },
		func(p *plan.Plan) any { return &p.Patches[0].Decisions[0] },
		func(p *plan.Plan) any { return &p.Patches[0].Conflict[0] },
		func(p *plan.Plan) any { return &p.Approvals[0] },
	} {
		fields := reflect.TypeOf(part(a)).Elem()
		for i := range fields.NumField() {
			c := reviewed(t)
			if name := fields.Field(i).Name; name == "DeployRisk" || name == "StandsFor" {
				continue
			}
			other(reflect.ValueOf(part(c)).Elem().Field(i))
			if Same(a, c) || Same(c, a) {
				t.Errorf("Same() = true for plans that differ in %s.%s", fields, fields.Field(i).Name)
			}
		}
	}
}

// other changes a value to one that JSON tells from it.
func other(v reflect.Value) {
	switch x := v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(x.Add(time.Second)))
		return
	case map[string]any:
		x["o"].(map[string]any)["k"] = "w"
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.Append(v, v.Index(0)))
	default:
		panic("no other " + v.Type().String())
	}
}

// Values are the same when their JSON is.
func FuzzSameValue(f *testing.F) {
	for _, pair := range [][2]string{{`1`, `1.0`}, {`"1"`, `1`}, {`[]`, `{}`}, {`null`, `null`}, {`{"a":[0,-0]}`, `{"a":[-0,0]}`}, {`{"a":null}`, `{}`}, {`[{}]`, `[{},{}]`}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		var a, b any
		if json.Unmarshal([]byte(x), &a) != nil || json.Unmarshal([]byte(y), &b) != nil {
			return
		}
		if got, want := sameValue(a, b), written(a, b); got != want {
			t.Errorf("sameValue(%s, %s) = %v, want %v", x, y, got, want)
		}
	})
}
