package githubtest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Repository is one repository with its pull requests and issues.
type Repository struct {
	Public      bool
	NoAutoMerge bool // GitHub is not to merge by itself
	// Alter changes what is committed through the API, as no GitHub should.
	Alter func(changes map[string][]byte)

	s           *Server
	owner, name string
	id          int64
	git         *repo.Repo
	grants      map[string]string // login → admin | maintain | write | triage | read
	pulls       []*Pull
	issues      []*Issue
	checks      []*Check
	deployments []*Deployment
	statuses    []Status
	approvals   int      // how many main asks for before a pull request is merged
	required    []string // check runs that it asks for
	signatures  bool     // main takes signed commits alone
	told        bool     // and its rules say so
	signed      map[repo.Hash]bool
}

// Pull is a pull request as the server keeps it.
type Pull struct {
	Number                int
	Title, Body           string
	State                 string // open | closed
	Author                string
	HeadRef, Head         string
	Base                  string
	Labels                []string
	Merged                bool
	Merge, MergedBy       string
	ClosedBy              string
	Created, Closed, Done time.Time // Done is when it was merged
	Reviews               []Review
	Comments              []Comment
	AutoMerge             string // who asked GitHub to merge it by itself, "" for nobody

	id   int64
	from *Repository // of the head; nil: a fork that was deleted
}

// Review is a review of a pull request.
type Review struct {
	ID              int64
	By, State, Body string
	Commit          string
	At              time.Time
}

// Comment is a comment on a pull request.
type Comment struct {
	ID         int64
	By, Body   string
	At, Edited time.Time
}

// FullName is owner/name.
func (r *Repository) FullName() string { return r.owner + "/" + r.name }

// Git is the bare repository itself.
func (r *Repository) Git() *repo.Repo { return r.git }

// Grant gives a person admin, maintain, write, triage, read or none.
func (r *Repository) Grant(login, permission string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.grants[login] = permission
}

func (r *Repository) may(login string) string {
	for who, p := range r.grants {
		if strings.EqualFold(who, login) {
			return p
		}
	}
	if r.Public {
		return "read"
	}
	return "none"
}

func (r *Repository) writer(login string) bool {
	return r != nil && slices.Contains([]string{"admin", "maintain", "write"}, r.may(login))
}

// Pulls returns the pull requests as they are now.
func (r *Repository) Pulls() []Pull {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.follow()
	var out []Pull
	for _, p := range r.pulls {
		copied := *p
		copied.Labels, copied.Reviews, copied.Comments = slices.Clone(p.Labels), slices.Clone(p.Reviews), slices.Clone(p.Comments)
		out = append(out, copied)
	}
	return out
}

// Change changes a pull request behind everybody's back.
func (r *Repository) Change(number int, change func(*Pull)) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.follow()
	change(r.pulls[number-1])
}

// Review adds a person's review of a pull request's head.
func (r *Repository) Review(number int, by, state string) {
	r.Change(number, func(p *Pull) {
		p.Reviews = append(p.Reviews, Review{ID: r.s.id(), By: by, State: state, Commit: p.Head, At: r.s.clock()})
	})
}

// Comment adds a person's comment on a pull request.
func (r *Repository) Comment(number int, by, body string) {
	r.Change(number, func(p *Pull) {
		p.Comments = append(p.Comments, Comment{ID: r.s.id(), By: by, Body: body, At: r.s.clock(), Edited: r.s.clock()})
	})
}

// Fork copies the repository to another owner, who may write to the copy.
func (r *Repository) Fork(owner, name string) (*Repository, error) {
	f, err := r.s.Create(owner, name)
	if err != nil {
		return nil, err
	}
	refs, err := r.git.Refs("refs/heads/")
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		if err := r.git.Push(context.Background(), repo.Remote{URL: filepath.Join(r.s.dir, owner, name+".git")}, ref.Name, "", ref.Hash); err != nil {
			return nil, fmt.Errorf("forking %s: %w", r.FullName(), err)
		}
	}
	return f, nil
}

// Open opens a pull request from a branch of a repository, this one or a fork.
func (r *Repository) Open(from *Repository, branch, author, title string) (int, error) {
	head, err := from.git.Ref("refs/heads/" + branch)
	if err != nil || head == "" {
		return 0, fmt.Errorf("opening a pull request from %s of %s: no such branch: %v", branch, from.FullName(), err)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.open(from, branch, string(head), "main", author, title, "").Number, nil
}

func (r *Repository) open(from *Repository, branch, head, base, author, title, body string) *Pull {
	p := &Pull{
		Number: len(r.pulls) + 1, Title: title, Body: body, State: "open", Author: author, HeadRef: branch, Head: head, Base: base,
		Created: r.s.clock(), id: r.s.id(), from: from,
	}
	r.pulls = append(r.pulls, p)
	r.point(p)
	return p
}

// follow brings the heads of open pull requests to where their branches are. A
// pull request whose branch is gone closes.
func (r *Repository) follow() {
	for _, p := range r.pulls {
		if p.State != "open" || p.from == nil {
			continue
		}
		head, err := p.from.git.Ref("refs/heads/" + p.HeadRef)
		switch {
		case err != nil:
		case head == "":
			p.State, p.Closed = "closed", r.s.clock()
		case p.Head != string(head):
			p.Head = string(head)
			r.point(p)
		}
	}
	r.autoMerge()
}

// point keeps refs/pull/N/head, by which Git finds what a branch left behind,
// and a fork's commits.
func (r *Repository) point(p *Pull) {
	ref := fmt.Sprintf("refs/pull/%d/head", p.Number)
	was, err := r.git.Ref(ref)
	if err != nil {
		return
	}
	if p.from == r {
		r.git.CompareAndSwap(ref, was, repo.Hash(p.Head))
	} else {
		p.from.git.Push(context.Background(), repo.Remote{URL: r.git.GitDir()}, ref, was, repo.Hash(p.Head))
	}
}

// Close closes a pull request as a person with the button.
func (r *Repository) Close(number int, by string) {
	r.Change(number, func(p *Pull) { p.State, p.Closed, p.ClosedBy = "closed", r.s.clock(), by })
}

// Merge merges a pull request as a person with the button, and returns the
// merge commit.
func (r *Repository) Merge(number int, by string) (string, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.follow()
	p := r.pulls[number-1]
	if p.State != "open" {
		return "", fmt.Errorf("merging #%d: it is %s", number, p.State)
	}
	return r.merge(p, by)
}
