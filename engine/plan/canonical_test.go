package plan

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// The examples of RFC 8785 (sections 3.2.2 to 3.2.4 and appendix B), and what
// this package adds to it.
func TestCanonical(t *testing.T) {
	tests := []struct {
		name string
		in   any
		want string
	}{
		{"literals", map[string]any{"literals": []any{nil, true, false}}, `{"literals":[null,true,false]}`},
		{"numbers", []float64{333333333.33333329, 1e30, 4.50, 2e-3, 1e-27}, `[333333333.3333333,1e+30,4.5,0.002,1e-27]`},
		{"minus zero", math.Copysign(0, -1), `0`},
		{"smallest", math.SmallestNonzeroFloat64, `5e-324`},
		{"largest", math.MaxFloat64, `1.7976931348623157e+308`},
		{"no exponent", 1e20, `100000000000000000000`},
		{"exponent", 1e21, `1e+21`},
		{"small without exponent", 0.000001, `0.000001`},
		{"small with exponent", 0.0000001, `1e-7`},
		{"string", "\u20ac$\u000f\nA'B\"\\\\\"/", `"€$\u000f\nA'B\"\\\\\"/"`},
		{"no HTML escapes", "<a>&</a>", `"<a>&</a>"`},
		{"sorting", map[string]any{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew", "1": "One", "\U0001f600": "Smile", "\u0080": "Control", "\u00f6": "o"},
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"o\",\"€\":\"Euro Sign\",\"😀\":\"Smile\",\"\ufb33\":\"Hebrew\"}"},
		{"nil slice", []string(nil), `[]`},
		{"nil map", map[string]int(nil), `{}`},
		{"time", time.Date(2026, 3, 2, 10, 0, 0, 999, time.FixedZone("", 3600)), `"2026-03-02T09:00:00Z"`},
		{"json number", json.Number("1.50"), `1.5`},
		{"struct", struct {
			B int `json:"b"`
			A struct {
				T time.Time `json:"t,omitzero"`
			} `json:"a"`
			C []int `json:"c,omitempty"`
		}{B: 1}, `{"a":{},"b":1}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Canonical(test.in)
			if err != nil || string(got) != test.want {
				t.Errorf("Canonical() = %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"NaN": math.NaN(), "infinity": math.Inf(1), "not UTF-8": "\xff", "beyond 2^53": int64(1<<53 + 1), "channel": make(chan int), "key not UTF-8": map[string]int{"\xff": 1},
	} {
		if got, err := Canonical(v); err == nil {
			t.Errorf("%s: Canonical() = %s, want an error", name, got)
		}
	}
}

// What is decoded and encoded again is the same.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":1,"a":[1.5,"x\u000f",null]}`, `"€"`, `1e400`, `{"a":{"a":{}}}`, `-0`, `[1e21,1e-7]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := generic([]byte(s))
		if err != nil {
			return
		}
		first, err := Canonical(v)
		if err != nil {
			return
		}
		again, err := generic(first)
		if err != nil {
			t.Fatalf("Canonical(%q) = %q, which does not parse: %v", s, first, err)
		}
		second, err := Canonical(again)
		if err != nil || string(first) != string(second) {
			t.Fatalf("Canonical(%q) = %q, and of that %q, %v", s, first, second, err)
		}
	})
}

func example() *Plan {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return &Plan{
		ID: "high-payments-3", At: at, Expires: at.Add(time.Hour),
		Patches: []Patch{{ID: "deb:openssl@3.0.15-1~deb12u1", Class: High, Deadline: at, DeployRisk: Risk{P: 0.03125}, Reasons: []Reason{{"jump", `"digest":"sha256:0"`, 0.5}}}},
		Rings:   []Ring{{Name: "canary", Waves: []Wave{{Start: at, End: at, Changes: []Change{{Host: "web-01", Patch: "deb:openssl@3.0.15-1~deb12u1"}}}}}},
	}
}

func TestSeal(t *testing.T) {
	data, err := Seal(example())
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Seal(p)
	if err != nil || string(again) != string(data) {
		t.Errorf("a plan that is read and sealed again differs:\n%s\n%s", data, again)
	}
	if data[len(data)-1] != '\n' || strings.Count(string(data), "\n") != 1 {
		t.Error("a sealed plan is one line and its newline")
	}
}

// Whatever is changed in a sealed plan shows.
func TestParseTampered(t *testing.T) {
	data, err := Seal(example())
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		for _, c := range []byte{'x', '0', '"', ' '} {
			if data[i] == c {
				continue
			}
			bad := append([]byte{}, data...)
			bad[i] = c
			if _, err := Parse(bad); err == nil {
				t.Fatalf("byte %d changed from %q to %q and Parse() took it", i, data[i], c)
			}
		}
	}
	if _, err := Parse(data[:len(data)-1]); err == nil {
		t.Error("Parse() took a plan without its newline")
	}
	if _, err := Parse(append([]byte(" "), data...)); err == nil {
		t.Error("Parse() took a plan with a leading space")
	}
}

// Unknown members are passed over, and covered by the digest all the same.
func TestParseUnknownMember(t *testing.T) {
	data, err := Seal(example())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse([]byte(strings.Replace(string(data), `"at":`, `"and":1,"at":`, 1))); err == nil {
		t.Error("Parse() took a plan with a member added")
	}
	v, _ := generic(data)
	doc := v.(map[string]any)
	doc["and"] = 1
	delete(doc, "digest")
	without, _ := Canonical(doc)
	doc["digest"] = Sum(without)
	with, _ := Canonical(doc)
	if _, err := Parse(append(with, '\n')); err != nil {
		t.Errorf("Parse() of a plan of a later engine: %v", err)
	}
}

func TestParseID(t *testing.T) {
	for _, id := range []string{"high-payments-3", "critical-main-1", "low-a-b-c-12"} {
		class, group, n, ok := ParseID(id)
		if !ok || ID(class, group, n) != id {
			t.Errorf("ParseID(%q) = %q, %q, %d, %v", id, class, group, n, ok)
		}
	}
	for _, id := range []string{"", "high", "high-payments", "urgent-main-1", "high-main-0", "high-main-01", "high-../x-1", "high-Main-1", "high--1", "model-track-record"} {
		if _, _, _, ok := ParseID(id); ok {
			t.Errorf("ParseID(%q) takes it", id)
		}
	}
}

func TestParts(t *testing.T) {
	for _, id := range []PatchID{"deb:openssl@3.0.15-1~deb12u1", "rpm:perl-Encode@4:3.08-461.el9", "generic:@scope/x@1.2", "windows:KB5034441@1"} {
		typ, name, version, ok := id.Parts()
		if !ok || PatchOf(typ, name, version) != id {
			t.Errorf("%q.Parts() = %q, %q, %q, %v", id, typ, name, version, ok)
		}
	}
	for _, id := range []PatchID{"", "openssl", "deb:openssl", "deb:@1", "deb:x@", ":x@1"} {
		if _, _, _, ok := id.Parts(); ok {
			t.Errorf("%q.Parts() takes it", id)
		}
	}
}
