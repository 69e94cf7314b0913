package estate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// slowDiffer says what differ does in the plainest way.
func slowDiffer(all []inventory.Package, base []int32, changes []packageLine) []int32 {
	list := slices.DeleteFunc(append([]int32{}, base...), func(n int32) bool {
		b := &all[n]
		return slices.ContainsFunc(changes, func(l packageLine) bool {
			c := &all[l.number]
			return c.Type == b.Type && c.Name == b.Name && (c.Arch == b.Arch || c.Arch == "")
		})
	})
	for _, c := range changes {
		if !c.gone {
			list = append(list, c.number)
		}
	}
	return tidy(all, list)
}

func TestDiffer(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	pool := inventory.NewPool()
	random := func(most int) []int32 {
		var list []int32
		for range rng.IntN(most) {
			list = append(list, pool.Number(inventory.Package{Type: "rpm", Name: fmt.Sprint("p", rng.IntN(6)), Arch: []string{"", "i686", "x86_64"}[rng.IntN(3)], Version: fmt.Sprint(rng.IntN(4))}))
		}
		return list
	}
	for range 3000 {
		base, some := random(12), random(6)
		base = tidy(pool.Packages(), base)
		var changes []packageLine
		for _, n := range some {
			changes = append(changes, packageLine{n, rng.IntN(4) == 0})
		}
		all := pool.Packages()
		kept := slices.Clone(base)
		if diff := cmp.Diff(slowDiffer(all, base, changes), differ(all, base, changes)); len(changes) > 0 && diff != "" {
			t.Fatalf("differ(%v, %v) (-want +got):\n%s", base, changes, diff)
		}
		if !slices.Equal(base, kept) {
			t.Fatal("differ changed the set, which other hosts have too")
		}
	}
}

// FuzzParse: a list read piece by piece, and again from what is remembered of the
// pieces, is the list decoded as a whole.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`[]`, `[{"type":"deb","name":"a","version":"1"}]`, ` [ {"type":"deb","name":"a","version":"1"} , {"type":"deb","name":"a","version":""} ] `,
		`[{"type":"windows","name":"KB1"}]`, `[{"type":"deb","name":"a"},{"type":"deb","name":"a","version":"1 2"}]`, `[{"name":"}"},{"name":"\"}"}]`, `[{"x":{"y":[1]}}]`,
		`[{},]`, `[{}{}]`, `[null]`, `null`, `{}`, `[1]`, `[{"name":1}]`, `[{"name":"a","NAME":"b","type":"deb","Version":"1"}]`, `[{]}`, `[{}]]`, `[{"name":"a`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPackages()
		want, wrong := p.decode(data)
		for range 2 {
			got, problems := p.parse(data)
			if !slices.Equal(got, want) || !slices.Equal(problems, wrong) {
				t.Fatalf("parse(%q) = %v, %q, want %v, %q", data, got, problems, want, wrong)
			}
		}
	})
}

// FuzzCut: a line cut in two and decoded apart is the line decoded as a whole.
func FuzzCut(f *testing.F) {
	for _, s := range []string{`{"host":"a","packages":[{"name":"x"}],"at":"y"}`, `{"packages":[1,[2,"]"]]}`, `{"a":"packages","packages":[]}`, `{"packages":[],"packages":[1]}`,
		`{"x":{"packages":[1]}}`, `{"packages":null}`, `{"packages":[}`, `["packages",[1]]`, `{"pack\u0061ges":[1]}`, `{"packages" : [1] , "b":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		rest, value := cut(line, "packages")
		if value == nil {
			if string(rest) != string(line) {
				t.Fatalf("cut(%q) = %q without a value", line, rest)
			}
			return
		}
		var whole, part map[string]any
		if json.Unmarshal(line, &whole) != nil {
			return // judged by the decoder when the parts are read
		}
		var list any
		if err := json.Unmarshal(rest, &part); err != nil {
			t.Fatalf("cut(%q) leaves %q: %v", line, rest, err)
		}
		if err := json.Unmarshal(value, &list); err != nil {
			t.Fatalf("cut(%q) takes %q: %v", line, value, err)
		}
		part["packages"] = list
		if diff := cmp.Diff(whole, part); diff != "" {
			t.Errorf("cut(%q) (-whole +parts):\n%s", line, diff)
		}
	})
}
