//go:build unix

package main

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rhysd/actionlint"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
)

// starterRun is an estate at GitHub whose plan is merged, and the starter's workflow that
// carries it out. Only a runner of one's own has the key that the fleet takes.
func starterRun(t *testing.T) (*runner, *githubtest.Repository, *world) {
	t.Helper()
	fleet := &world{t: t, base: t.TempDir()}
	keys, plugin := filepath.Join(fleet.base, "keys"), filepath.Join(fleet.base, "plugin")
	if err := os.Mkdir(keys, 0o755); err != nil {
		t.Fatal(err)
	}
	program(t, filepath.Join(keys, "hosts.key"), "")
	program(t, plugin, fmt.Sprintf("#!/bin/sh\ntest -f \"$HOME/hosts.key\" && exec '%s' -state '%s' -hosts office-01,office-02,office-03,office-04 -package osprey-agent=2.3.0\n", refplugin(t), fleet.state()))
	w, server, hub := hubbedWith(t, map[string][]byte{
		"rings/fleet.hcl": fmt.Appendf(nil, "fleet \"exec\" {\n  command  = [%q]\n  parallel = 5\n}\n\nhealth \"exec\" {}\n", plugin)})
	hub.Grant("github-actions", "write")
	mergeAt(w, hub)
	return &runner{t: t, hub: server, program: filepath.Join(fleet.base, "ringmaster"), keys: keys,
		env:     map[string]string{"GITHUB_EVENT_NAME": "schedule", "GITHUB_REPOSITORY": "acme/estate", "GITHUB_API_URL": w.env["GITHUB_API_URL"], "GITHUB_SERVER_URL": w.env["GITHUB_SERVER_URL"]},
		vars:    map[string]string{"RINGMASTER_APP_ID": "1", "RINGMASTER_READER_ID": "2"},
		secrets: map[string]map[string]string{"ringmaster": {"RINGMASTER_APP_KEY": "a key"}, "production": {"RINGMASTER_READER_KEY": "another"}},
	}, hub, fleet
}

func program(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// read takes one of the starter's workflows, with the shards that it proposes.
func (r *runner) read(name string) {
	r.t.Helper()
	data, err := os.ReadFile("../../.github/starter/" + name)
	if err != nil {
		r.t.Fatal(err)
	}
	text := string(data)
	if before, rest, ok := strings.Cut(text, `shard: ["1/1"] # `); ok {
		shards, after, _ := strings.Cut(rest, " where one runner is not enough")
		text = before + "shard: " + shards + after
	}
	w, faults := actionlint.Parse([]byte(text))
	if len(faults) > 0 {
		r.t.Fatal(faults)
	}
	r.workflow = w
}

// at runs the workflow at a time, by the program's word for now. Jobs that are named
// lose their runner after they have changed their hosts.
func (r *runner) at(at time.Time, lost ...string) string {
	r.t.Helper()
	bin, err := osexec.LookPath("ringmaster")
	if err != nil {
		r.t.Fatal(err)
	}
	program(r.t, r.program, fmt.Sprintf("#!/bin/sh\nexec '%s' --at %s \"$@\"\n", bin, at.Format(time.RFC3339)))
	dies := fmt.Sprint(lost)
	r.dies = func(j *runnerJob, s *actionlint.Step) bool {
		e, is := s.Exec.(*actionlint.ExecAction)
		return is && strings.Contains(dies, fmt.Sprintf("%s %d", j.id, j.index)) && strings.HasPrefix(e.Uses.Value, "actions/upload-artifact@")
	}
	ended, said := r.run()
	for name, how := range ended {
		if (how != "success") != strings.Contains(dies, name) {
			r.t.Fatalf("at %s job %s ends with %s:\n%s", at.Format(time.RFC3339), name, how, said)
		}
	}
	return said
}

// The starter's workflow, with the shards that it proposes, carries a merged plan out as
// GitHub would run it. Hosts are reached from the runner of one's own alone, and each job's
// token may what its permissions say. What a shard did whose runner is lost is found out
// when its time is up, and is not done again.
func TestStarterExecutes(t *testing.T) {
	t.Parallel()
	r, hub, fleet := starterRun(t)
	r.read("execute.yml")
	if n := len(r.workflow.Jobs["apply"].Strategy.Matrix.Rows["shard"].Values); n != 4 {
		t.Fatalf("execute.yml proposes %d shards, want 4", n)
	}
	ledger := func() map[outcome.Event]int {
		_, lines := ledgerOf(t, hub.Git())
		return events(lines)
	}
	for _, minutes := range []int{0, 60, 75} {
		r.at(trustAt.Add(time.Duration(minutes) * time.Minute))
	}
	if n := ledger(); n[outcome.Healthy] != 1 || n[outcome.Promoted] != 1 || n[outcome.Intended] != 1 {
		t.Fatalf("after the canary the ledger has %v, want one host healthy and its ring promoted", n)
	}
	r.at(trustAt.Add(90*time.Minute), "apply 1")
	r.at(trustAt.Add(105 * time.Minute))
	if n := ledger(); n[outcome.Intended] != 3 || n[outcome.Applied] != 2 || len(fleet.moved()) != 3 {
		t.Fatalf("with a shard lost the ledger has %v and %d hosts were changed; want 3 intended, 2 applied and 3 changed", n, len(fleet.moved()))
	}
	for _, minutes := range []int{135, 150, 210, 225} {
		r.at(trustAt.Add(time.Duration(minutes) * time.Minute))
	}
	_, lines := ledgerOf(t, hub.Git())
	checkLedger(t, lines, fleet.moved())
	if n := events(lines); n[outcome.Healthy] != 4 || n[outcome.Completed] != 1 || len(fleet.moved()) != 4 {
		t.Errorf("at the end the ledger has %v and %d hosts were changed; want 4 healthy, changed once each, and the plan completed", n, len(fleet.moved()))
	}
}

// Workflows that reach no host and whose scripts are ringmaster's alone.
func TestStarterRuns(t *testing.T) {
	t.Parallel()
	r, _, _ := starterRun(t)
	for _, name := range []string{"comments.yml", "learn.yml", "review.yml"} {
		r.read(name)
		r.at(trustAt.AddDate(0, 1, 0))
	}
}
