package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// history makes a repository of one line of commits; each item is the files
// that a commit changes, nil deletes.
func history(t testing.TB, commits []map[string][]byte) (*repo.Repo, []repo.Hash) {
	t.Helper()
	r, err := repo.Init(filepath.Join(t.TempDir(), "estate"), "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	var line []repo.Hash
	var tip repo.Hash
	for i, changes := range commits {
		tip, err = r.Write(repo.Next{Base: tip, Changes: changes, Message: fmt.Sprint(i), Author: bot, At: time.Unix(int64(1e9+i), 0)})
		if err != nil {
			t.Fatal(err)
		}
		line = append(line, tip)
	}
	return r, line
}

func planFile(id string) string { return "plans/" + id + "/plan.json" }

// A plan's id is taken from the commit that brought it on, whatever became of
// the plan.
func TestTaken(t *testing.T) {
	r, line := history(t, []map[string][]byte{
		{"README.md": []byte("an estate\n")},
		{planFile("high-main-1"): []byte("1"), "plans/high-main-1/plan.md": []byte("1")},
		{planFile("high-main-1"): nil, "plans/high-main-1/plan.md": nil}, // taken back
		{"inventory/note": []byte("x")},
		{planFile("high-main-2"): []byte("2"), planFile("low-shop-1"): []byte("2")},
		{planFile("high-main-1"): []byte("1")}, // brought back
		{planFile("high-main-2"): []byte("edited")},
		{planFile("high-main-1"): nil, planFile("high-main-2"): nil, planFile("low-shop-1"): nil},
	})
	want := [][]string{{}, {"high-main-1"}, {"high-main-1"}, {"high-main-1"}}
	for range 4 {
		want = append(want, []string{"high-main-1", "high-main-2", "low-shop-1"})
	}
	for _, youngestFirst := range []bool{true, false} {
		e := &Env{Repo: r}
		var order []int
		for i := range line {
			order = append(order, i)
		}
		if youngestFirst {
			slices.Reverse(order)
		}
		for _, i := range order {
			got, err := e.taken(line[i])
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want[i], append([]string{}, sortedKeys(got)...)); d != "" {
				t.Errorf("taken(commit %d), youngest first %v (-want +got):\n%s", i, youngestFirst, d)
			}
		}
	}
}

func TestNextID(t *testing.T) {
	tests := []struct {
		taken []string
		want  string
	}{
		{nil, "high-main-1"},
		{[]string{"high-main-1", "high-shop-1", "low-main-1"}, "high-main-2"},
		{[]string{"high-main-2"}, "high-main-3"}, // one was merged, and the next number is taken
		{[]string{"high-main-1", "high-main-7"}, "high-main-3"},
		{[]string{"high-main-x", "notes"}, "high-main-1"},
	}
	for _, test := range tests {
		d := &decider{}
		d.taken = map[string]bool{}
		for _, id := range test.taken {
			d.taken[id] = true
		}
		if got := d.nextID("high", "main"); got != test.want {
			t.Errorf("nextID() after %q = %q, want %q", test.taken, got, test.want)
		}
	}
}

// In a shallow clone nobody can know which ids were used, and that is said.
func TestTakenShallow(t *testing.T) {
	r, line := history(t, []map[string][]byte{{"a": []byte("a")}, {planFile("high-main-1"): []byte("1")}, {"b": []byte("b")}})
	dir := r.Dir()
	if err := os.WriteFile(filepath.Join(r.GitDir(), "shallow"), []byte(line[2]+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cut, err := repo.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close()
	if _, err := (&Env{Repo: cut}).taken(line[2]); !errors.Is(err, repo.ErrShallow) {
		t.Errorf("taken() in a shallow clone: %v, want %v", err, repo.ErrShallow)
	}
}

// BenchmarkTaken is over 10,000 commits, of which each twentieth merges a plan.
func BenchmarkTaken(b *testing.B) {
	var commits []map[string][]byte
	for i := range 10_000 {
		files := map[string][]byte{fmt.Sprintf("inventory/facts/%d.jsonl", i%256): []byte(fmt.Sprint(i))}
		if i%20 == 0 {
			files[planFile(fmt.Sprintf("high-main-%d", 1+i/20))] = []byte(fmt.Sprint(i))
		}
		commits = append(commits, files)
	}
	r, line := history(b, commits)
	for b.Loop() {
		b.StopTimer()
		again, err := repo.Open(r.Dir()) // which has read nothing yet
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		e := &Env{Repo: again}
		if got, err := e.taken(line[len(line)-1]); err != nil || len(got) != 500 {
			b.Fatalf("taken() = %d, %v", len(got), err)
		}
		b.StopTimer()
		again.Close()
		b.StartTimer()
	}
}
