package inventory

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// anyPackages are packages of which many are alike but for one member.
func anyPackages(rng *rand.Rand, n int) []Package {
	list := make([]Package, n)
	for i := range list {
		list[i] = Package{Type: "deb", Name: fmt.Sprint("p", rng.IntN(9)), Version: fmt.Sprint(rng.IntN(3)), Arch: []string{"", "amd64"}[rng.IntN(2)],
			Source: fmt.Sprint("s", rng.IntN(2)), SourceVersion: fmt.Sprint(rng.IntN(2)), Module: fmt.Sprint(rng.IntN(2)), Vendor: fmt.Sprint(rng.IntN(2))}
	}
	return list
}

func marshalled(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

func TestListIsWhatWentIn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := NewPool()
	distinct := map[Package]bool{}
	for range 200 {
		want := anyPackages(rng, rng.IntN(40))
		for _, pkg := range want {
			distinct[pkg] = true
		}
		l := p.List(want)
		if got := l.Packages(); !slices.Equal(got, want) || l.Len() != len(want) || got == nil {
			t.Fatalf("List(%v) holds %v", want, got)
		}
		if got, _ := json.Marshal(l); string(got) != marshalled(want) {
			t.Fatalf("List(%v) is written as %s", want, got)
		}
		if again := p.Numbered(l.Numbers()); !slices.Equal(again.Packages(), want) {
			t.Fatalf("Numbered(%v) holds %v, want %v", l.Numbers(), again.Packages(), want)
		}
	}
	if n := len(p.Packages()); n != len(distinct) {
		t.Errorf("the pool holds %d packages, want the %d distinct ones", n, len(distinct))
	}
	for i, pkg := range p.Packages() {
		if n := p.Number(pkg); n != int32(i) {
			t.Errorf("Number(%v) = %d, want %d", pkg, n, i)
		}
	}
}

// TestNothingKnown: a list that nobody reported is not an empty one.
func TestNothingKnown(t *testing.T) {
	var unknown *List
	for range unknown.All() {
		t.Error("nil yields a package")
	}
	same := func(p Package) Package { return p }
	if unknown.Len() != 0 || unknown.Packages() != nil || unknown.Numbers() != nil || unknown.Changed(same) != nil {
		t.Error("nil is not a list without packages")
	}
	if empty := NewPool().List(nil); empty == nil || empty.Packages() == nil || empty.Changed(same) == nil {
		t.Error("an empty list is taken for one that nobody reported")
	}
}

func TestChangedLeavesTheOld(t *testing.T) {
	p := NewPool()
	was := []Package{{Type: "deb", Name: "a", Version: "1"}, {Type: "deb", Name: "b", Version: "1"}}
	l := p.List(was)
	next := l.Changed(func(p Package) Package {
		if p.Name == "b" {
			p.Version = "2"
		}
		return p
	})
	want := []Package{was[0], {Type: "deb", Name: "b", Version: "2"}}
	if got := next.Packages(); !slices.Equal(got, want) || !slices.Equal(l.Packages(), was) || next.Pool() != p {
		t.Errorf("Changed() = %v, want %v; the old list is %v", got, want, l.Packages())
	}
}

// TestPoolTogether fills one pool from several goroutines, which read it as well;
// the race detector watches.
func TestPoolTogether(t *testing.T) {
	p := NewPool()
	var together sync.WaitGroup
	for n := range uint64(4) {
		together.Go(func() {
			rng := rand.New(rand.NewPCG(n, 3))
			for range 100 {
				want := anyPackages(rng, 20)
				if got := p.List(want).Packages(); !slices.Equal(got, want) {
					t.Errorf("List(%v) holds %v", want, got)
				}
			}
		})
	}
	together.Wait()
}
