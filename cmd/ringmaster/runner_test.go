//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rhysd/actionlint"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// runner runs an estate's workflow as GitHub's runners do: jobs in the order of their
// needs, each in a folder of its own and with a token that may what the job says, steps as
// bash processes. What it does not know of workflows is an error.
type runner struct {
	t        *testing.T
	workflow *actionlint.Workflow
	hub      *githubtest.Server
	env      map[string]string            // of every step, as GitHub sets it
	vars     map[string]string            // of the repository
	secrets  map[string]map[string]string // by environment
	program  string                       // what ringmaster is
	keys     string                       // what a runner of one's own has at home
	dies     func(j *runnerJob, s *actionlint.Step) bool

	dir  string // of the run
	runs int
}

// runnerJob is one job of a run, or of its matrix.
type runnerJob struct {
	id    string
	index int
	dir   string
	scope scope
	path  []string
	said  strings.Builder
}

// run runs the workflow once and returns how each of its jobs ended, by name and
// place in the matrix, and what they said.
func (r *runner) run() (ended map[string]string, said string) {
	r.t.Helper()
	r.runs++
	r.dir = r.t.TempDir()
	ended = map[string]string{}
	needs := object{}
	for len(needs) < len(r.workflow.Jobs) {
		before := len(needs)
		for _, id := range slices.Sorted(maps.Keys(r.workflow.Jobs)) {
			if needs[id] == nil && !slices.ContainsFunc(r.workflow.Jobs[id].Needs, func(n *actionlint.String) bool { return needs[n.Value] == nil }) {
				needs[id] = object{"result": r.matrix(id, needs, ended, &said)}
			}
		}
		if len(needs) == before {
			r.t.Fatal("jobs need one another")
		}
	}
	return ended, said
}

// matrix runs a job for each value of its matrix, all at once.
func (r *runner) matrix(id string, needs object, ended map[string]string, said *string) string {
	r.t.Helper()
	def := r.workflow.Jobs[id]
	well := !slices.ContainsFunc(def.Needs, func(n *actionlint.String) bool {
		return needs[n.Value].(object)["result"] != "success"
	})
	base := scope{"github": object{"ref": "refs/heads/main"}, "vars": r.vars, "needs": needs}
	due, err := base.holds(def.If, well)
	if err != nil {
		r.t.Fatal(err)
	}
	if !due {
		ended[id] = "skipped"
		return "skipped"
	}
	jobs := []*runnerJob{{id: id, scope: scope{"matrix": object{}}}}
	if def.Strategy != nil {
		jobs = nil
		for _, v := range def.Strategy.Matrix.Rows["shard"].Values {
			jobs = append(jobs, &runnerJob{id: id, index: len(jobs), scope: scope{"matrix": object{"shard": v.(*actionlint.RawYAMLString).Value}}})
		}
	}
	var wg sync.WaitGroup
	results := make([]error, len(jobs))
	for i, j := range jobs {
		maps.Copy(j.scope, base)
		wg.Go(func() { results[i] = r.job(def, j) })
	}
	wg.Wait()
	all := "success"
	for i, j := range jobs {
		name, result := id, "success"
		if len(jobs) > 1 {
			name = fmt.Sprintf("%s %d", id, i)
		}
		if results[i] != nil {
			all, result = "failure", "failure"
			fmt.Fprintln(&j.said, results[i])
		}
		ended[name] = result
		*said += "--- " + name + "\n" + j.said.String()
	}
	return all
}

var errLost = errors.New("the runner was lost")

// job runs one job's steps.
func (r *runner) job(def *actionlint.Job, j *runnerJob) error {
	j.dir = filepath.Join(r.dir, fmt.Sprintf("%s-%d", j.id, j.index))
	for _, name := range []string{"home", "temp", "work"} {
		if err := os.MkdirAll(filepath.Join(j.dir, name), 0o755); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(def.RunsOn.Labels, func(l *actionlint.String) bool { return l.Value == "self-hosted" }) {
		if err := os.CopyFS(filepath.Join(j.dir, "home"), os.DirFS(r.keys)); err != nil {
			return err
		}
	}
	given := texts{}
	for name, p := range def.Permissions.Scopes {
		given[name] = p.Value.Value
	}
	steps := object{}
	maps.Copy(j.scope, scope{
		"github": object{"ref": "refs/heads/main", "token": r.token("github-actions", j, given)},
		"runner": object{"temp": filepath.Join(j.dir, "temp")}, "strategy": object{"job-index": j.index}, "secrets": texts{}, "steps": steps,
	})
	if def.Environment != nil {
		secrets, ok := r.secrets[def.Environment.Name.Value]
		if !ok {
			return fmt.Errorf("there is no environment %q", def.Environment.Name.Value)
		}
		j.scope["secrets"] = secrets
	}
	var failed error
	for _, s := range def.Steps {
		if r.dies != nil && r.dies(j, s) {
			return errLost
		}
		outputs := texts{}
		if s.ID != nil {
			steps[s.ID.Value] = object{"outputs": outputs}
		}
		due, err := j.scope.holds(s.If, failed == nil)
		if err == nil && due {
			err = r.step(def, j, s, outputs)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", stepTitle(s), err))
		}
	}
	return failed
}

func stepTitle(s *actionlint.Step) string {
	if s.Name != nil {
		return s.Name.Value
	}
	return s.Exec.(*actionlint.ExecAction).Uses.Value
}

// token is a new one that may what is given, and by no word more.
func (r *runner) token(login string, j *runnerJob, given texts) string {
	secret := fmt.Sprintf("ghs_%s_%d_%s_%d", login, r.runs, j.id, j.index)
	var lacks []string
	for _, name := range []string{"contents", "pull-requests", "issues", "checks", "deployments", "statuses", "members"} {
		switch what := strings.ReplaceAll(name, "-", "_"); given[name] {
		case "":
			lacks = append(lacks, what)
		case "read":
			lacks = append(lacks, what+"=write")
		}
	}
	r.hub.Token(secret, login, lacks...)
	return secret
}

func (r *runner) step(def *actionlint.Job, j *runnerJob, s *actionlint.Step, outputs texts) error {
	switch e := s.Exec.(type) {
	case *actionlint.ExecRun:
		return r.script(def, j, s, e)
	case *actionlint.ExecAction:
		name, _, _ := strings.Cut(e.Uses.Value, "@")
		do, ok := actions[name]
		if !ok {
			return fmt.Errorf("this runner knows no action %s", name)
		}
		with := map[string]string{}
		for name, in := range e.Inputs {
			v, err := j.scope.fill(in.Value)
			if err != nil {
				return err
			}
			with[name] = v
		}
		if err := do(r, j, with, outputs); err != nil {
			return err
		}
		if len(with) > 0 {
			return fmt.Errorf("this runner does not know what these mean for %s: %v", name, with)
		}
	}
	return nil
}

// script is a step that bash runs.
func (r *runner) script(def *actionlint.Job, j *runnerJob, s *actionlint.Step, e *actionlint.ExecRun) error {
	if e.Shell != nil || def.Defaults != nil || r.workflow.Defaults != nil {
		return errors.New("this runner knows no other shell than the default")
	}
	home, temp := filepath.Join(j.dir, "home"), filepath.Join(j.dir, "temp")
	env := maps.Clone(r.env)
	maps.Copy(env, map[string]string{
		"HOME": home, "TMPDIR": temp, "GITHUB_STEP_SUMMARY": filepath.Join(j.dir, "summary.md"), "RUNNER_TEMP": temp, "GITHUB_JOB": j.id, "GITHUB_RUN_ID": fmt.Sprint(r.runs), "GITHUB_RUN_ATTEMPT": "1",
		"PATH": strings.Join(append(slices.Clone(j.path), os.Getenv("PATH")), string(filepath.ListSeparator)),
	})
	for _, of := range []*actionlint.Env{r.workflow.Env, def.Env, s.Env} {
		if of == nil {
			continue
		}
		for _, v := range of.Vars {
			var err error
			if env[v.Name.Value], err = j.scope.fill(v.Value); err != nil {
				return err
			}
		}
	}
	dir, err := j.scope.fill(e.WorkingDirectory)
	if err != nil {
		return err
	}
	text, err := j.scope.fill(e.Run)
	if err != nil {
		return err
	}
	file := filepath.Join(j.dir, "script.sh")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	cmd := osexec.Command("bash", "-e", file)
	if cmd.Dir = filepath.Join(j.dir, "work"); dir != "" {
		cmd.Dir = dir
	}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stdout, cmd.Stderr = &j.said, &j.said
	return cmd.Run()
}

// actions are those that the workflows use. Each takes what it knows out of with.
var actions = map[string]func(r *runner, j *runnerJob, with map[string]string, outputs texts) error{
	"actions/create-github-app-token": (*runner).appToken,
	"actions/checkout":                (*runner).checkout,
	"actions/setup-go":                (*runner).setupGo,
	"actions/upload-artifact":         (*runner).upload,
	"actions/download-artifact":       (*runner).download,
}

func taken(with map[string]string, name string) string {
	defer delete(with, name)
	return with[name]
}

func (r *runner) appToken(j *runnerJob, with map[string]string, outputs texts) error {
	if id, key := taken(with, "app-id"), taken(with, "private-key"); id == "" || key == "" {
		return errors.New("the App has no id or no key")
	}
	given := texts{}
	for name := range with {
		if what, is := strings.CutPrefix(name, "permission-"); is {
			given[what] = taken(with, name)
		}
	}
	outputs["token"] = r.token("bot", j, given)
	return nil
}

func (r *runner) checkout(j *runnerJob, with map[string]string, _ texts) error {
	if ref, depth, keep := taken(with, "ref"), taken(with, "fetch-depth"), taken(with, "persist-credentials"); ref != "main" || depth != "0" || keep != "false" {
		return errors.New("this runner checks out main, with all that was before it and without credentials")
	}
	clone, err := repo.Init(filepath.Join(j.dir, "work"), "main")
	if err != nil {
		return err
	}
	defer clone.Close()
	token := j.scope["github"].(object)["token"].(string)
	refs, err := clone.Fetch(context.Background(), repo.Remote{URL: r.env["GITHUB_SERVER_URL"] + "/" + r.env["GITHUB_REPOSITORY"], Token: token}, "main")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(refs, func(ref repo.Ref) bool { return ref.Name == "refs/heads/main" })
	return clone.Move("refs/heads/main", "", refs[i].Hash)
}

// setupGo brings a go that can install one program, at one version, and nothing else.
func (r *runner) setupGo(j *runnerJob, with map[string]string, _ texts) error {
	taken(with, "go-version")
	taken(with, "cache")
	bin, tools := filepath.Join(j.dir, "home", "go", "bin"), filepath.Join(j.dir, "tools")
	script := fmt.Sprintf("#!/bin/sh\ntest \"$*\" = 'install github.com/ringmaster-dev/ringmaster/cmd/ringmaster@v0.1.0' && mkdir -p '%s' && ln -s '%s' '%[1]s/ringmaster'\n", bin, r.program)
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return err
	}
	j.path = []string{bin, tools}
	return os.WriteFile(filepath.Join(tools, "go"), []byte(script), 0o755)
}

func (r *runner) upload(j *runnerJob, with map[string]string, _ texts) error {
	name, from, missing := taken(with, "name"), taken(with, "path"), taken(with, "if-no-files-found")
	taken(with, "retention-days")
	to := filepath.Join(r.dir, "artifacts", name)
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("there is an artifact %q already", name)
	}
	at, err := os.Stat(from)
	switch {
	case errors.Is(err, fs.ErrNotExist) && missing == "ignore":
		return nil
	case err != nil:
		return err
	case at.IsDir():
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(to, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(to, at.Name()), data, 0o644)
	}
	return err
}

func (r *runner) download(_ *runnerJob, with map[string]string, _ texts) error {
	to, pattern := taken(with, "path"), taken(with, "pattern")
	if taken(with, "merge-multiple") != "true" {
		return errors.New("this runner puts all artifacts into one folder")
	}
	found, err := filepath.Glob(filepath.Join(r.dir, "artifacts", pattern))
	for _, from := range found {
		err = errors.Join(err, os.CopyFS(to, os.DirFS(from)))
	}
	return err
}
