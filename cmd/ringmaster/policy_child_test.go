package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostileTest is what stands beside a hostile policy, so that policy test
// evaluates it.
const hostileTest = "package ringmaster.hostile_test\n\nimport data.ringmaster.hostile\n\ntest_it if count(hostile.deny) == 0\n"

// early is what a process was at before anything was evaluated: parsing,
// compiling for one check or another.
var early = regexp.MustCompile(`(?m)^policies: compiling [^:]*: `)

// TestHostileChild: what no count catches ends in a fault that names the place,
// soon, and within the memory that is allowed. $PATH's ringmaster is this test's
// binary.
func TestHostileChild(t *testing.T) {
	exe, err := exec.LookPath("ringmaster")
	if err != nil {
		t.Skip("no ringmaster on PATH: the tests were started otherwise than by testscript")
	}
	names, err := filepath.Glob("../../testdata/hostile/*.child.rego")
	if err != nil || len(names) < 5 {
		t.Fatalf("%v, %v: want five hostile policies for a child", names, err)
	}
	const memory = 96 // megabytes
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			if slow := strings.HasPrefix(filepath.Base(name), "chain") || strings.HasPrefix(filepath.Base(name), "text"); slow && os.Getenv("RINGMASTER_LONG") == "" {
				t.Skip("some seconds of work: RINGMASTER_LONG=1 runs it")
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file := strings.TrimSuffix(name, ".rego") + ".out"
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			patience := "30s" // a busy machine may stand still for a while
			if strings.Contains(string(want), "700ms") {
				patience = "700ms"
			}
			body := strings.ReplaceAll(string(text), "CHAIN", strings.Repeat("1 + ", 60_000)+"1")
			dir := hostileEstate(t, "package ringmaster.hostile\n\n"+body)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, exe, "-C", dir, "policy", "test", "--memory", "96", "--patience", patience)
			var out, cry bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &cry
			err = cmd.Run()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitInvalid {
				t.Fatalf("policy test = %v, want exit %d\n%s%s", err, exitInvalid, &out, &cry)
			}
			got := early.ReplaceAllString(out.String(), "policies: ")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(want) {
				t.Errorf("policy test prints %s, want %s", got, want)
			}
			if strings.Contains(cry.String(), "goroutine") {
				t.Errorf("policy test cries:\n%s", &cry)
			}
			if peak := childPeak(cmd.ProcessState); peak > (memory+64)<<20 {
				t.Errorf("the process took %d MB at its peak, want at most %d and what a program takes by itself", peak>>20, memory)
			}
		})
	}
}

func hostileEstate(t *testing.T, policy string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"hostile.rego": policy, "hostile_test.rego": hostileTest} {
		folder := filepath.Join(dir, "policies", "hostile")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestCries: what Go's runtime says of its end is kept back, all else passes.
func TestCries(t *testing.T) {
	var out bytes.Buffer
	c := &cries{out: &out}
	for _, s := range []string{"a warning\n", "another: panic: no\n", "last words\nfatal error: runtime: cannot allocate memory\n\ngoroutine 1 [running]:\n", "goroutine 2\n"} {
		if _, err := c.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "a warning\nanother: panic: no\nlast words\n"; got != want {
		t.Errorf("passed on %q, want %q", got, want)
	}
	if got, want := c.why(), "fatal error: runtime: cannot allocate memory"; !c.fatal() || got != want {
		t.Errorf("why() = %q, want %q", got, want)
	}
}

// TestChildAnswers: a child's exit code, output and usage errors are the run's
// own.
func TestChildAnswers(t *testing.T) {
	exe, err := exec.LookPath("ringmaster")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no ringmaster on PATH: the tests were started otherwise than by testscript")
	}
	dir := hostileEstate(t, "package ringmaster.hostile\n\ndeny contains {\"msg\": \"m\"} if 1 == 2\n")
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"policy", "test", "--coverage-floor", "0"}, 0, "1 test: 1 passed"},
		{[]string{"policy", "test", "--coverage-floor", "200"}, exitInvalid, "expected percent"},
		{[]string{"policy", "test", "--memory", "1"}, exitInvalid, "expected at least 64 MB"},
		{[]string{"policy", "test", "--format", "json", "--coverage-floor", "0"}, 0, `"tests"`},
	}
	for _, tt := range tests {
		cmd := exec.Command(exe, append([]string{"-C", dir}, tt.args...)...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.want) {
			t.Errorf("%v = exit %d, want %d and %q:\n%s", tt.args, code, tt.code, tt.want, out)
		}
	}
}
