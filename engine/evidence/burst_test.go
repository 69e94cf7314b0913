package evidence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fleet is hosts of a few outcomes each, of which a share p fails.
func fleet(r *rand.Rand, hosts, most int, p float64, predicted bool) []Source {
	list := make([]Source, hosts)
	for i := range list {
		n := 1 + r.IntN(most)
		list[i] = Source{Name: fmt.Sprintf("h%03d", i), Count: Count{N: n}}
		for range n {
			q := p
			if predicted {
				q = p * 2 * r.Float64()
				list[i].Expected += q
			}
			if r.Float64() < q {
				list[i].Bad++
			}
		}
	}
	return list
}

func TestRatesOfFalseBursts(t *testing.T) {
	var list []simulation
	for _, hosts := range []int{5, 50, 300} {
		for _, p := range []float64{0.02, 0.2} {
			for _, predicted := range []bool{false, true} {
				list = append(list, simulation{fmt.Sprintf("Bursts, %d sources, %v %%, predicted: %v", hosts, 100*p, predicted), 0.05, func(r *rand.Rand) (bool, int) {
					return len(Bursts(fleet(r, hosts, 30, p, predicted), 0)) > 0, 0
				}})
			}
		}
	}
	falseAlarms(t, list, 100, many)
}

func TestBursts(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	clean := fleet(r, 60, 20, 0.05, false)
	with := func(s ...Source) []Source { return append(slices.Clone(clean), s...) }
	for _, c := range []struct {
		name    string
		sources []Source
		want    []string
		good    bool
	}{
		{"nothing", nil, nil, false},
		{"one source alone", []Source{{Name: "x", Count: Count{50, 50}}}, nil, false},
		{"an ordinary fleet", clean, nil, false},
		{"a burst of failures from one host", with(Source{Name: "evil", Count: Count{12, 11}}), []string{"evil"}, false},
		{"a burst of successes", with(Source{Name: "import.csv", Count: Count{400, 0}}), []string{"import.csv"}, true},
		{"two at once", with(Source{Name: "b", Count: Count{12, 12}}, Source{Name: "a", Count: Count{12, 12}}), []string{"a", "b"}, false},
		{"impossible counts", with(Source{Name: "x", Count: Count{3, 30}}, Source{Name: "y", Count: Count{-3, -3}}), nil, false},
	} {
		got := Bursts(c.sources, 0)
		var names []string
		for _, b := range got {
			names = append(names, b.Name)
			if b.Successes != c.good || b.P > 0.05 {
				t.Errorf("%s: %+v", c.name, b)
			}
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", c.name, diff)
		}
	}
	sources := with(Source{Name: "evil", Count: Count{12, 11}}, Source{Name: "import.csv", Count: Count{900, 0}})
	want := Bursts(sources, 0)
	r.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
	if diff := cmp.Diff(want, Bursts(sources, 0)); diff != "" || len(want) != 2 {
		t.Errorf("bursts differ (-before +after shuffling):\n%s", diff)
	}
}

// A host that was predicted to fail is no burst, and without predictions it is.
func TestBurstsByPrediction(t *testing.T) {
	var list []Source
	for i := range 50 {
		list = append(list, Source{Name: fmt.Sprint("h", i), Count: Count{20, i % 2}, Expected: 0.5})
	}
	list = append(list, Source{Name: "frail", Count: Count{20, 9}, Expected: 9})
	if got := Bursts(list, 0); len(got) != 0 {
		t.Errorf("Bursts() = %+v, want none", got)
	}
	list[0].Expected = 0 // one without: no predictions are used
	if got := Bursts(list, 0); len(got) != 1 || got[0].Name != "frail" || got[0].All.Bad != 34 {
		t.Errorf("Bursts() = %+v, want frail", got)
	}
}
