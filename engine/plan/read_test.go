package plan

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever a plan holds, what is read by hand is what encoding/json reads, and
// what is shared is shared again.
func TestRead(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 300 {
		data, err := Seal(randomPlan(r))
		if err != nil {
			t.Fatal(err)
		}
		want, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, read(data)); d != "" {
			t.Fatalf("plan %d: read() differs from Decode() (-Decode +read):\n%s", n, d)
		}
	}
}

func TestReadShares(t *testing.T) {
	p := example()
	w := &p.Rings[0].Waves[0]
	w.Changes[0].Decisions = []Decision{{Rule: "a.warn"}}
	again := w.Changes[0]
	again.Host, again.Decisions = "web-02", []Decision{{Rule: "a.warn"}}
	w.Changes = append(w.Changes, again)
	data, err := Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	got := read(data).Rings[0].Waves[0].Changes
	if &got[0].Decisions[0] != &got[1].Decisions[0] {
		t.Error("read() decodes the same decisions twice")
	}
}

// Any bytes are either read as encoding/json reads them, or not by hand.
func FuzzRead(f *testing.F) {
	data, err := Seal(example())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	for _, s := range []string{"", "{", `{"rings":[]}`, `{"rings":[{"gates":"\\`, `{"a":1,"rings":[{"gates":[],"max_failures":1`, `{"rings":[{"gates":[],"max_failures":1,"name":"","soak":"","waves":[{"changes":[{`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := read([]byte(s))
		if p == nil || !sealed(p, []byte(s)) {
			return
		}
		want, err := Decode([]byte(s))
		if d := cmp.Diff(want, p); err != nil || d != "" {
			t.Errorf("read() differs from Decode(), which says %v (-Decode +read):\n%s", err, d)
		}
	})
}
