package plan

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The bytes of a plan that are written by hand are those that Canonical writes:
// whatever its members hold, and also those that are yet to be added.
func TestDocument(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		p := randomPlan(r)
		want, err := Canonical(p)
		if err != nil {
			t.Fatal(err)
		}
		got, digest, err := document(p)
		if err != nil || string(got) != string(want) {
			t.Fatalf("plan %d: document() differs from Canonical(): %v\n%s", n, err, cmp.Diff(string(want), string(got)))
		}
		if at := fmt.Sprintf(`"digest":%q,`, "x"); p.Digest == "x" && string(got[digest.from:digest.to]) != at {
			t.Errorf("document() has the digest at %q, want %q", got[digest.from:digest.to], at)
		}
	}
}

// randomPlan has every member filled, or not, at random, found by reflection.
// Some of its changes share their decisions, as those of a real plan do.
func randomPlan(r *rand.Rand) *Plan {
	p := &Plan{}
	fill(r, reflect.ValueOf(p).Elem())
	p.Digest = "x"
	shared := []Decision{{Rule: "a.warn", Effect: Warn, Message: "é\u2028\"", Facts: map[string]any{"n": 1.5}}, {Rule: "b.warn"}}
	for i := range p.Rings {
		for j := range p.Rings[i].Waves {
			for k := range p.Rings[i].Waves[j].Changes {
				switch c := &p.Rings[i].Waves[j].Changes[k]; r.IntN(4) {
				case 0:
					c.Decisions = shared
				case 1:
					c.Decisions = shared[:1]
				case 2:
					c.Decisions, c.DeployRisk = nil, Risk{P: 0.03125, Source: "rules"}
				}
			}
		}
	}
	return p
}

var words = []string{"", "web-01", "deb:openssl@3.0.15-1~deb12u1", "a\"b\\c\n\x01", "<€ & \U0001f600>", "\u2028"}

func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(words[r.IntN(len(words))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int:
		v.SetInt(int64(r.IntN(5) - 1))
	case reflect.Float64:
		v.SetFloat([]float64{0, 0.00001, 0.1, -1.5, 1e-9, 1e22, r.Float64()}[r.IntN(7)])
	case reflect.Slice:
		n := r.IntN(4)
		if n == 0 && r.IntN(2) == 0 {
			return // nil
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i))
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]any{"b": 1.0, "a": []any{words[r.IntN(len(words))], nil}}))
	case reflect.Struct:
		if v.Type() == timeType {
			if r.IntN(3) > 0 {
				v.Set(reflect.ValueOf(time.Unix(r.Int64N(4e9), r.Int64N(1e9)).In(time.FixedZone("", 3600))))
			}
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	default:
		panic("a plan has a " + v.Type().String())
	}
}

// What cannot be written is an error by either way, and a plan that is not
// sealed has no digest.
func TestDocumentRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Plan){
		"host not UTF-8":  func(p *Plan) { p.Rings[0].Waves[0].Changes[0].Host = "\xff" },
		"risk not finite": func(p *Plan) { p.Rings[0].Waves[0].Changes[0].DeployRisk.P = inf() },
		"decision not JSON": func(p *Plan) {
			p.Rings[0].Waves[0].Changes[0].Decisions = []Decision{{Facts: map[string]any{"c": make(chan int)}}}
		},
		"skipped not UTF-8":  func(p *Plan) { p.NotPlanned = []Skipped{{Why: "\xff"}} },
		"approval not UTF-8": func(p *Plan) { p.Approvals = []Approval{{From: "\xff"}} },
	} {
		p := example()
		spoil(p)
		if data, err := Seal(p); err == nil || p.Digest != "" {
			t.Errorf("%s: Seal() = %s, %v with digest %q, want an error and none", name, data, err, p.Digest)
		}
		if _, err := Canonical(p); err == nil {
			t.Errorf("%s: Canonical() takes it", name)
		}
	}
}

func inf() float64 {
	zero := 0.0
	return 1 / zero
}

// Whatever is decoded is written alike by both ways, and Parse and Verify agree
// on what is a plan.
func FuzzDocument(f *testing.F) {
	sealed, err := Seal(example())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(sealed))
	f.Add(`{"schema":"ringmaster/plan/v1","rings":[{"waves":[{"changes":[{"host":"€","deploy_risk":{"p":1e-7}}]}]}]}`)
	f.Add(`{"schema":"ringmaster/plan/v1","not_planned":[{"until":"2026-03-02T09:00:00+01:00","why":"\u0001"}],"more":1}`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Decode([]byte(s))
		if err != nil {
			return
		}
		want, err := Canonical(p)
		got, _, err2 := document(p)
		if (err == nil) != (err2 == nil) || err == nil && string(got) != string(want) {
			t.Fatalf("document() = %s, %v; Canonical() = %s, %v", got, err2, want, err)
		}
		if _, err := Parse([]byte(s)); (err == nil) != (Verify([]byte(s)) == nil) {
			t.Fatalf("Parse(%q) = %v, Verify() differs", s, err)
		}
	})
}

// BenchmarkSeal is a plan of 100,000 changes.
func BenchmarkSeal(b *testing.B) {
	p := example()
	shared := []Decision{{Rule: "canary.warn", Effect: Warn, Message: "a warning of common length", Facts: map[string]any{"rank": 1.0}}}
	changes := make([]Change, 100_000)
	for i := range changes {
		changes[i] = Change{Host: "web-000001", Patch: p.Patches[0].ID, From: "3.0.11-1~deb12u1", DeployRisk: Risk{P: float64(i%50) / 1e5, High: 0.5, Source: "prior"}, Decisions: shared}
	}
	p.Rings[0].Waves[0].Changes = changes
	b.Run("document", func(b *testing.B) {
		for b.Loop() {
			if _, err := Seal(p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reflection", func(b *testing.B) {
		for b.Loop() {
			if _, err := Canonical(p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
