package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWatch: it runs at the start, and then for each tick that finds another
// file than before, with what is new, gone or otherwise.
func TestWatch(t *testing.T) {
	file := func(text string, second int64) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(text), ModTime: time.Unix(second, 0)}
	}
	fsys := fstest.MapFS{"policies/a/a.rego": file("a", 1), "policies/a/data.json": file("{}", 1), "policies/README.md": file("x", 1)}
	steps := []struct {
		name string
		edit func()
		want []string // nil: no run
	}{
		{"nothing", func() {}, nil},
		{"an edit", func() { fsys["policies/a/a.rego"] = file("b", 2) }, []string{"policies/a/a.rego"}},
		{"another size in the same second", func() { fsys["policies/a/a.rego"] = file("bc", 2) }, []string{"policies/a/a.rego"}},
		{"data", func() { fsys["policies/a/data.json"] = file("[]", 3) }, []string{"policies/a/data.json"}},
		{"no policy", func() { fsys["policies/README.md"] = file("y", 4) }, nil},
		{"new and gone", func() {
			delete(fsys, "policies/a/a.rego")
			fsys["policies/b/b.rego"] = file("b", 5)
		}, []string{"policies/a/a.rego", "policies/b/b.rego"}},
		{"all of it is gone", func() {
			for name := range fsys {
				delete(fsys, name)
			}
		}, []string{"policies/a/data.json", "policies/b/b.rego"}},
	}
	ctx, stop := context.WithCancel(context.Background())
	tick, looked := make(chan time.Time), make(chan struct{})
	var got [][]string
	first := true
	look := func() (stamps, error) {
		if !first {
			defer func() { looked <- struct{}{} }()
		}
		first = false
		return stampsOf(fsys)
	}
	ended := make(chan error)
	go func() {
		ended <- watch(ctx, look, tick, func(changed []string) error { got = append(got, changed); return nil })
	}()
	want := [][]string{nil}
	for _, s := range steps {
		s.edit()
		tick <- time.Time{}
		<-looked
		if s.want != nil {
			want = append(want, s.want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("watch() = %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runs: %s", diff)
	}
}

// TestWatchEnds: what cannot be looked at, and a run that could not be made, end
// it with the reason.
func TestWatchEnds(t *testing.T) {
	broken := errors.New("broken")
	never := make(chan time.Time)
	fine := func() (stamps, error) { return stamps{}, nil }
	if err := watch(context.Background(), func() (stamps, error) { return nil, broken }, never, nil); !errors.Is(err, broken) {
		t.Errorf("watch() = %v, want %v", err, broken)
	}
	if err := watch(context.Background(), fine, never, func([]string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("watch() = %v, want %v", err, broken)
	}
}

// TestWatchPolicies: the command itself, stopped as by an interrupt: it runs
// once, says what was found, and neither clears nor colours what is no terminal.
func TestWatchPolicies(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"inventory/estate.hcl":       "estate \"e\" {}\n",
		"policies/x/x.rego":          "# METADATA\n# title: X\n# description: x\npackage ringmaster.x\n\n# METADATA\n# title: X\nwarn contains {\"msg\": \"m\", \"remedy\": \"r\"} if input.patch.reports > 3\n",
		"policies/x/x_test.rego":     "package ringmaster.x_test\n\nimport data.ringmaster.x\n\ntest_x if count(x.warn) == 1 with input.patch.reports as 3\n",
		"policies/x/not_a_policy.md": "",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"-C", dir, "policy", "test", "--watch"}, streams{strings.NewReader(""), &out, &errs}, func(string) string { return "" }, time.Now())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if code != exitDone || errs.Len() > 0 || strings.Contains(out.String(), "\x1b") || !strings.Contains(out.String(), "test_x failed") ||
		!slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "first run in ") }) {
		t.Errorf("exit %d\n%s\n%s", code, out.String(), errs.String())
	}
}
