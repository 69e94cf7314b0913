package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

// answers are what the forge said in this run, as far as it cannot change: who
// merged what, and who approved what was merged. Phases and rounds of a run look
// at the same plans again and again, and the forge is asked once.
type answers struct {
	listed   bool
	byCommit map[string]forge.PullRequest   // merged, without approvals
	byBranch map[string][]forge.PullRequest // the same
	merged   map[string]forge.PullRequest   // by branch, with approvals
	mergers  map[string]forge.PullRequest   // by commit, with approvals
	members  map[[2]string]bool             // (team, person)
	files    map[[2]string][]byte           // by (commit, path)
	ready    bool                           // was asked
	timely   bool                           // this run began at the time it says
}

// ready warns of what the forge's credentials lack, before a run does half of
// its work and finds out.
func (e *Env) ready(ctx context.Context) error {
	if e.told.ready {
		return nil
	}
	e.told.ready = true
	lacking, err := e.Forge.Ready(ctx)
	if err != nil {
		return fmt.Errorf("asking what the credentials may do: %w", err)
	}
	if len(lacking) > 0 {
		e.Log.Warnf("the %s forge's credentials lack: %s; see `ringmaster preflight`", e.Forge.Name(), strings.Join(lacking, "; "))
	}
	return nil
}

// pullOf is the pull request of a branch, with its approvals. A merged one is
// asked for once.
func (e *Env) pullOf(ctx context.Context, branch string) (forge.PullRequest, error) {
	if pr, ok := e.told.merged[branch]; ok {
		return pr, nil
	}
	pr, err := e.Forge.Find(ctx, branch)
	if err == nil && pr.State == "merged" {
		put(&e.told.merged, branch, pr)
	}
	return pr, err
}

// put sets an entry of a map that may not be made yet.
func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// fileOf is a file of a commit.
func (e *Env) fileOf(ctx context.Context, commit, path string) ([]byte, error) {
	if data, ok := e.told.files[[2]string{commit, path}]; ok {
		return data, nil
	}
	data, err := e.Forge.File(ctx, commit, path)
	if err == nil {
		put(&e.told.files, [2]string{commit, path}, data)
	}
	return data, err
}

// list asks once for all that was ever merged.
func (e *Env) list(ctx context.Context) error {
	if e.told.listed {
		return nil
	}
	list, err := e.Forge.Merges(ctx)
	if err != nil {
		return err
	}
	e.told.listed = true
	for _, pr := range list {
		put(&e.told.byCommit, pr.Merge, pr)
		put(&e.told.byBranch, pr.Branch, append(e.told.byBranch[pr.Branch], pr))
	}
	return nil
}

// mergesOf are the merged pull requests of a branch, without approvals.
func (e *Env) mergesOf(ctx context.Context, branch string) ([]forge.PullRequest, error) {
	err := e.list(ctx)
	return e.told.byBranch[branch], err
}

// mergedBy returns the merged pull request that a commit of the base branch is,
// nil when it was pushed directly. Approvals are there where they are asked for.
func (e *Env) mergedBy(ctx context.Context, branch, commit string, approvals bool) (*forge.PullRequest, error) {
	if err := e.list(ctx); err != nil {
		return nil, fmt.Errorf("asking the forge who merged %.10s: %w", commit, err)
	}
	if pr, ok := e.told.byCommit[commit]; ok && !approvals && pr.Base == branch {
		return &pr, nil
	}
	if pr, ok := e.told.mergers[commit]; ok {
		return &pr, nil
	}
	list, err := e.Forge.Merged(ctx, commit)
	if err != nil {
		return nil, fmt.Errorf("asking the forge who merged %.10s: %w", commit, err)
	}
	i := slices.IndexFunc(list, func(pr forge.PullRequest) bool {
		return pr.Merge == commit && pr.Base == branch && pr.State == "merged"
	})
	if i < 0 {
		return nil, nil
	}
	put(&e.told.mergers, commit, list[i])
	return &list[i], nil
}

// member says whether a person is in a team: as the forge knows or, where it has
// no teams of its own, as the estate declared when it counted, which teams are.
func (e *Env) member(ctx context.Context, teams map[string][]string, team, person string) (bool, error) {
	if !e.Forge.Reviews() {
		return team == person || slices.Contains(teams[team], person), nil
	}
	if in, ok := e.told.members[[2]string{team, person}]; ok {
		return in, nil
	}
	in, err := e.Forge.Member(ctx, team, person)
	if errors.Is(err, forge.ErrUnseen) && e.unseeing != nil {
		*e.unseeing = true
		return false, nil
	}
	if err == nil {
		put(&e.told.members, [2]string{team, person}, in)
	}
	return in, err
}

// notMerged says why no merged pull request of a branch is to be had, "" where
// one is.
func (e *Env) notMerged(ctx context.Context, branch string) (string, error) {
	if list, err := e.mergesOf(ctx, branch); err != nil || len(list) > 0 {
		return "", err
	}
	pr, err := e.pullOf(ctx, branch)
	switch {
	case errors.Is(err, forge.ErrNotFound):
		return "no pull request brought it", nil
	case err != nil:
		return "", err
	case pr.State != "merged":
		return "its pull request is " + pr.State, nil
	}
	return "", nil
}
