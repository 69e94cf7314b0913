package repo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// peer runs the git program in a folder, and skips where there is none.
func peer(b *testing.B, dir string, args ...string) {
	b.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@localhost", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@localhost", "GIT_CONFIG_GLOBAL=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// many is a tree of n files in folders of a hundred.
func many(n int) map[string][]byte {
	files := map[string][]byte{}
	for i := range n {
		files[fmt.Sprintf("inventory/%03d/%05d.json", i/100, i)] = fmt.Appendf(nil, "{\"host\":\"h%05d\"}\n", i)
	}
	return files
}

var benchPerson = Person{Name: "a", Email: "a@localhost"}

// BenchmarkCommit100of10k commits 100 changed files of 10,000, and measures the
// git program at the same in the same run: "ratio" is ours by git's.
func BenchmarkCommit100of10k(b *testing.B) {
	if _, err := exec.LookPath("git"); err != nil {
		b.Skip("there is no git program to compare with")
	}
	dir := b.TempDir()
	r, err := Init(dir, "main")
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	head, err := r.Advance("refs/heads/main", Next{Changes: many(10_000), Message: "begin", Author: benchPerson, At: time.Unix(1e9, 0)})
	if err != nil {
		b.Fatal(err)
	}
	var ours, theirs time.Duration
	for n := 0; b.Loop(); n++ {
		changes := map[string][]byte{}
		for i := range 100 {
			changes[fmt.Sprintf("inventory/%03d/%05d.json", i, i*100)] = fmt.Appendf(nil, "{\"run\":%d}\n", n)
		}
		began := time.Now()
		next, err := r.Write(Next{Base: head, Changes: changes, Message: "outcomes", Author: benchPerson, At: time.Unix(1e9+int64(n), 0)})
		if err == nil {
			err = r.CompareAndSwap("refs/heads/main", head, next)
		}
		if err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)
		b.StopTimer()
		// The peer makes the same change to the same tree, in its working tree.
		if err := r.CompareAndSwap("refs/heads/main", next, head); err != nil {
			b.Fatal(err)
		}
		for name, data := range changes {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				b.Fatal(err)
			}
		}
		began = time.Now()
		peer(b, dir, "add", "-A")
		peer(b, dir, "commit", "-q", "-m", "outcomes")
		theirs += time.Since(began)
		if head, err = r.Ref("refs/heads/main"); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
}

// BenchmarkPathHistory walks the history of one path over 10,000 commits, a
// hundredth of which touch it, beside `git log -- path` in the same run.
func BenchmarkPathHistory(b *testing.B) {
	if _, err := exec.LookPath("git"); err != nil {
		b.Skip("there is no git program to compare with")
	}
	dir := b.TempDir()
	r, err := InitBare(dir, "main")
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	var head Hash
	for i := range 10_000 {
		name := fmt.Sprintf("outcomes/%02d.jsonl", i%100)
		if head, err = r.Write(Next{Base: head, Changes: map[string][]byte{name: fmt.Appendf(nil, "%d\n", i)}, Message: "n", Author: benchPerson, At: time.Unix(1e9+int64(i), 0)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.CompareAndSwap("refs/heads/main", "", head); err != nil {
		b.Fatal(err)
	}
	peer(b, dir, "gc", "-q")
	again, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer again.Close()
	var ours, theirs time.Duration
	for b.Loop() {
		began := time.Now()
		n := 0
		for _, err := range again.PathHistory(head, "outcomes/07.jsonl") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		ours += time.Since(began)
		if n != 100 {
			b.Fatalf("%d commits touch the path, want 100", n)
		}
		b.StopTimer()
		began = time.Now()
		peer(b, dir, "log", "--format=%H", "main", "--", "outcomes/07.jsonl")
		theirs += time.Since(began)
		b.StartTimer()
	}
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
}
