package repo

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain runs the test binary as one of the racing processes when told so.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RINGMASTER_TEST_RACER"); dir != "" {
		if err := racer(dir, os.Getenv("RINGMASTER_TEST_NAME"), os.Getenv("RINGMASTER_TEST_COUNT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// racer appends its lines to one file, again and again from what it finds.
func racer(dir, who, count string) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	defer r.Close()
	var n int
	fmt.Sscan(count, &n)
	for i := 0; i < n; {
		head, err := r.Head()
		if err != nil {
			return err
		}
		old, err := r.ReadFile(head.Commit, "log")
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s %d\n", who, i)
		_, err = r.Advance("refs/heads/main", Next{Base: head.Commit, Changes: map[string][]byte{"log": append(old, line...)},
			Message: line, Author: bot, At: at})
		switch {
		case err == nil:
			fmt.Print(line)
			i++
		case !errors.Is(err, ErrMoved):
			return err
		}
	}
	return nil
}

func startRacer(t *testing.T, dir, who string, n int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RINGMASTER_TEST_RACER="+dir, "RINGMASTER_TEST_NAME="+who, fmt.Sprintf("RINGMASTER_TEST_COUNT=%d", n))
	cmd.Stderr = os.Stderr
	return cmd
}

func TestTwoProcessesRace(t *testing.T) {
	r := scratch(t)
	advance(t, r, "", "log", "")
	var all []*exec.Cmd
	for _, who := range []string{"a", "b", "c"} {
		cmd := startRacer(t, r.Dir(), who, 15)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	// This process opened the repository before all of it.
	head := must(r.Head()).Commit
	data, err := r.ReadFile(head, "log")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n"); n != 45 {
		t.Errorf("%d lines, want 45:\n%s", n, data)
	}
	n := 0
	for _, err := range r.FirstParents(head) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 46 {
		t.Errorf("%d commits, want 46", n)
	}
	if got := read(t, r, "log"); got != string(data) {
		t.Errorf("the working tree has %q", got)
	}
	if got := git(t, r.Dir(), "status", "--porcelain"); got != "" {
		t.Errorf("git status = %q", got)
	}
}

// TestKilledProcess kills a committing process at many moments. What it said
// it had committed is there, the repository is whole, and the next run works.
func TestKilledProcess(t *testing.T) {
	r := scratch(t)
	advance(t, r, "", "log", "")
	said, rounds := 0, 8
	if os.Getenv("RINGMASTER_LONG") != "" {
		rounds = 50
	}
	for i := range rounds {
		cmd := startRacer(t, r.Dir(), fmt.Sprint(i), 1000)
		out, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(15+23*i%60)*time.Millisecond, func() { cmd.Process.Kill() })
		cmd.Wait()
		timer.Stop()
		data, _ := os.ReadFile(out.Name())
		said += strings.Count(string(data), "\n")
	}
	head := must(r.Head()).Commit
	data, err := r.ReadFile(head, "log")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n"); n < said || n > said+rounds {
		t.Errorf("%d lines are there, %d were reported", n, said)
	}
	advance(t, r, head, "last", "1")
	if got := read(t, r, "log"); got != string(data) {
		t.Errorf("the working tree was left behind: %d of %d bytes", len(got), len(data))
	}
	if left, _ := filepath.Glob(filepath.Join(r.GitDir(), "refs", "heads", "*.lock")); len(left) > 0 {
		t.Errorf("lock files were left: %q", left)
	}
	if got := git(t, r.Dir(), "status", "--porcelain", "--untracked-files=no"); got != "" {
		t.Errorf("git status = %q", got)
	}
	git(t, r.Dir(), "fsck", "--strict")
	t.Logf("%d commits were reported before the kills", said)
}

// TestOthersObjectsAreSeen has the git program and a second Repo write packs
// and loose objects after the first was opened and had read.
func TestOthersObjectsAreSeen(t *testing.T) {
	r := scratch(t)
	a := advance(t, r, "", "f", "1")
	other := must(Open(r.Dir()))
	defer other.Close()
	must(other.ReadFile(a, "f"))
	big := []string{}
	for i := range 40 {
		big = append(big, fmt.Sprintf("d/%d", i), fmt.Sprint(i))
	}
	b := advance(t, r, a, big...)
	if data, err := other.ReadFile(b, "d/39"); err != nil || string(data) != "39" {
		t.Errorf("ReadFile() of a new pack = %q, %v", data, err)
	}
	if h := must(other.Head()).Commit; h != b {
		t.Errorf("Head() = %s, want %s", h, b)
	}
	git(t, r.Dir(), "gc", "-q", "--prune=now")
	for _, x := range []*Repo{r, other} {
		if data, err := x.ReadFile(a, "f"); err != nil || string(data) != "1" {
			t.Errorf("ReadFile() after gc = %q, %v", data, err)
		}
	}
	put(t, r, "hand", "made")
	git(t, r.Dir(), "add", "-A")
	git(t, r.Dir(), "commit", "-qm", "by hand")
	c := must(r.Head()).Commit
	if data, err := other.ReadFile(c, "hand"); err != nil || string(data) != "made" {
		t.Errorf("ReadFile() of the git program's commit = %q, %v", data, err)
	}
}
