package repo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// put edits a file of the working tree.
func put(t *testing.T, r *Repo, path, text string) {
	t.Helper()
	at := filepath.Join(r.Dir(), filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, r *Repo, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.Dir(), filepath.FromSlash(path)))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func TestMoveBringsFilesAndIndex(t *testing.T) {
	r := scratch(t)
	a := advance(t, r, "", "keep", "1", "go/es", "1", "d/x", "1", "run.sh", "#!/bin/sh\n")
	put(t, r, "untracked", "mine")
	b, err := r.Advance("refs/heads/main", Next{Base: a, At: at, Author: bot, Message: "more",
		Changes: files("go/es", "-", "d/x", "2", "new/deep/y", "3", "tool", "#!/bin/sh\n"), Executable: map[string]bool{"tool": true}})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, r, "d/x") + read(t, r, "new/deep/y") + read(t, r, "untracked"); got != "23mine" {
		t.Errorf("files = %q", got)
	}
	if _, err := os.Stat(filepath.Join(r.Dir(), "go")); !os.IsNotExist(err) {
		t.Errorf("the empty folder is still there: %v", err)
	}
	if got := git(t, r.Dir(), "status", "--porcelain"); got != "?? untracked" {
		t.Errorf("git status = %q", got)
	}
	if got := git(t, r.Dir(), "diff-files", "--name-only"); got != "" {
		t.Errorf("git diff-files, which trusts times alone = %q", got)
	}
	git(t, r.Dir(), "add", "untracked")
	git(t, r.Dir(), "commit", "-qm", "by hand")
	c := must(r.Head()).Commit
	if _, err := r.Advance("refs/heads/main", Next{Base: c, Changes: files("keep", "2"), At: at, Author: bot}); err != nil {
		t.Fatal(err)
	}
	if got := git(t, r.Dir(), "status", "--porcelain"); got != "" {
		t.Errorf("git status = %q", got)
	}
	git(t, r.Dir(), "fsck", "--strict")
	if err := r.Move("refs/heads/main", b, a); !errors.Is(err, ErrMoved) {
		t.Errorf("Move() from elsewhere = %v, want ErrMoved", err)
	}
}

func TestMoveOfAnotherBranchLeavesFiles(t *testing.T) {
	r := scratch(t)
	a := advance(t, r, "", "f", "1")
	b := write(t, r, a, "f", "2")
	put(t, r, "f", "edited")
	if err := r.Move("refs/heads/ringmaster/x", "", b); err != nil {
		t.Fatal(err)
	}
	if got := read(t, r, "f"); got != "edited" {
		t.Errorf("f = %q", got)
	}
}

func TestMoveRefusesEditedFiles(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, r *Repo)
		want  []string
	}{
		{"edited", func(t *testing.T, r *Repo) { put(t, r, "f", "mine") }, []string{"f"}},
		{"deleted", func(t *testing.T, r *Repo) { os.Remove(filepath.Join(r.Dir(), "f")) }, []string{"f"}},
		{"untracked in the way", func(t *testing.T, r *Repo) { put(t, r, "new", "mine") }, []string{"new"}},
		{"staged", func(t *testing.T, r *Repo) {
			put(t, r, "f", "mine")
			git(t, r.Dir(), "add", "f")
			put(t, r, "f", "1")
		}, []string{"f"}},
		{"folder in the way", func(t *testing.T, r *Repo) { put(t, r, "new/x", "mine") }, []string{"new"}},
		{"link in the way", func(t *testing.T, r *Repo) {
			out := t.TempDir()
			os.RemoveAll(filepath.Join(r.Dir(), "d"))
			if err := os.Symlink(out, filepath.Join(r.Dir(), "d")); err != nil {
				t.Skip(err)
			}
		}, []string{"d/x"}},
		{"elsewhere", func(t *testing.T, r *Repo) { put(t, r, "other", "mine") }, nil},
		{"already so", func(t *testing.T, r *Repo) { put(t, r, "f", "2"); put(t, r, "new", "1") }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := scratch(t)
			a := advance(t, r, "", "f", "1", "other", "1", "d/x", "1")
			b := write(t, r, a, "f", "2", "new", "1", "d/x", "2")
			tc.spoil(t, r)
			err := r.Move("refs/heads/main", a, b)
			var dirty *DirtyError
			if errors.As(err, &dirty); tc.want == nil && err != nil || tc.want != nil && (dirty == nil || !slices.Equal(dirty.Paths, tc.want)) {
				t.Fatalf("Move() = %v, want edited %q", err, tc.want)
			}
			if now := must(r.Ref("refs/heads/main")); tc.want != nil && now != a {
				t.Errorf("the branch moved to %s although it was refused", now)
			}
		})
	}
}

func TestDirty(t *testing.T) {
	r := scratch(t)
	advance(t, r, "", "f", "1", "d/x", "1", "d/y", "1")
	put(t, r, "f", "mine")
	put(t, r, "d/y", "mine")
	put(t, r, "loose", "mine")
	got, err := r.Dirty([]string{"f", "d", "loose", "nowhere", "d/x"})
	if want := []string{"d/y", "f", "loose"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Dirty() = %q, %v, want %q", got, err, want)
	}
}

func TestLinksOutOfTheTreeAreNotWrittenThrough(t *testing.T) {
	r := scratch(t)
	out := t.TempDir()
	a := advance(t, r, "", "f", "1")
	if err := os.Symlink(out, filepath.Join(r.Dir(), "plans")); err != nil {
		t.Skip(err)
	}
	b := write(t, r, a, "plans/p/plan.json", "{}")
	if err := r.Move("refs/heads/main", a, b); !errors.Is(err, ErrDirty) {
		t.Errorf("Move() = %v, want ErrDirty", err)
	}
	if list, _ := os.ReadDir(out); len(list) != 0 {
		t.Errorf("something was written outside: %v", list)
	}
}

// TestKilledMoveIsFinished puts a repository into each state in which a kill
// can leave it and lets the next run find it.
func TestKilledMoveIsFinished(t *testing.T) {
	for _, moved := range []bool{false, true} {
		t.Run(fmt.Sprintf("moved=%t", moved), func(t *testing.T) {
			r := scratch(t)
			a := advance(t, r, "", "f", "1", "mine", "1")
			b := write(t, r, a, "f", "2", "new", "1", "mine", "2")
			g := must(r.guard())
			if err := g.note(pending{"refs/heads/main", a, b}); err != nil {
				t.Fatal(err)
			}
			if moved {
				if err := g.swap("refs/heads/main", a, b); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := g.claim(filepath.Join(r.GitDir(), "index")); err != nil { // its lock file stays
				t.Fatal(err)
			}
			if _, err := g.claim(r.refPath("refs/heads/main")); err != nil {
				t.Fatal(err)
			}
			g.release()
			put(t, r, "mine", "by a person, since")

			next := must(Open(r.Dir()))
			defer next.Close()
			if _, err := next.Dirty(nil); err != nil {
				t.Fatal(err)
			}
			want, status := "1", " M mine"
			if moved {
				want = "2"
			}
			if got := read(t, r, "f"); got != want {
				t.Errorf("f = %q, want %q", got, want)
			}
			if got := git(t, r.Dir(), "status", "--porcelain"); strings.TrimSpace(got) != strings.TrimSpace(status) && !strings.Contains(got, "mine") {
				t.Errorf("git status = %q, want %q", got, status)
			}
			if _, err := os.Stat(filepath.Join(r.GitDir(), "index.lock")); !os.IsNotExist(err) {
				t.Errorf("index.lock is still there: %v", err)
			}
			put(t, r, "mine", want)
			if got := git(t, r.Dir(), "status", "--porcelain"); moved && strings.Contains(got, "f") && !strings.Contains(got, "mine") {
				t.Errorf("git status = %q", got)
			}
			head := must(next.Head()).Commit
			if _, err := next.Advance("refs/heads/main", Next{Base: head, Changes: files("f", "9"), At: at, Author: bot}); err != nil {
				t.Errorf("Advance() afterwards = %v", err)
			}
		})
	}
}
