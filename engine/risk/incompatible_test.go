package risk

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/exact"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// some makes lessons of random traits; fails says how likely each is to fail.
func some(r *rand.Rand, n int, fails func(*traced) float64) []lesson {
	list := make([]lesson, n)
	for i := range list {
		c := &list[i].traced
		c.host, c.weight = inventory.HostID(fmt.Sprint("h", r.Intn(200))), 1
		vendor := r.Intn(6)
		c.update = []string{fmt.Sprintf("package p%d-%d", vendor, r.Intn(4)), fmt.Sprint("vendor v", vendor)}
		if r.Intn(5) == 0 {
			c.update = append(c.update, "component tls")
		}
		for m := range 6 {
			if r.Intn(6) == 0 {
				c.place = append(c.place, fmt.Sprint("module m", m))
			}
		}
		c.place = append(c.place, fmt.Sprint("role r", r.Intn(5)))
		slices.Sort(c.update)
		slices.Sort(c.place)
		c.failed = r.Float64() < fails(c)
	}
	return list
}

func TestPlantedPairsAreFound(t *testing.T) {
	const runs = 10
	more := 0
	for seed := range int64(runs) {
		list := some(rand.New(rand.NewSource(seed)), 3000, func(c *traced) float64 {
			switch {
			case c.has("vendor v1", "module m2"):
				return 0.3
			case c.has("component tls", "role r3"):
				return 0.3
			}
			return 0.015
		})
		found := incompatibilities(list)
		var names []string
		for _, i := range found {
			names = append(names, i.Patch+" × "+i.Host)
		}
		for _, want := range []string{"component tls × role r3", "vendor v1 × module m2"} {
			if !slices.Contains(names, want) {
				t.Errorf("seed %d: found %v, want %s among them", seed, names, want)
			}
		}
		more += len(names) - 2
		for i := range list {
			if c := &list[i]; c.explained > 0 && !c.has(found[c.explained-1].Patch, found[c.explained-1].Host) {
				t.Fatalf("seed %d: a change is explained by %v, whose traits it does not have", seed, found[c.explained-1])
			}
		}
	}
	if more > 3 {
		t.Errorf("found %d pairs beside the %d planted, want about one in twenty", more, 2*runs)
	}
}

// Where traits only add up, however strong each is, hardly anything is found: a
// vendor who fails often and a role that fails often are no incompatibility.
func TestTraitsThatAddUpAreNoPair(t *testing.T) {
	years, found := 100, 0
	for seed := range int64(years) {
		list := some(rand.New(rand.NewSource(1000+seed)), 1200, func(c *traced) float64 {
			s := exact.Logit(0.02)
			if slices.Contains(c.update, "vendor v1") {
				s += 1.2
			}
			if slices.Contains(c.place, "role r3") {
				s += 1.2
			}
			return exact.Expit(s)
		})
		found += min(len(incompatibilities(list)), 1)
	}
	t.Logf("something found in %d of %d years with nothing to find", found, years)
	if found > years/20 {
		t.Errorf("something found in %d of %d years with nothing to find, want at most 5 %%", found, years)
	}
}

// One broken host fails whatever it gets: that is no incompatibility, however
// often.
func TestOneHostIsNoPair(t *testing.T) {
	list := some(rand.New(rand.NewSource(1)), 2000, func(c *traced) float64 { return 0.01 })
	for range 40 {
		list = append(list, lesson{traced: traced{host: "broken", update: []string{"vendor v1"}, place: []string{"module m2"}, failed: true, weight: 1}})
	}
	if found := incompatibilities(list); len(found) > 0 {
		t.Errorf("found %v, want none: all failures are of one host", found)
	}
}

func TestIncompatibleInWords(t *testing.T) {
	for _, c := range []struct {
		i    Incompatible
		want string
	}{
		{Incompatible{Patch: "line heron-web 4", Host: "module hba7", N: 31, Bad: 9, Expected: 0.0204}, "hba7 with heron-web 4: 9 of 31 failed, 2 % elsewhere"},
		{Incompatible{Patch: "reboot yes", Host: "drift yes", N: 40, Bad: 7, Expected: 0.004}, "drifted hosts with updates that reboot: 7 of 40 failed, 0.4 % elsewhere"},
		{Incompatible{Patch: "size 100 MB", Host: "memory 512 MB", N: 12, Bad: 4.5, Expected: 0.1}, "less than 512 MB of memory free with updates of 100 MB or more: 4.5 of 12 failed, 10 % elsewhere"},
		{Incompatible{Patch: "component tls", Host: "role gateway", N: 12, Bad: 4, Expected: 0.01}, "role gateway with updates of tls: 4 of 12 failed, 1 % elsewhere"},
	} {
		if got := c.i.String(); got != c.want {
			t.Errorf("String() = %q, want %q", got, c.want)
		}
	}
}

// The tail against the sum over all counts.
func TestTail(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	for range 200 {
		n, e, firm := 1+r.Intn(60), 0.001+0.5*r.Float64(), 5+100*r.Float64()
		bad := r.Intn(n + 1)
		want := 0.0
		a, b := e*firm, (1-e)*firm
		beta := func(a, b float64) float64 {
			x, _ := math.Lgamma(a)
			y, _ := math.Lgamma(b)
			z, _ := math.Lgamma(a + b)
			return x + y - z
		}
		for k := bad; k <= n; k++ {
			choose := -math.Log(float64(n+1)) - beta(float64(n-k)+1, float64(k)+1)
			want += math.Exp(choose + beta(a+float64(k), b+float64(n-k)) - beta(a, b))
		}
		if got := tail(share{float64(n), float64(bad)}, e, firm); math.Abs(got-want) > 1e-9*(1+want) && math.Abs(got-want) > 1e-12 {
			t.Fatalf("tail(%d of %d, %v, %v) = %v, want %v", bad, n, e, firm, got, want)
		}
	}
}

// A host's own danger is not diluted: that all others took the patch well changes
// little for the kind of host that failed.
func TestPeersDivide(t *testing.T) {
	ps := &peers{shape: 0.5}
	for i := range 60 {
		traits := []string{"role web"}
		if i%10 == 0 {
			traits = []string{"module hba7", "role web"}
		}
		ps.add(traits, 0.02, i%10 == 0 && i < 50, 1)
	}
	with, why := ps.term([]string{"module hba7", "role web"})
	without, whyNot := ps.term([]string{"role web"})
	if with < 2 || without > 0 {
		t.Errorf("peers with the module add %.2f (%s), without it %.2f (%s); want a great danger for the first alone", with, why, without, whyNot)
	}
	if want := "5 of 6 hosts with hba7 that took it failed, 0.1 expected"; why != want {
		t.Errorf("term() = %q, want %q", why, want)
	}
	if effect, value := (&peers{shape: 1}).term(nil); effect != 0 || value != "" {
		t.Errorf("no peers add %v, %q", effect, value)
	}
}
