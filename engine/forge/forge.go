// Package forge is where people review: pull requests, their reviews and merges.
//
// A Forge is a port. local keeps everything in Git alone; github speaks to
// GitHub and GitHub Enterprise. forgetest holds both to the same promises: a
// plan is never proposed twice, an update is in place, and what is merged by
// whom on which commit is answered by the forge, never by a file.
package forge

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound is returned (wrapped) where a pull request is not there.
var ErrNotFound = errors.New("no such pull request")

// ErrUnseen is returned (wrapped) by Member where the credentials may not see who
// is in a team, as those that a workflow has by itself.
var ErrUnseen = errors.New("the credentials may not see who is in a team")

// ErrDown is returned (wrapped) where the forge is in trouble of its own.
var ErrDown = errors.New("the forge does not answer")

// Forge is a place where pull requests live.
type Forge interface {
	// Name is "local" or "github".
	Name() string
	// Now is the forge's own clock, zero where it has none.
	Now(ctx context.Context) (time.Time, error)
	// Reviews says whether this forge can require reviews by itself.
	Reviews() bool
	// Base is the protected branch's name, as "main".
	Base(ctx context.Context) (string, error)
	// List returns pull requests whose branch begins with "ringmaster/", sorted
	// by id. State is open, merged, closed or "" for all.
	List(ctx context.Context, state string) ([]PullRequest, error)
	// Find returns the newest pull request of the branch, in whatever state, and
	// ErrNotFound where none was ever opened.
	Find(ctx context.Context, branch string) (PullRequest, error)
	// Sign returns a commit as the base branch takes it, to be handed to Propose
	// or pushed: itself, or, where signed commits alone are taken, one that the
	// forge made of it and signed. That one has the same parent, files and message,
	// and is in the clone.
	Sign(ctx context.Context, branch, commit string) (string, error)
	// Propose makes the branch point to Proposal.Commit and opens a pull request
	// for it, or updates the open one in place. Doing it twice does it once.
	Propose(ctx context.Context, p Proposal) (PullRequest, error)
	// Close closes an open pull request with a reason that people can read. By is
	// "" for ringmaster itself, and counts on the local forge only; elsewhere it is
	// the token's owner who closes.
	Close(ctx context.Context, branch, by, reason string) error
	// Reopen opens a pull request again that was closed, as a person who has changed
	// their mind. One that is open stays as it is. By counts on the local forge only.
	Reopen(ctx context.Context, branch, by string, at time.Time) error
	// Approve records a review. By counts on the local forge only, where it is
	// recorded as claimed; elsewhere the token's owner reviews.
	Approve(ctx context.Context, branch, by string, at time.Time) error
	// Merge merges an open pull request whose head is still head.
	Merge(ctx context.Context, branch, head, by string, at time.Time) (PullRequest, error)
	// Merged returns the pull requests by which a commit came to the base
	// branch, none when it was pushed directly.
	Merged(ctx context.Context, commit string) ([]PullRequest, error)
	// Say keeps one comment of a key below the pull request that Find returns:
	// made once, then edited in place. Doing it twice does it once; an equal body
	// sends nothing. A key is letters, digits and any of - _ . : / alone.
	Say(ctx context.Context, branch, key, body string) error
	// Comments returns what people wrote below the pull request that Find returns,
	// oldest first; the comments that Say keeps are not among them. A text that
	// merely looks like one of those is.
	Comments(ctx context.Context, branch string) ([]Comment, error)
	// Permission says what a person may do in the repository, as the forge knows
	// it now: none, read, triage, write, maintain or admin. Somebody it does not
	// know may do nothing.
	Permission(ctx context.Context, person string) (string, error)
	// Verdict puts the result of a check on a commit. There is one of a name and
	// commit: doing it twice does it once.
	Verdict(ctx context.Context, v Verdict) error
	// AutoMerge asks the forge to merge the open pull request by itself when its
	// own requirements are met, while its head is still head; off takes that back.
	AutoMerge(ctx context.Context, branch, head string, on bool) error
	// Mirror shows how far a plan has come in one ring, where people look at the
	// commit and at what runs where. There is one of a plan, ring and commit; an
	// unchanged state and text send nothing.
	Mirror(ctx context.Context, p Progress) error
	// UnderReview returns the open pull requests into the base branch that have the
	// commit as their head, from whatever branch, none where nobody proposed it.
	UnderReview(ctx context.Context, commit string) ([]PullRequest, error)
	// Member says whether the person is in the team.
	Member(ctx context.Context, team, person string) (bool, error)
	// Mention is a team's or a person's name as Markdown that tells them of it, where
	// the forge knows them; else it is just the name, inert.
	Mention(ctx context.Context, name string) (string, error)
	// File returns a file at a commit the forge knows, whatever its size.
	File(ctx context.Context, commit, path string) ([]byte, error)
	// Address is where a browser gets the bytes of a commit's file, or below
	// which it gets those of a folder that ends in a slash; "" where nowhere.
	Address(commit, path string) string
	// Shows is where a browser shows a commit's file as a page, "" where nowhere.
	Shows(commit, path string) string
	// Pin keeps a page that people find without looking for a pull request, and
	// returns its address: "" where the forge has no such pages.
	Pin(ctx context.Context, p Page) (string, error)
	// Merges returns every pull request that was merged into the base branch,
	// from whatever branch, oldest first. It is one listing however long the
	// history: Approvals, Former and MergedBy are left out; Find and Merged tell them.
	Merges(ctx context.Context) ([]PullRequest, error)
	// Preflight names what the credentials lack, nil when nothing.
	Preflight(ctx context.Context) ([]string, error)
	// Ready is as much of Preflight as two requests can tell: what a run asks
	// before it begins.
	Ready(ctx context.Context) ([]string, error)
}

// Page is a page as it should be. There is one of a key: doing it twice does it
// once.
type Page struct {
	Key   string // a word, as in "status"
	Title string
	Body  string // Markdown
}

// Comment is what a person, or another program, wrote below a pull request.
type Comment struct {
	ID string // tells comments of one pull request apart
	By string // "" where the account was deleted
	// Account is what the forge calls By's account, and goes on calling it when its
	// name changes; "" where it does not say.
	Account string
	At      time.Time
	Edited  time.Time // when it was changed last; At where it never was
	Body    string    // Markdown, as it was written: nothing in it is to be believed
	Bot     bool      // By is a program
}

// Verdict is the result of a check.
type Verdict struct {
	Name       string // as people read it in a list of checks
	Commit     string
	Conclusion string // success | failure | neutral | action_required
	Title      string // one line
	Summary    string // Markdown
	Notes      []Annotation
}

// Annotation is something to be said of one line of a file.
type Annotation struct {
	File    string
	Line    int    // from 1; 0: of the file as a whole
	Level   string // failure | warning | notice
	Message string
}

// Progress is how far a plan has come in one ring.
type Progress struct {
	Plan, Ring string
	Commit     string    // by which the plan was merged
	State      string    // pending | in_progress | success | failure | inactive
	Text       string    // one line, as "3 of 8 hosts are healthy"
	URL        string    // where people read more, "" nowhere
	At         time.Time // of the run that says so
}

// Proposal is a pull request as it should be.
type Proposal struct {
	Branch string // ringmaster/<id>
	Commit string // the branch's head, already in the local object store
	Title  string
	Body   string // Markdown, at most 65,536 characters on GitHub
	Labels []string
	Author string // who or what proposes, for the local forge
	At     time.Time
}

// PullRequest is a pull request as the forge knows it.
type PullRequest struct {
	Number    int // 0 on the local forge
	Branch    string
	Base      string
	Title     string
	Body      string
	Labels    []string
	State     string // open | merged | closed
	Head      string // commit under review; of a merged one, as it was merged
	Merge     string // commit on the base branch by which it was merged
	Author    string
	MergedBy  string
	MergedAt  time.Time
	ClosedBy  string   // of a closed one, as Find tells it: the person who closed it; "": ringmaster or another program did
	Approvals []Review // standing approvals of Head only, sorted by person
	Former    []Review // standing approvals of commits that were the head before, sorted by person
	URL       string
}

// Review is one person's standing approval.
type Review struct {
	By      string
	Account string // as in Comment
	At      time.Time
	Commit  string // the head that was reviewed
	Claimed bool   // nobody verified who By is (local forge)
}
