// Package local is a forge that is Git alone.
//
// A pull request is a branch ringmaster/<id> and, beside it, a reference
// refs/ringmaster/pulls/<id> whose commits hold the description, the reviews
// and the state: every change of a pull request is a commit of its own, moved
// by compare-and-swap. What people and ringmaster say of it is there too. Merging is a Git merge into the base branch. Who reviews
// is what the caller claims; every review says so.
package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

const (
	heads = "refs/heads/"
	pulls = "refs/ringmaster/pulls/"
	lead  = "ringmaster/"
	// reviewed/<id>/<commit> names a commit that somebody approved.
	reviewed = "refs/ringmaster/reviewed/"
)

// Forge is the local forge of one repository.
type Forge struct {
	repo  *repo.Repo
	base  string
	teams map[string][]string
}

// New returns the forge of a repository. Base is the protected branch, "main"
// when empty; teams are those that the estate declares.
func New(r *repo.Repo, base string, teams map[string][]string) *Forge {
	if base == "" {
		base = "main"
	}
	return &Forge{repo: r, base: base, teams: teams}
}

// record is pull.json.
type record struct {
	Number    int       `json:"number"`
	Branch    string    `json:"branch"`
	Base      string    `json:"base"`
	Title     string    `json:"title"`
	Labels    []string  `json:"labels"`
	State     string    `json:"state"`
	Head      string    `json:"head"`
	Merge     string    `json:"merge,omitempty"`
	Author    string    `json:"author"`
	MergedBy  string    `json:"merged_by,omitempty"`
	MergedAt  time.Time `json:"merged_at,omitzero"`
	Reason    string    `json:"reason,omitempty"`    // why it was closed
	ClosedBy  string    `json:"closed_by,omitempty"` // the person who closed it, as claimed
	Approvals []review  `json:"approvals"`
}

type review struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Commit string    `json:"commit"`
}

// Name is "local".
func (f *Forge) Name() string { return "local" }

// Now is zero: Git has no clock.
func (f *Forge) Now(context.Context) (time.Time, error) { return time.Time{}, nil }

// Reviews is false: nobody stops a person with the repository in hand.
func (f *Forge) Reviews() bool { return false }

// Address is nowhere: no browser reads a clone.
func (f *Forge) Address(string, string) string { return "" }

// Shows is nowhere either.
func (f *Forge) Shows(string, string) string { return "" }

// Pin keeps nothing: who has the clone asks for the page itself.
func (f *Forge) Pin(context.Context, forge.Page) (string, error) { return "", nil }

// Sign signs nothing.
func (f *Forge) Sign(_ context.Context, _, commit string) (string, error) { return commit, nil }

// Base is the protected branch.
func (f *Forge) Base(context.Context) (string, error) { return f.base, nil }

// Preflight finds nothing lacking: there are no credentials.
func (f *Forge) Preflight(context.Context) ([]string, error) { return nil, nil }

// Ready finds nothing lacking either.
func (f *Forge) Ready(context.Context) ([]string, error) { return nil, nil }

// Merges returns the merged pull requests.
func (f *Forge) Merges(ctx context.Context) ([]forge.PullRequest, error) {
	list, err := f.List(ctx, "merged")
	for i := range list {
		list[i].Approvals, list[i].Former, list[i].MergedBy = nil, nil, ""
	}
	slices.SortStableFunc(list, func(a, b forge.PullRequest) int { return a.MergedAt.Compare(b.MergedAt) })
	return list, err
}

// Member says whether the person is the team or one that it lists.
func (f *Forge) Member(_ context.Context, team, person string) (bool, error) {
	return team == person || slices.Contains(f.teams[team], person), nil
}

// File reads a file at a commit. What is not there, or of a commit that is not,
// is fs.ErrNotExist.
func (f *Forge) File(_ context.Context, commit, path string) ([]byte, error) {
	if _, err := f.repo.Commit(repo.Hash(commit)); errors.Is(err, repo.ErrNotFound) {
		return nil, fmt.Errorf("reading %s at %.10s: %w: %w", path, commit, fs.ErrNotExist, err)
	}
	return f.repo.ReadFile(repo.Hash(commit), path)
}

// List returns pull requests sorted by id.
func (f *Forge) List(_ context.Context, state string) ([]forge.PullRequest, error) {
	refs, err := f.repo.Refs(pulls)
	if err != nil {
		return nil, fmt.Errorf("listing pull requests: %w", err)
	}
	var list []forge.PullRequest
	for _, ref := range refs {
		_, p, body, err := f.read(lead + strings.TrimPrefix(ref.Name, pulls))
		if err != nil {
			return nil, err
		}
		if state == "" || p.State == state {
			list = append(list, p.request(body))
		}
	}
	return list, nil
}

// Find returns the pull request of a branch.
func (f *Forge) Find(_ context.Context, branch string) (forge.PullRequest, error) {
	_, p, body, err := f.read(branch)
	if err != nil {
		return forge.PullRequest{}, err
	}
	return p.request(body), nil
}

// read returns the newest commit of a pull request's reference and what it says.
func (f *Forge) read(branch string) (repo.Hash, record, string, error) {
	at, err := f.repo.Ref(pulls + strings.TrimPrefix(branch, lead))
	if err != nil {
		return "", record{}, "", err
	}
	if at == "" {
		return "", record{}, "", fmt.Errorf("%s: %w", branch, forge.ErrNotFound)
	}
	data, err := f.repo.ReadFile(at, "pull.json")
	if err != nil {
		return "", record{}, "", fmt.Errorf("reading pull request %s: %w", branch, err)
	}
	var p record
	if err := json.Unmarshal(data, &p); err != nil {
		return "", record{}, "", fmt.Errorf("reading pull request %s: %w", branch, err)
	}
	body, err := f.repo.ReadFile(at, "body.md")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", record{}, "", fmt.Errorf("reading pull request %s: %w", branch, err)
	}
	// The branch itself says what is under review: somebody may have pushed to it.
	if p.State == "open" {
		head, err := f.repo.Ref(heads + branch)
		if err != nil {
			return "", record{}, "", err
		}
		p.Head = string(head)
	}
	return at, p, string(body), nil
}

// write makes the next commit of a pull request's reference.
func (f *Forge) write(old repo.Hash, p record, body, message, who string, at time.Time) error {
	data, err := plan.Canonical(p)
	if err != nil {
		return err
	}
	_, err = f.repo.Advance(pulls+strings.TrimPrefix(p.Branch, lead), repo.Next{
		Base:    old,
		Changes: map[string][]byte{"pull.json": append(data, '\n'), "body.md": []byte(body)},
		Message: message,
		Author:  person(who),
		At:      at,
	})
	if err != nil {
		return fmt.Errorf("recording pull request %s: %w", p.Branch, err)
	}
	return nil
}

func person(name string) repo.Person {
	if name == "" {
		name = "ringmaster"
	}
	return repo.Person{Name: name, Email: strings.Map(mailbox, name) + "@localhost"}
}

func mailbox(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
		return r
	}
	return '-'
}

// request is the record as the port has it.
func (p record) request(body string) forge.PullRequest {
	pr := forge.PullRequest{
		Number: p.Number, Branch: p.Branch, Base: p.Base, Title: p.Title, Body: body, Labels: p.Labels, State: p.State,
		Head: p.Head, Merge: p.Merge, Author: p.Author, MergedBy: p.MergedBy, MergedAt: p.MergedAt, ClosedBy: p.ClosedBy,
	}
	for _, r := range p.Approvals {
		said := forge.Review{By: r.By, At: r.At, Commit: r.Commit, Claimed: true}
		if r.Commit == p.Head {
			pr.Approvals = append(pr.Approvals, said)
		} else {
			pr.Former = append(pr.Former, said)
		}
	}
	byPerson := func(a, b forge.Review) int { return strings.Compare(a.By, b.By) }
	slices.SortFunc(pr.Approvals, byPerson)
	slices.SortFunc(pr.Former, byPerson)
	return pr
}

// Propose opens or updates in place.
func (f *Forge) Propose(ctx context.Context, n forge.Proposal) (forge.PullRequest, error) {
	if !strings.HasPrefix(n.Branch, lead) {
		return forge.PullRequest{}, fmt.Errorf("proposing %q: a branch of ringmaster begins with %q", n.Branch, lead)
	}
	old, p, body, err := f.read(n.Branch)
	switch {
	case errors.Is(err, forge.ErrNotFound):
		p = record{}
	case err != nil:
		return forge.PullRequest{}, err
	case p.State == "merged":
		return forge.PullRequest{}, fmt.Errorf("proposing %q: it is merged already", n.Branch)
	case p.State == "open" && p.Head == n.Commit && p.Title == n.Title && body == n.Body && slices.Equal(p.Labels, n.Labels):
		return p.request(body), nil
	}
	ref := heads + n.Branch
	now, err := f.repo.Ref(ref)
	if err != nil {
		return forge.PullRequest{}, err
	}
	if now != repo.Hash(n.Commit) {
		if err := f.repo.Move(ref, now, repo.Hash(n.Commit)); err != nil {
			return forge.PullRequest{}, fmt.Errorf("proposing %q: %w", n.Branch, err)
		}
	}
	verb := "update"
	if p.State != "open" {
		verb, p.State, p.Author, p.Reason, p.ClosedBy = "open", "open", n.Author, "", ""
	}
	p.Branch, p.Base, p.Title, p.Labels, p.Head = n.Branch, f.base, n.Title, n.Labels, n.Commit
	if err := f.write(old, p, n.Body, verb+" "+n.Branch, n.Author, n.At); err != nil {
		return forge.PullRequest{}, err
	}
	return p.request(n.Body), nil
}

func short(hash string) string { return hash[:min(len(hash), 10)] }

// UnderReview returns the open pull requests that have the commit under review.
func (f *Forge) UnderReview(ctx context.Context, commit string) ([]forge.PullRequest, error) {
	open, err := f.List(ctx, "open")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(open, func(p forge.PullRequest) bool { return p.Head != commit }), nil
}

// Merged returns the pull request that a commit of the base branch merged.
func (f *Forge) Merged(ctx context.Context, commit string) ([]forge.PullRequest, error) {
	all, err := f.List(ctx, "merged")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p forge.PullRequest) bool { return p.Merge != commit }), nil
}
