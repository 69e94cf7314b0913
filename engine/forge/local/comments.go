package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// comment is one of comments.json.
type comment struct {
	By   string    `json:"by"` // as claimed
	At   time.Time `json:"at"`
	Body string    `json:"body"`
}

// Say keeps a comment as said/<key>.md beside the description.
func (f *Forge) Say(_ context.Context, branch, key, body string) error {
	if key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/") != "" || !fs.ValidPath(key) {
		return fmt.Errorf("saying %q on %s: expected a key of letters, digits and any of - _ . : /", key, branch)
	}
	old, _, _, err := f.read(branch)
	if err != nil {
		return err
	}
	name := "said/" + key + ".md"
	switch was, err := f.repo.ReadFile(old, name); {
	case err == nil && string(was) == body:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("reading %s of %s: %w", name, branch, err)
	}
	last, err := f.repo.Commit(old)
	if err != nil {
		return err
	}
	return f.add(branch, old, name, []byte(body), "say "+key+" on "+branch, "", last.At)
}

// Said returns the comments that Say keeps, by key.
func (f *Forge) Said(branch string) (map[string]string, error) {
	at, _, _, err := f.read(branch)
	if err != nil {
		return nil, err
	}
	fsys, err := f.repo.At(at)
	if err != nil {
		return nil, err
	}
	said := map[string]string{}
	err = fs.WalkDir(fsys, "said", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		said[strings.TrimSuffix(strings.TrimPrefix(name, "said/"), ".md")] = string(data)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return said, err
}

// Comment adds what a person says, who is who they claim to be.
func (f *Forge) Comment(_ context.Context, branch, by, body string, at time.Time) error {
	if by == "" {
		return fmt.Errorf("commenting on %s: nobody is named", branch)
	}
	old, _, _, err := f.read(branch)
	if err != nil {
		return err
	}
	list, err := f.comments(old, branch)
	if err != nil {
		return err
	}
	data, err := plan.Canonical(append(list, comment{by, at.UTC(), body}))
	if err != nil {
		return err
	}
	return f.add(branch, old, "comments.json", append(data, '\n'), "comment on "+branch, by, at)
}

// Comments returns what Comment added.
func (f *Forge) Comments(_ context.Context, branch string) ([]forge.Comment, error) {
	at, _, _, err := f.read(branch)
	if err != nil {
		return nil, err
	}
	all, err := f.comments(at, branch)
	if err != nil {
		return nil, err
	}
	var list []forge.Comment
	for i, c := range all {
		list = append(list, forge.Comment{ID: strconv.Itoa(i + 1), By: c.By, At: c.At, Edited: c.At, Body: c.Body})
	}
	return list, nil
}

func (f *Forge) comments(at repo.Hash, branch string) ([]comment, error) {
	data, err := f.repo.ReadFile(at, "comments.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []comment
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the comments of %s: %w", branch, err)
	}
	return list, nil
}

// add makes the next commit of a pull request's reference with another file.
func (f *Forge) add(branch string, old repo.Hash, name string, data []byte, message, who string, at time.Time) error {
	_, err := f.repo.Advance(pulls+strings.TrimPrefix(branch, lead), repo.Next{
		Base: old, Changes: map[string][]byte{name: data}, Message: message, Author: person(who), At: at,
	})
	if err != nil {
		return fmt.Errorf("recording %s of pull request %s: %w", name, branch, err)
	}
	return nil
}

// Permission is write for whoever is named: as with approvals, nobody verifies
// who that is.
func (f *Forge) Permission(_ context.Context, person string) (string, error) {
	if person == "" {
		return "none", nil
	}
	return "write", nil
}

// Verdict keeps nothing: who has the clone runs the check.
func (f *Forge) Verdict(context.Context, forge.Verdict) error { return nil }

// Mirror keeps nothing: the ledgers are at hand.
func (f *Forge) Mirror(context.Context, forge.Progress) error { return nil }

// AutoMerge merges nothing: there is nobody who would do it later, and no
// requirement that could be met. It holds the head to what the caller saw.
func (f *Forge) AutoMerge(_ context.Context, branch, head string, on bool) error {
	_, p, _, err := f.read(branch)
	switch {
	case err != nil || !on:
		return err
	case p.Head != head:
		return fmt.Errorf("merging %s by itself: its head is %s now, not %s; look at it again", branch, short(p.Head), short(head))
	case p.State == "closed":
		return fmt.Errorf("merging %s by itself: the pull request is closed", branch)
	}
	return nil
}

// Mention is the name: nobody is told.
func (f *Forge) Mention(_ context.Context, name string) (string, error) {
	return "`" + strings.NewReplacer("`", "'", "\n", " ", "\r", " ").Replace(name) + "`", nil
}
