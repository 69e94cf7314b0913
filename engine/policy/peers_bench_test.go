//go:build unix

package policy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/plan"
)

// children is the processor time of the processes that this one has waited for.
func children(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tool finds a program or skips.
func tool(b *testing.B, name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		b.Skipf("%s is not on the PATH: nothing to measure beside", name)
	}
	return path
}

// outside is the shipped library and 200 inputs as other tools read them.
func outside(b *testing.B) (policies string, inputs []string) {
	dir := b.TempDir()
	for name, data := range library(b) {
		if filepath.Ext(name) != ".rego" || len(name) > 10 && name[len(name)-10:] == "_test.rego" {
			continue
		}
		write(b, filepath.Join(dir, filepath.FromSlash(name)), data)
	}
	f := newFleet(200, 1)
	for i := range 200 {
		in := *change()
		f.vary(i, &in)
		in.Host = newMemo(&view{}).derived(in.Host)
		data, err := plan.Canonical(&in)
		if err != nil {
			b.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("input-%03d.json", i))
		write(b, name, data)
		inputs = append(inputs, name)
	}
	return filepath.Join(dir, "policies"), inputs
}

func write(b *testing.B, name string, data []byte) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		b.Fatal(err)
	}
}

// ours is the processor time of one decision among 100,000 hosts × 20 patches.
func ours(b *testing.B) float64 {
	s, f := shipped(b), newFleet(100_000, 20)
	start := cpu()
	s.Batch(f.size(), *change(), f.vary, nil)
	return float64(cpu()-start) / float64(f.size())
}

// BenchmarkConftest is conftest on the same library and 200 inputs in one call,
// as its users run it. It evaluates deny and warn; ours adds hold, require,
// approvals and the reasons.
func BenchmarkConftest(b *testing.B) {
	program := tool(b, "conftest")
	policies, inputs := outside(b)
	args := append([]string{"test", "--no-color", "--all-namespaces", "--no-fail", "--policy", policies}, inputs...)
	start := children(b)
	for b.Loop() {
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	each := float64(children(b)-start) / float64(b.N) / float64(len(inputs))
	b.ReportMetric(each/1000, "µs/conftest")
	b.ReportMetric(each/ours(b), "×cheaper")
}

// BenchmarkOPAEval is one `opa eval` a decision.
func BenchmarkOPAEval(b *testing.B) {
	program := tool(b, "opa")
	policies, inputs := outside(b)
	n, start := 0, children(b)
	for b.Loop() {
		out, err := exec.Command(program, "eval", "--data", policies, "--input", inputs[n%len(inputs)], "data.ringmaster").CombinedOutput()
		if err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		n++
	}
	each := float64(children(b)-start) / float64(b.N)
	b.ReportMetric(each/1000, "µs/opa-eval")
	b.ReportMetric(each/ours(b), "×cheaper")
}
