package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/estate"
	"github.com/ringmaster-dev/ringmaster/engine/fleet"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/exec"
	"github.com/ringmaster-dev/ringmaster/engine/fleet/sim"
	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/inventory"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
	"github.com/ringmaster-dev/ringmaster/engine/ring"
)

// folder is the estate's folder: -C, else the first above this one that holds
// an inventory.
func (a *app) folder() (string, error) {
	if a.dir != "" {
		return filepath.Abs(a.dir)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		if s, err := os.Stat(filepath.Join(dir, "inventory")); err == nil && s.IsDir() {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in an estate: no folder above it holds inventory/: %w", here, repo.ErrNoRepo)
		}
	}
}

// env opens the estate's repository and its forge.
func (a *app) env(ctx context.Context) (*engine.Env, error) {
	at, err := a.now()
	if err != nil {
		return nil, err
	}
	dir, err := a.folder()
	if err != nil {
		return nil, err
	}
	r, err := repo.Open(dir)
	if err != nil {
		return nil, err
	}
	if root := r.Dir(); root != "" && !sameFolder(root, dir) {
		return nil, fmt.Errorf("%s is inside the repository %s: an estate is the root of its own repository", dir, root)
	}
	e := &engine.Env{Repo: r, At: at, Clock: a.clock, Version: engine.Version, Run: a.runName(), Asked: a.startedBy(), Log: a.log}
	return e, a.openForge(ctx, e)
}

// startedBy is who started this run of a workflow by hand, or again: none where a
// schedule, a push or a comment did.
func (a *app) startedBy() []string {
	switch a.getenv("GITHUB_EVENT_NAME") {
	case "workflow_dispatch", "repository_dispatch":
		return slices.Compact([]string{a.getenv("GITHUB_ACTOR"), a.getenv("GITHUB_TRIGGERING_ACTOR")})
	}
	if again := a.getenv("GITHUB_RUN_ATTEMPT"); again != "" && again != "1" {
		return []string{a.getenv("GITHUB_TRIGGERING_ACTOR")}
	}
	return nil
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// openForge chooses the forge: GitHub where its variables are set, else Git alone.
func (a *app) openForge(ctx context.Context, e *engine.Env) error {
	if a.getenv("GITHUB_TOKEN") != "" && a.getenv("GITHUB_REPOSITORY") != "" {
		return a.openGitHub(ctx, e)
	}
	e.Forge = local.New(e.Repo, localBase(e.Repo), localTeams(e.Repo))
	return nil
}

// halfForge says which of GitHub's variables is not set beside the other, "" where
// both are or none is: the forge is local then, which hardly anybody meant.
func (a *app) halfForge() string {
	token, repository := a.getenv("GITHUB_TOKEN") != "", a.getenv("GITHUB_REPOSITORY") != ""
	switch {
	case token && !repository:
		return "GITHUB_REPOSITORY (owner/name), without which GITHUB_TOKEN is not used and pull requests stay in this clone"
	case repository && !token:
		return "GITHUB_TOKEN, without which pull requests stay in this clone and not in " + a.getenv("GITHUB_REPOSITORY")
	}
	return ""
}

// localBase is the protected branch of a repository without a forge.
func localBase(r *repo.Repo) string {
	if h, err := r.Ref("refs/heads/main"); err == nil && h != "" {
		return "main"
	}
	if h, err := r.Head(); err == nil && h.Branch != "" {
		return h.Branch
	}
	return "main"
}

// localTeams are the teams that the estate declares on its protected branch.
func localTeams(r *repo.Repo) map[string][]string {
	h, err := r.Ref("refs/heads/" + localBase(r))
	if err != nil || h == "" {
		return nil
	}
	fsys, err := r.At(h)
	if err != nil {
		return nil
	}
	s, _ := estate.ReadSettings(fsys)
	return s.Teams
}

// executor is an environment that can carry out plans.
func (a *app) executor(e *engine.Env) *engine.Executor {
	return &engine.Executor{Env: e, OpenFleet: a.openFleet, OpenHealth: a.openHealth, OpenWorkload: a.openWorkload, Wait: a.pause, Lasted: a.lasted}
}

// wait lets time pass, unless the run is told to stop.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (a *app) openFleet(ctx context.Context, f ring.Fleet, w engine.World) (fleet.Fleet, error) {
	switch f.Kind {
	case "sim":
		return openSim(f, w)
	case "exec":
		return exec.Open(exec.Options{Command: f.Command, Dir: w.Dir, Env: f.Env, Engine: engine.Version, Timeout: f.Timeout,
			Log: func(line string) { a.log.WithField("fleet", "exec").Info(line) }})
	case "ssh":
		return a.openSSH(f, w)
	case "ansible":
		return a.openAnsible(f, w)
	}
	return nil, fmt.Errorf("fleet %q is not known; expected one of \"sim\", \"exec\", \"ansible\", \"ssh\"", f.Kind)
}

func openSim(f ring.Fleet, w engine.World) (fleet.Fleet, error) {
	o := sim.Options{Seed: f.Seed, Host: hostsOf(w)}
	if f.File != "" {
		data, err := fs.ReadFile(w.Files, f.File)
		if err != nil {
			return nil, fmt.Errorf("reading the simulation's truth: %w", err)
		}
		truth, problems := sim.ParseTruth(data)
		if len(problems) > 0 {
			var all []error
			for _, p := range problems {
				all = append(all, fmt.Errorf("%s:%s", f.File, p))
			}
			return nil, errors.Join(all...)
		}
		o.Truth = truth
	}
	for _, d := range w.Past {
		o.Past = append(o.Past, sim.Done{Key: d.Key, Host: d.Host, Packages: d.Packages, At: d.At, Rollback: d.Rollback, Failed: d.Failed})
	}
	return sim.New(o), nil
}

func hostsOf(w engine.World) func(inventory.HostID) (inventory.Host, bool) {
	byID := make(map[inventory.HostID]int, len(w.Hosts))
	for i := range w.Hosts {
		byID[w.Hosts[i].ID] = i
	}
	return func(id inventory.HostID) (inventory.Host, bool) {
		i, ok := byID[id]
		if !ok {
			return inventory.Host{}, false
		}
		return w.Hosts[i], true
	}
}
