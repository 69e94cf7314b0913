package policy

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzLint: whatever is done to a file of the library, lint neither panics nor
// says another thing the second time, and what it says has a place.
func FuzzLint(f *testing.F) {
	all := library(f)
	names := slices.Sorted(maps.Keys(all))
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, ".md") || strings.HasSuffix(n, "_test.rego") })
	for i := range names {
		f.Add(uint16(i), uint64(1+i))
	}
	f.Fuzz(func(t *testing.T, which uint16, seed uint64) {
		name := names[int(which)%len(names)]
		files := map[string][]byte{name: mutated(all[name], rand.New(rand.NewPCG(seed, 7)))}
		for _, needed := range []string{"policies/people/people.rego", strings.TrimSuffix(name, name[strings.LastIndexByte(name, '/')+1:]) + "data.json"} {
			if text, ok := all[needed]; ok && needed != name {
				files[needed] = text
			}
		}
		once, faults := Lint(files)
		again, faultsAgain := Lint(files)
		if diff := cmp.Diff(once, again) + cmp.Diff(faults, faultsAgain); diff != "" {
			t.Errorf("the second time: %s", diff)
		}
		for _, x := range once.Findings {
			faults = append(faults, x.Fault)
		}
		for _, x := range faults {
			if text, ok := files[x.File]; !ok || x.Line < 1 || x.Line > 2+bytes.Count(text, []byte("\n")) || x.Column < 0 || x.Message == "" {
				t.Errorf("%s:%d:%d: %s: that is nowhere", x.File, x.Line, x.Column, x.Message)
			}
		}
	})
}

// mutated is a text with some of its lines and words lost, doubled or exchanged.
func mutated(text []byte, r *rand.Rand) []byte {
	lines := bytes.SplitAfter(bytes.Clone(text), []byte("\n"))
	for range 1 + r.IntN(3) {
		i, j := r.IntN(len(lines)), r.IntN(len(lines))
		switch r.IntN(5) {
		case 0:
			lines = slices.Delete(lines, i, i+1)
			if len(lines) == 0 {
				return nil
			}
		case 1:
			lines = slices.Insert(lines, i, lines[j])
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
		case 3:
			from, to := bytes.Fields(lines[i]), bytes.Fields(lines[j])
			if len(from) > 0 && len(to) > 0 {
				lines[i] = bytes.Replace(lines[i], from[r.IntN(len(from))], to[r.IntN(len(to))], 1)
			}
		case 4:
			if n := len(lines[i]); n > 1 {
				at := r.IntN(n - 1)
				lines[i] = append(bytes.Clone(lines[i][:at]), lines[i][at+1:]...)
			}
		}
	}
	return bytes.Join(lines, nil)
}

// TestAllow: a comment takes one finding as meant, where it stands, and no other.
func TestAllow(t *testing.T) {
	const text = `# METADATA
# title: X
# description: x
package ringmaster.x

# METADATA
# title: T
# custom:
#   exceptable: false
hold contains {"msg": "m"} if input.patch.reports > 3`
	tests := []struct {
		name, beside string
		want         int
	}{
		{"none", "", 1},
		{"beside", "# lint: allow no-remedy", 0},
		{"another", "# lint: allow no-test", 1},
		{"two", "# lint: allow no-test, no-remedy", 0},
		{"two lines below", "\n\n# lint: allow no-remedy", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := bytesOf(map[string]string{"policies/x/x.rego": text + " " + tt.beside, "policies/x/x_test.rego": "package ringmaster.x_test"})
			looked, faults := Lint(files)
			if len(faults) > 0 || len(looked.Findings) != tt.want {
				t.Errorf("Lint() = %v, %v, want %d", looked.Findings, faults, tt.want)
			}
		})
	}
}
