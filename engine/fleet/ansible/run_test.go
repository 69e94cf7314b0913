package ansible

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/host"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
)

// What the callback tells of a host's tasks, and what that comes to.
func TestSettle(t *testing.T) {
	answer := func(text string) told { return told{Tags: []string{"answer"}, Event: "ok", Stdout: text} }
	for _, tc := range []struct {
		name  string
		lines []told
		over  bool
		code  string // of the error
		why   string
	}{
		{"an answer", []told{{Event: "ok", Stdout: "end"}, answer("state\tnone\nend")}, true, "", ""},
		{"an answer of a host that has nothing to say", []told{answer("end")}, true, "", ""},
		{"no answer yet", []told{{Event: "ok"}, {Event: "passed over", Message: "dpkg failed"}}, false, "", ""},
		{"an answer that is cut off", []told{answer("state\tnone")}, true, "refused", "the answer to the question is cut off"},
		{"no package manager", []told{{Tags: []string{"answer"}, Event: "ok", Stderr: "it has no package manager"}}, true, "refused", "it has no package manager"},
		{"a task that failed", []told{{Task: "It begins", Event: "failed", Message: "MODULE FAILURE", Stderr: "Traceback\nOSError: no space"}}, true, "refused", `web-1: "It begins": MODULE FAILURE: OSError: no space`},
		{"a full disk", []told{{Event: "failed", Message: "FileNotFoundError: No usable temporary directory found"}}, true, "refused", "the host's disk is full"},
		{"a hook that refuses", []told{{Event: "failed", Stdout: "state\tnone\nrefused\tdrain failed with 1\nend"}}, true, "refused", "drain failed with 1"},
		{"one that another run began", []told{{Event: "failed", Stdout: "state\trunning\nphase\tinstalling\nend"}}, true, "", ""},
		{"a host out of reach", []told{{Event: "unreachable", Message: "Permission denied"}}, true, "unreachable", "reaching web-1: Permission denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := &errand{host: "web-1"}
			over := false
			for _, l := range tc.lines {
				l.Host = e.host
				over = e.settle(l)
			}
			got := (*fleet.Error)(nil)
			if over != tc.over || errors.As(e.err, &got) != (tc.code != "") || tc.code != "" && (got.Code != tc.code || !strings.Contains(got.Message, tc.why)) {
				t.Errorf("settle() = %t, %v, want %t, %s with %q", over, e.err, tc.over, tc.code, tc.why)
			}
			if told := e.answer != nil || e.err != nil; told != over {
				t.Errorf("it is over: %t, and there is an answer or an error: %t", over, told)
			}
		})
	}
}

// A task of the site's that fails, or reaches nobody, may be settled by theirs: the
// answer counts, and where there is none, the last of them.
func TestSettleTasks(t *testing.T) {
	e := &errand{host: "web-1", limit: time.Minute}
	lb := told{Host: "web-1", Event: "unreachable", Message: "lb-1 timed out"}
	if over := e.settle(told{Host: "web-1", Event: "failed", Message: "no"}) || e.settle(lb); over || e.err != nil || !strings.Contains(e.failed.Error(), "lb-1 timed out") {
		t.Errorf("after tasks of the site's that failed it is over: %t, %v, %v; want the last kept in case of no answer", over, e.err, e.failed)
	}
	if over := e.settle(told{Host: "web-1", Tags: []string{"answer"}, Event: "ok", Stdout: "begins\nend"}); !over || e.err != nil || e.answer == nil {
		t.Errorf("after the answer it is over: %t, %v, %v", over, e.answer, e.err)
	}
}

// What the playbook is told of a rollback: files that were kept, what came along,
// and what stays a dependency.
func TestStep(t *testing.T) {
	facts, _ := host.Parse("target\t/x/former/a_1_all.deb\nautomatic\ta\nalong\tlib=1\nalong\tnew-\nend\n")
	w := host.Work{Step: fleet.Step{Packages: []fleet.Package{{Type: "deb"}}}, Op: "rollback", Job: "rollback-1", Facts: facts, Moves: []host.Move{{Name: "a", From: "2", To: "1"}}, Request: "op\trollback",
		Weighed: host.Weighed{Along: []host.Move{{Name: "lib", From: "2", To: "1"}, {Name: "new", From: "1", To: "-"}}}}
	d := &door{}
	want := step{Job: "rollback-1", Op: "rollback", Targets: []string{"/x/former/a_1_all.deb", "lib=1", "new-"},
		Automatic: []string{"a"}, Conffiles: "force-confold", Restart: 600, Request: "by\tansible\nop\trollback"}
	if diff := cmp.Diff(want, d.step(w)); diff != "" {
		t.Errorf("step() (-want +got):\n%s", diff)
	}
	w.Along = nil
	if got := d.step(w).Targets; len(got) != 1 {
		t.Errorf("alone it names %q, want the step's own package", got)
	}
}

// Ansible that never ends is waited for as long as a step is: nothing is said of the host, and
// the run goes on.
func TestNoEnd(t *testing.T) {
	endless := filepath.Join(t.TempDir(), "endless")
	if err := os.WriteFile(endless, []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := Open(Options{Command: []string{endless}, Env: os.Environ(), Options: host.Options{Timeout: 10 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if found, err := f.Installed(ctx, time.Now(), []inventory.HostID{"web-1"}, []string{"a"}); len(found) > 0 || err != nil {
		t.Errorf("Installed() = %v, %v, want nothing said of the host", found, err)
	}
	jobs, err := f.Status(ctx, time.Now(), []string{host.ID("web-1", host.Name("apply", "k"))})
	if err != nil || len(jobs) != 1 || jobs[0].State != fleet.Unknown || !strings.Contains(jobs[0].Detail, "Ansible has not answered within 10ms") {
		t.Errorf("Status() = %+v, %v, want it unknown", jobs, err)
	}
}

// Ansible that cannot be run is nobody's being out of reach.
func TestNoAnsible(t *testing.T) {
	dir := t.TempDir()
	failing := filepath.Join(dir, "failing")
	if err := os.WriteFile(failing, []byte("#!/bin/sh\necho 'ERROR! no such option: --vault' >&2\nexit 5\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for command, why := range map[string]string{filepath.Join(dir, "none"): "starting Ansible: ", failing: "running Ansible: exit status 5: ERROR! no such option: --vault"} {
		f, err := Open(Options{Command: []string{command}, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err = f.Installed(t.Context(), time.Now(), []inventory.HostID{"web-1", "web-2"}, []string{"a"})
		if e := (*fleet.Error)(nil); err == nil || errors.As(err, &e) || !strings.Contains(err.Error(), why) {
			t.Errorf("Installed() = %v, want %q", err, why)
		}
		_, err = f.Apply(t.Context(), time.Now(), fleet.Step{Key: "k", Host: "web-1", Packages: []fleet.Package{{Type: "deb", Name: "a", From: "1", To: "2"}}})
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("Apply() = %v, want %q", err, why)
		}
	}
}
