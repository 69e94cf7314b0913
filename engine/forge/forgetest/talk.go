package forgetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

func (b *bench) say(t *testing.T, key, body string) {
	t.Helper()
	if err := b.Forge.Say(t.Context(), branch, key, body); err != nil {
		t.Fatal(err)
	}
}

func says(t *testing.T, b *bench) {
	if err := b.Forge.Say(t.Context(), branch, "outcome", "x"); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Say() below nothing = %v, want ErrNotFound", err)
	}
	c := b.commit(t)
	b.propose(t, c)
	b.say(t, "outcome", "Nothing is done yet.")
	b.say(t, "outcome", "Nothing is done yet.")
	b.say(t, "answer:17", "```\n-- <!-- a -->\n```")
	b.say(t, "outcome", "1 of 3 done.")
	want := []string{"1 of 3 done.", "```\n-- <!-- a -->\n```"}
	got := b.Said(branch)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("said is %q, want %q", got, want)
	}
	if _, err := b.Forge.Merge(t.Context(), branch, c, "carol", b.At); err != nil {
		t.Fatal(err)
	}
	b.say(t, "outcome", "3 of 3 done.")
	if got := b.Said(branch); len(got) != 2 || !slices.Contains(got, "3 of 3 done.") {
		t.Errorf("after the merge said is %q", got)
	}
	for _, key := range []string{"", "a b", "--> x", "a\nb", "а"} {
		if err := b.Forge.Say(t.Context(), branch, key, "x"); err == nil {
			t.Errorf("Say() took the key %q", key)
		}
	}
}

func hears(t *testing.T, b *bench) {
	if _, err := b.Forge.Comments(t.Context(), branch); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("Comments() of nothing = %v, want ErrNotFound", err)
	}
	b.propose(t, b.commit(t))
	b.say(t, "outcome", "Nothing is done yet.")
	want := []string{"alice: /ringmaster help", "bob: line one\n\nline two", "alice: <!-- ringmaster: note outcome -->\nAll is done."}
	for _, w := range want {
		by, body, _ := strings.Cut(w, ": ")
		if err := b.Comment(branch, by, body); err != nil {
			t.Fatal(err)
		}
	}
	b.say(t, "outcome", "1 of 3 done.")
	list, err := b.Forge.Comments(t.Context(), branch)
	var got []string
	ids := map[string]bool{}
	for _, c := range list {
		got = append(got, c.By+": "+c.Body)
		ids[c.ID] = true
		if c.Bot || c.At.IsZero() || c.Edited.Before(c.At) {
			t.Errorf("Comments() has %+v", c)
		}
	}
	if err != nil || !slices.Equal(got, want) || len(ids) != len(want) {
		t.Errorf("Comments() = %q, %v, want %q", got, err, want)
	}
	if got := b.Said(branch); !slices.Equal(got, []string{"1 of 3 done."}) {
		t.Errorf("said is %q, want what was said, and not what was forged", got)
	}
}

func permissions(t *testing.T, b *bench) {
	for person, want := range map[string]string{"alice": "write", "": "none"} {
		if got, err := b.Forge.Permission(t.Context(), person); err != nil || got != want {
			t.Errorf("Permission(%q) = %q, %v, want %q", person, got, err, want)
		}
	}
}

func verdicts(t *testing.T, b *bench) {
	c := b.commit(t)
	b.propose(t, c)
	v := forge.Verdict{Name: "Same bytes, made again", Commit: c, Conclusion: "failure", Title: "One fault", Notes: []forge.Annotation{{File: "plans/high-main-1/plan.json", Level: "failure", Message: "edited by hand"}}}
	for range 2 {
		if err := b.Forge.Verdict(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
}

func autoMerges(t *testing.T, b *bench) {
	if err := b.Forge.AutoMerge(t.Context(), branch, "", true); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("AutoMerge() of nothing = %v, want ErrNotFound", err)
	}
	old := b.commit(t)
	b.propose(t, old)
	c := b.commit(t)
	b.propose(t, c)
	if err := b.Forge.AutoMerge(t.Context(), branch, old, true); err == nil {
		t.Error("AutoMerge() took a head that is no longer the branch's")
	}
	for _, on := range []bool{true, true, false, false} {
		if err := b.Forge.AutoMerge(t.Context(), branch, c, on); err != nil {
			t.Errorf("AutoMerge(%v) = %v", on, err)
		}
	}
}

func mirrors(t *testing.T, b *bench) {
	c := b.commit(t)
	b.propose(t, c)
	for _, state := range []string{"pending", "in_progress", "in_progress", "success"} {
		if err := b.Forge.Mirror(t.Context(), forge.Progress{Plan: "high-main-1", Ring: "canary", Commit: c, State: state, Text: "1 of 3", At: b.At}); err != nil {
			t.Errorf("Mirror(%s) = %v", state, err)
		}
	}
}
