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
func slowDiffer(base []inventory.Package, changes []packageLine) []inventory.Package {
	list := slices.DeleteFunc(append([]inventory.Package{}, base...), func(b inventory.Package) bool {
		return slices.ContainsFunc(changes, func(c packageLine) bool {
			return c.Type == b.Type && c.Name == b.Name && (c.Arch == b.Arch || c.Arch == "")
		})
	})
	for _, c := range changes {
		if !c.gone() {
			list = append(list, c.Package)
		}
	}
	return tidy(list)
}

func TestDiffer(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := func(most int) []inventory.Package {
		var list []inventory.Package
		for range rng.IntN(most) {
			list = append(list, inventory.Package{Type: "rpm", Name: fmt.Sprint("p", rng.IntN(6)), Arch: []string{"", "i686", "x86_64"}[rng.IntN(3)], Version: fmt.Sprint(rng.IntN(4))})
		}
		return list
	}
	gone := ""
	for range 3000 {
		base := tidy(random(12))
		var changes []packageLine
		for _, p := range random(6) {
			c := packageLine{Package: p, Written: &p.Version}
			if rng.IntN(4) == 0 {
				c.Version, c.Written = "", &gone
			}
			changes = append(changes, c)
		}
		kept := slices.Clone(base)
		if diff := cmp.Diff(slowDiffer(base, changes), differ(base, changes)); len(changes) > 0 && diff != "" {
			t.Fatalf("differ(%v, %v) (-want +got):\n%s", base, changes, diff)
		}
		if !slices.Equal(base, kept) {
			t.Fatal("differ changed the set, which other hosts have too")
		}
	}
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
