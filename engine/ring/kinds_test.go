package ring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// sketchOf is the sketch of the words w0 … w<n>.
func sketchOf(from, to int) Sketch {
	var s Sketch
	for i := from; i < to; i++ {
		s.Add(Hash(fmt.Sprint("w", i)))
	}
	return s
}

// A sketch of 16 bins tells the Jaccard index of two sets within about a tenth, and
// without bias.
func TestSketch(t *testing.T) {
	for _, share := range []float64{0, 0.3, 0.5, 0.8, 0.95, 1} {
		sum, worst := 0.0, 0.0
		const rounds, size = 200, 300
		for n := range rounds {
			at := n * 1000
			shift := int(math.Round(size * (1 - share) / (1 + share)))
			a, b := sketchOf(at, at+size), sketchOf(at+shift, at+shift+size)
			got := a.Like(&b)
			if back := b.Like(&a); back != got {
				t.Fatalf("Like() = %v one way and %v the other", got, back)
			}
			sum += got
			worst = max(worst, math.Abs(got-share))
		}
		if mean := sum / rounds; math.Abs(mean-share) > 0.03 || worst > 0.45 {
			t.Errorf("sets of Jaccard index %.2f are %.3f alike on average, and once off by %.2f", share, mean, worst)
		}
	}
	var none Sketch
	some := sketchOf(0, 3)
	if none.Like(&none) != 0 || none.Like(&some) != 0 || some.Like(&none) != 0 {
		t.Error("what is not known is like something")
	}
	if other := sketchOf(0, 3); some.Like(&other) != 1 {
		t.Error("a set of three is not like itself")
	}
}

func week(of func(hour int) float64) []float64 {
	list := make([]float64, 168)
	for i := range list {
		list[i] = of(i)
	}
	return list
}

func TestLoadOf(t *testing.T) {
	office := week(func(h int) float64 {
		if h < 120 && h%24 >= 8 && h%24 < 20 {
			return 0.9
		}
		return 0.05
	})
	for _, tt := range []struct {
		name string
		week []float64
		want Load
	}{
		{"office hours", office, Load{5, 1, 1, 1}},
		{"even", week(func(int) float64 { return 0.45 }), Load{3, 3, 3, 3}},
		{"idle is known", week(func(int) float64 { return 0 }), Load{1, 1, 1, 1}},
		{"full", week(func(int) float64 { return 1 }), Load{5, 5, 5, 5}},
		{"nothing", nil, Load{}},
		{"a day is no week", make([]float64, 24), Load{}},
	} {
		if got := LoadOf(tt.week); got != tt.want {
			t.Errorf("%s: LoadOf() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestHardwareOf(t *testing.T) {
	mb := func(n int64) *int64 { return &n }
	if a, b := HardwareOf(&inventory.Facts{MemMB: mb(8192), DiskMB: mb(40000), Modules: []string{"b", "a"}}), HardwareOf(&inventory.Facts{MemMB: mb(8200), DiskMB: mb(41000), Modules: []string{"a", "b"}}); a != b || a == "" {
		t.Errorf("much the same hardware is %q and %q", a, b)
	}
	if a, b := HardwareOf(&inventory.Facts{MemMB: mb(2048)}), HardwareOf(&inventory.Facts{MemMB: mb(8192)}); a == b {
		t.Errorf("2 and 8 GB are both %q", a)
	}
	if got := HardwareOf(&inventory.Facts{}); got != "" {
		t.Errorf("hardware that is not known is %q", got)
	}
}

func TestLike(t *testing.T) {
	web := Profile{Role: "web", System: "debian 12 amd64", Packages: sketchOf(0, 100), Hardware: "m", Load: Load{5, 1, 1, 1}}
	with := func(edit func(*Profile)) Profile { p := web; edit(&p); return p }
	for _, tt := range []struct {
		name string
		p, o Profile
		want float64
	}{
		{"itself", web, web, 1},
		{"another role", web, with(func(p *Profile) { p.Role = "db" }), 0.7},
		{"another system", web, with(func(p *Profile) { p.System = "alma 9 amd64" }), 0.8},
		{"other hardware", web, with(func(p *Profile) { p.Hardware = "l" }), 0.9},
		{"busy at night", web, with(func(p *Profile) { p.Load = Load{1, 5, 1, 1} }), 0.95},
		{"nobody knows what is on it", web, with(func(p *Profile) { p.Packages = Sketch{} }), 0.7},
		{"only the role is asked for", Profile{Role: "web"}, web, 1},
		{"of neither anything is known", Profile{}, Profile{}, 0},
		{"nothing is known of what it should stand for", Profile{}, web, 0},
	} {
		if got := tt.p.Like(&tt.o); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: Like() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestKinds(t *testing.T) {
	roles := []string{"web", "db", "batch"}
	r := rand.New(rand.NewPCG(1, 2))
	var profiles []Profile
	for i := range 600 {
		p := Profile{Role: roles[i%3], System: []string{"debian 11", "debian 12"}[i/3%2], Packages: sketchOf(1000*(i%3), 1000*(i%3)+300)}
		if i%7 == 0 { // a few of its own, which do not make it another kind
			p.Packages.Add(Hash(fmt.Sprint("own", i)))
		}
		profiles = append(profiles, p)
	}
	k := NewKinds(profiles)
	if len(k.like) != 6 {
		t.Errorf("%d kinds, want 6: three roles on two systems", len(k.like))
	}
	order := r.Perm(len(profiles))
	shuffled := make([]Profile, len(profiles))
	for i, j := range order {
		shuffled[i] = profiles[j]
	}
	again := NewKinds(shuffled)
	for i, j := range order {
		if again.Of(i) != k.Of(j) {
			t.Fatalf("host %d is of kind %d, and of %d when the order differs", j, k.Of(j), again.Of(i))
		}
	}
	if diff := cmp.Diff(k.like, again.like); diff != "" {
		t.Errorf("kinds differ with the order:\n%s", diff)
	}
	var none *Kinds
	if none.Of(3) != -1 {
		t.Error("no kinds tell hosts apart")
	}
}

// However different hosts are, kinds stay few: what makes them different is given
// up step by step, and the rarest are left out last.
func TestKindsStayFew(t *testing.T) {
	for _, tt := range []struct {
		name  string
		make  func(i int) Profile
		kinds int
		apart bool
	}{
		{"lists", func(i int) Profile { return Profile{Role: "web", Packages: sketchOf(1000*i, 1000*i+50)} }, mostLists, false},
		{"load", func(i int) Profile {
			return Profile{Role: fmt.Sprint("r", i%10), Load: Load{1 + uint8(i%5), 1 + uint8(i/5%5), 1 + uint8(i/25%5), 1 + uint8(i/125%5)}}
		}, 10, false},
		{"hardware", func(i int) Profile { return Profile{Role: fmt.Sprint("r", i%10), Hardware: fmt.Sprint(i)} }, 10, false},
		{"roles", func(i int) Profile { return Profile{Role: fmt.Sprint("r", i/2)} }, mostKinds, true},
	} {
		profiles := make([]Profile, 4000)
		for i := range profiles {
			profiles[i] = tt.make(i)
		}
		k := NewKinds(profiles)
		if len(k.like) != tt.kinds || slices.Contains(k.of, -1) != tt.apart {
			t.Errorf("%s: %d kinds, some left out %v, want %d, %v", tt.name, len(k.like), slices.Contains(k.of, -1), tt.kinds, tt.apart)
		}
	}
}

// Where more lists of packages are than are told apart, those of most hosts are, and
// a kind of hosts that are not alike does not stand for all of them.
func TestKindsOfManyLists(t *testing.T) {
	var profiles []Profile
	for i := range 200 {
		from := 1000 * i
		if i >= 40 {
			from = -1000 // an image that most hosts have
		}
		profiles = append(profiles, Profile{Role: "web", System: "debian 12", Packages: sketchOf(from, from+50)})
	}
	k := NewKinds(profiles)
	if len(k.like) != mostLists {
		t.Fatalf("%d kinds, want %d", len(k.like), mostLists)
	}
	image := k.Of(199)
	for i := range 200 {
		if (k.Of(i) == image) != (i >= 40) {
			t.Fatalf("host %d is of kind %d, and the image of %d", i, k.Of(i), image)
		}
	}
	members, kinds := fleetOf(profiles, func(int) int { return 2 })
	got := Assign(first(mostLists), members, kinds, "seed")
	if least, most := (160+40*5.0/8)/200, (175+25*5.0/8)/200; got.Stands[0] < least || got.Stands[0] > most {
		t.Errorf("16 of 41 different lists, one of them on 160 of 200 hosts, stand for %v, want %v to %v", got.Stands[0], least, most)
	}
	got = Assign(first(1), members, kinds, "seed")
	for i, r := range got.Ring {
		if r == 0 && i < 40 {
			t.Errorf("the host that goes first is %d, and 160 others are alike", i)
		}
	}
}
