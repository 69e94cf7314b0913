package repo

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShallow(t *testing.T) {
	r := scratch(t)
	a := advance(t, r, "", "f", "1")
	b := advance(t, r, a, "f", "2")
	c := advance(t, r, b, "f", "3")
	dir := filepath.Join(t.TempDir(), "cut")
	git(t, r.Dir(), "clone", "-q", "--depth=1", "file://"+r.Dir(), dir)
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Shallow() || r.Shallow() {
		t.Errorf("Shallow() = %t of the cut clone, %t of the whole", s.Shallow(), r.Shallow())
	}
	var last error
	for _, err := range s.FirstParents(c) {
		last = err
	}
	if !errors.Is(last, ErrShallow) {
		t.Errorf("FirstParents() ends with %v, want ErrShallow", last)
	}
	if _, err := s.Resolve("HEAD~1"); !errors.Is(err, ErrShallow) {
		t.Errorf("Resolve(HEAD~1) = %v, want ErrShallow", err)
	}
	if _, err := s.Changed(c); !errors.Is(err, ErrShallow) {
		t.Errorf("Changed() = %v, want ErrShallow", err)
	}
}

func TestHistoryAndAncestors(t *testing.T) {
	r := scratch(t)
	var all []Hash
	base := Hash("")
	for i := range 20 {
		pairs := []string{"tick", fmt.Sprint(i)}
		if i%5 == 0 {
			pairs = append(pairs, "plans/p/plan.json", fmt.Sprint(i))
		}
		if i == 17 {
			pairs = append(pairs, "plans/p/plan.json", "-")
		}
		base = advance(t, r, base, pairs...)
		all = append(all, base)
	}
	var got []Hash
	for c, err := range r.PathHistory(base, "plans/p/plan.json") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Hash)
	}
	want := []Hash{all[17], all[15], all[10], all[5], all[0]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("PathHistory() (-want +got):\n%s", diff)
	}
	n := len(all)
	for s, err := range r.Under(base, "plans") {
		n--
		if err != nil || s.Commit.Hash != all[n] {
			t.Fatalf("Under() yields %s, %v, want %s", s.Commit.Hash, err, all[n])
		}
		before := Hash("")
		if n > 0 {
			before = all[n-1]
		}
		want := slices.DeleteFunc(must(r.Diff(before, all[n])), func(c Change) bool { return c.Path == "tick" })
		if diff := cmp.Diff(want, s.Changes); diff != "" {
			t.Errorf("Under(), commit %d (-want +got):\n%s", n, diff)
		}
	}
	if n != 0 {
		t.Errorf("Under() leaves out the %d oldest commits", n)
	}
	side := write(t, r, all[3], "side", "1")
	if in := must(r.IsAncestor(all[3], side)); !in {
		t.Error("IsAncestor() = false for a parent")
	}
	if in := must(r.IsAncestor(side, base)); in {
		t.Error("IsAncestor() = true for a side branch")
	}
	if got := must(r.MergeBase(side, base)); got != all[3] {
		t.Errorf("MergeBase() = %s, want %s", got, all[3])
	}
	if got := must(r.Blob(all[17], "plans/p/plan.json")); got != "" {
		t.Errorf("Blob() of a deleted path = %q", got)
	}
}

func TestMerge(t *testing.T) {
	r := scratch(t)
	o := advance(t, r, "", "a", "1", "d/b", "1", "d/c", "1", "gone", "1")
	ours := advance(t, r, o, "a", "2", "d/b", "2")
	theirs := write(t, r, o, "d/c", "2", "gone", "-", "new/x", "1")
	m, err := r.Merge(ours, theirs, Next{Message: "Merge it", Author: bot, At: at})
	if err != nil {
		t.Fatal(err)
	}
	c := must(r.Commit(m))
	if !slices.Equal(c.Parents, []Hash{ours, theirs}) {
		t.Errorf("Parents = %v", c.Parents)
	}
	if got, want := must(r.Changed(m)), []string{"d/c", "gone", "new/x"}; !slices.Equal(got, want) {
		t.Errorf("Changed() = %q, want %q", got, want)
	}
	if got := git(t, r.Dir(), "merge-tree", "--write-tree", string(ours), string(theirs)); got != string(c.Tree) {
		t.Errorf("tree = %s, the git program merges to %s", c.Tree, got)
	}
	if _, err := r.Merge(m, theirs, Next{At: at}); !errors.Is(err, ErrMerged) {
		t.Errorf("merging again = %v, want ErrMerged", err)
	}
	other := write(t, r, o, "a", "3", "d/b", "-")
	var conflict *ConflictError
	if _, err := r.Merge(ours, other, Next{At: at}); !errors.As(err, &conflict) || !slices.Equal(conflict.Paths, []string{"a", "d/b"}) {
		t.Errorf("Merge() = %v, want a conflict in a and d/b", err)
	}
}
