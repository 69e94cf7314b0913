// Package forgetest holds forges to what every forge promises.
package forgetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// Fixture is a forge over a repository whose base branch has one commit.
type Fixture struct {
	Forge forge.Forge
	Repo  *repo.Repo // the clone that proposals are written in
	Base  repo.Hash
	At    time.Time
	// Approve reviews as a person, where the forge's own Approve cannot (its
	// token's owner reviews); nil: Forge.Approve.
	Approve func(branch, by string) error
	// Comment adds a person's comment.
	Comment func(branch, by, body string) error
	// Said returns the comments that Say keeps, as people read them.
	Said func(branch string) []string
}

// Test fails where the forge does not keep a promise. It opens a fixture for
// each one.
func Test(t *testing.T, open func(t *testing.T) Fixture) {
	for name, promise := range map[string]func(*testing.T, *bench){
		"opens":                 opens,
		"twice is once":         twice,
		"updates in place":      updates,
		"approvals of head":     approvals,
		"approvals of before":   former,
		"knows its head":        underReview,
		"merges":                merges,
		"head must be seen":     unseen,
		"closes":                closes,
		"opens again":           again,
		"lets people reopen":    reopens,
		"not found":             notFound,
		"pushed directly":       direct,
		"files of any size":     files,
		"lists by state":        lists,
		"awkward text is kept":  awkward,
		"signs nothing unasked": signs,
		"says once":             says,
		"hears people":          hears,
		"asks who may":          permissions,
		"verdicts":              verdicts,
		"merges by itself":      autoMerges,
		"mirrors":               mirrors,
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			promise(t, &bench{f, 0})
		})
	}
}

type bench struct {
	Fixture
	n int
}

const branch = "ringmaster/high-main-1"

// commit writes another commit for the branch and returns it.
func (b *bench) commit(t *testing.T) string {
	t.Helper()
	b.n++
	h, err := b.Repo.Write(repo.Next{Base: b.Base, Message: "a plan", At: b.At.Add(time.Duration(b.n) * time.Second), Author: repo.Person{Name: "ringmaster", Email: "ringmaster@localhost"},
		Changes: map[string][]byte{"plans/high-main-1/plan.json": fmt.Appendf(nil, "{\"n\":%d}\n", b.n)}})
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func (b *bench) propose(t *testing.T, commit string) forge.PullRequest {
	t.Helper()
	pr, err := b.Forge.Propose(t.Context(), forge.Proposal{Branch: branch, Commit: commit, Title: "A plan", Body: "What and why.", Labels: []string{"plan"}, Author: "ringmaster", At: b.At})
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

func (b *bench) approve(t *testing.T, by string) {
	t.Helper()
	var err error
	if b.Approve != nil {
		err = b.Approve(branch, by)
	} else {
		err = b.Forge.Approve(t.Context(), branch, by, b.At)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) find(t *testing.T) forge.PullRequest {
	t.Helper()
	pr, err := b.Forge.Find(t.Context(), branch)
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

func opens(t *testing.T, b *bench) {
	c := b.commit(t)
	b.propose(t, c)
	pr := b.find(t)
	if pr.State != "open" || pr.Head != c || pr.Title != "A plan" || pr.Body != "What and why." || pr.Branch != branch || pr.Base != "main" || len(pr.Labels) != 1 {
		t.Errorf("Find() = %+v", pr)
	}
}

func twice(t *testing.T, b *bench) {
	c := b.commit(t)
	first := b.propose(t, c)
	second := b.propose(t, c)
	all, err := b.Forge.List(t.Context(), "")
	if err != nil || len(all) != 1 || first.Number != second.Number {
		t.Errorf("after proposing twice List() = %d, %v; want 1", len(all), err)
	}
}

func updates(t *testing.T, b *bench) {
	b.propose(t, b.commit(t))
	c := b.commit(t)
	b.propose(t, c)
	all, err := b.Forge.List(t.Context(), "open")
	if err != nil || len(all) != 1 || all[0].Head != c {
		t.Errorf("List() = %+v, %v; want one with the new head", all, err)
	}
}

func signs(t *testing.T, b *bench) {
	c := b.commit(t)
	if got, err := b.Forge.Sign(t.Context(), branch, c); err != nil || got != c {
		t.Errorf("Sign() = %s, %v, want the commit itself where nobody asks for signatures", got, err)
	}
}

func approvals(t *testing.T, b *bench) {
	b.propose(t, b.commit(t))
	b.approve(t, "bob")
	b.approve(t, "alice")
	b.approve(t, "alice")
	pr := b.find(t)
	if len(pr.Approvals) != 2 || pr.Approvals[0].By != "alice" || pr.Approvals[1].By != "bob" {
		t.Errorf("Approvals = %+v, want alice and bob once each", pr.Approvals)
	}
	b.propose(t, b.commit(t))
	if pr = b.find(t); len(pr.Approvals) != 0 {
		t.Errorf("after an update Approvals = %+v, want none: they were of another head", pr.Approvals)
	}
}

func underReview(t *testing.T, b *bench) {
	old, now := b.commit(t), b.commit(t)
	b.propose(t, old)
	b.propose(t, now)
	b.approve(t, "bob")
	for commit, want := range map[string]int{old: 0, now: 1, string(b.Base): 0} {
		list, err := b.Forge.UnderReview(t.Context(), commit)
		if err != nil || len(list) != want {
			t.Errorf("UnderReview(%s) = %+v, %v; want %d", commit, list, err, want)
		}
		if want == 1 && len(list) == 1 && (list[0].Branch != branch || len(list[0].Approvals) != 1) {
			t.Errorf("UnderReview(%s) = %+v", commit, list[0])
		}
	}
	if err := b.Forge.Close(t.Context(), branch, "", "not now"); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Forge.UnderReview(t.Context(), now); err != nil || len(list) != 0 {
		t.Errorf("UnderReview() of what was closed = %+v, %v", list, err)
	}
}

func merges(t *testing.T, b *bench) {
	c := b.commit(t)
	b.propose(t, c)
	b.approve(t, "alice")
	pr, err := b.Forge.Merge(t.Context(), branch, c, "carol", b.At)
	if err != nil {
		t.Fatal(err)
	}
	if pr.State != "merged" || pr.Merge == "" || pr.Head != c || len(pr.Approvals) != 1 {
		t.Errorf("Merge() = %+v", pr)
	}
	if pr = b.find(t); pr.State != "merged" {
		t.Errorf("Find() after the merge is %s", pr.State)
	}
	list, err := b.Forge.Merged(t.Context(), pr.Merge)
	if err != nil || len(list) != 1 || list[0].Branch != branch {
		t.Errorf("Merged(%s) = %+v, %v", pr.Merge, list, err)
	}
	if again, err := b.Forge.Merge(t.Context(), branch, c, "carol", b.At); err != nil || again.Merge != pr.Merge {
		t.Errorf("merging twice: %+v, %v; want the first merge again", again, err)
	}
}

func unseen(t *testing.T, b *bench) {
	old := b.commit(t)
	b.propose(t, old)
	b.propose(t, b.commit(t))
	if _, err := b.Forge.Merge(t.Context(), branch, old, "carol", b.At); err == nil {
		t.Error("Merge() took a head that is no longer the branch's")
	}
}

func closes(t *testing.T, b *bench) {
	b.propose(t, b.commit(t))
	for range 2 {
		if err := b.Forge.Close(t.Context(), branch, "", "superseded by high-main-2"); err != nil {
			t.Fatal(err)
		}
	}
	if pr := b.find(t); pr.State != "closed" {
		t.Errorf("after Close() it is %s", pr.State)
	}
}

func again(t *testing.T, b *bench) {
	c := b.commit(t)
	b.propose(t, c)
	if err := b.Forge.Close(t.Context(), branch, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	b.propose(t, b.commit(t))
	if pr := b.find(t); pr.State != "open" {
		t.Errorf("proposed again after it was closed, it is %s", pr.State)
	}
}

func reopens(t *testing.T, b *bench) {
	if err := b.Forge.Reopen(t.Context(), branch, "bob", b.At); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Reopen() of nothing = %v, want ErrNotFound", err)
	}
	c := b.commit(t)
	b.propose(t, c)
	if err := b.Forge.Close(t.Context(), branch, "", "nothing is left to do"); err != nil {
		t.Fatal(err)
	}
	if pr := b.find(t); pr.ClosedBy != "" {
		t.Errorf("closed by ringmaster, ClosedBy is %q", pr.ClosedBy)
	}
	for range 2 {
		if err := b.Forge.Reopen(t.Context(), branch, "bob", b.At); err != nil {
			t.Fatal(err)
		}
	}
	if pr := b.find(t); pr.State != "open" || pr.Head != c || pr.ClosedBy != "" {
		t.Errorf("opened again it is %+v", pr)
	}
	if _, err := b.Forge.Merge(t.Context(), branch, c, "carol", b.At); err != nil {
		t.Fatal(err)
	}
	if err := b.Forge.Reopen(t.Context(), branch, "bob", b.At); err == nil {
		t.Error("Reopen() took what is merged")
	}
}

func notFound(t *testing.T, b *bench) {
	if _, err := b.Forge.Find(t.Context(), "ringmaster/low-main-9"); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Find() of nothing = %v, want ErrNotFound", err)
	}
}

func direct(t *testing.T, b *bench) {
	list, err := b.Forge.Merged(t.Context(), string(b.Base))
	if err != nil || len(list) != 0 {
		t.Errorf("Merged() of a commit that was pushed = %+v, %v; want none", list, err)
	}
}

func files(t *testing.T, b *bench) {
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = 'a' + byte(i%26)
	}
	h, err := b.Repo.Write(repo.Next{Base: b.Base, Message: "a large plan", At: b.At, Author: repo.Person{Name: "ringmaster", Email: "ringmaster@localhost"}, Changes: map[string][]byte{"plans/high-main-1/plan.json": big}})
	if err != nil {
		t.Fatal(err)
	}
	b.propose(t, string(h))
	got, err := b.Forge.File(t.Context(), string(h), "plans/high-main-1/plan.json")
	if err != nil || string(got) != string(big) {
		t.Errorf("File() = %d bytes, %v; want %d", len(got), err, len(big))
	}
}

func lists(t *testing.T, b *bench) {
	b.propose(t, b.commit(t))
	for state, want := range map[string]int{"open": 1, "merged": 0, "closed": 0, "": 1} {
		list, err := b.Forge.List(t.Context(), state)
		if err != nil || len(list) != want {
			t.Errorf("List(%q) = %d, %v; want %d", state, len(list), err, want)
		}
	}
}

func awkward(t *testing.T, b *bench) {
	title, body := "A \"plan\" & <b>more</b> $(x)", "line one\n\n| a | b |\n|---|---|\n```\n@everyone\n```\n"
	if _, err := b.Forge.Propose(t.Context(), forge.Proposal{Branch: branch, Commit: b.commit(t), Title: title, Body: body, Labels: []string{"plan"}, Author: "ringmaster", At: b.At}); err != nil {
		t.Fatal(err)
	}
	if pr := b.find(t); pr.Title != title || pr.Body != body {
		t.Errorf("Find() = %q, %q", pr.Title, pr.Body)
	}
}

// former are approvals of heads that were: known with what they approved, which
// can still be read, until the same person approves again.
func former(t *testing.T, b *bench) {
	first := b.commit(t)
	b.propose(t, first)
	b.approve(t, "alice")
	b.approve(t, "bob")
	b.propose(t, b.commit(t))
	b.approve(t, "bob")
	pr := b.find(t)
	if len(pr.Former) != 1 || pr.Former[0].By != "alice" || pr.Former[0].Commit != first || len(pr.Approvals) != 1 || pr.Approvals[0].By != "bob" {
		t.Fatalf("Former = %+v, Approvals = %+v; want alice's of the first head, and bob's of the second", pr.Former, pr.Approvals)
	}
	if data, err := b.Forge.File(t.Context(), first, "plans/high-main-1/plan.json"); err != nil || string(data) != "{\"n\":1}\n" {
		t.Errorf("File() of what alice approved = %q, %v", data, err)
	}
	if _, err := b.Forge.Merge(t.Context(), branch, pr.Head, "carol", b.At); err != nil {
		t.Fatal(err)
	}
	if pr = b.find(t); len(pr.Former) != 1 || pr.Former[0].By != "alice" {
		t.Errorf("merged, Former = %+v, want alice's approval", pr.Former)
	}
}
