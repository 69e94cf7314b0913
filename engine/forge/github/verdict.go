package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
)

const (
	notesOnce   = 50  // how many annotations GitHub takes in a request
	notesMost   = 500 // of a verdict; what is more the summary counts
	summaryMost = 65535
	messageMost = 64 << 10
)

// Verdict is a check run of the App, or of the workflow, whose token this is; no
// other token may make one. Annotations go fifty at a time, the conclusion with
// the last of them: a run that dies in between leaves one in progress, which the
// next goes on with. GitHub takes no annotation back, so that a verdict without
// some of those that are there is a new check run, and the newest counts.
func (f *Forge) Verdict(ctx context.Context, v forge.Verdict) error {
	if err := f.verdict(ctx, v); err != nil {
		if said(err) == http.StatusForbidden {
			err = fmt.Errorf("it takes the token of a GitHub App, or of a workflow, with \"checks: write\": %w", err)
		}
		return fmt.Errorf("putting the verdict %q on %.10s: %w", v.Name, v.Commit, err)
	}
	return nil
}

func (f *Forge) verdict(ctx context.Context, v forge.Verdict) error {
	if !slices.Contains([]string{"success", "failure", "neutral", "action_required"}, v.Conclusion) {
		return fmt.Errorf("conclusion %q; expected one of success, failure, neutral, action_required", v.Conclusion)
	}
	if v.Title == "" {
		return errors.New("it has no title")
	}
	want := newRun(v)
	for try := 1; ; try++ {
		have, err := f.run(ctx, v.Name, v.Commit)
		if err != nil {
			return err
		}
		err = f.bring(ctx, have, want)
		if !lost(err) || ctx.Err() != nil || try == tries || !f.wait(ctx, backoff(try)) {
			return err
		}
	}
}

// run is a check run: as it is, or as it is to be.
type run struct {
	id                      int64 // 0: there is none yet
	name, commit            string
	conclusion              string // "" while it is in progress
	title, summary, outside string
	notes                   []note
}

type note struct {
	path           string
	line           int
	level, message string
}

// outside marks our check runs among those of the same App: each job of a
// workflow is one too.
func outside(name string) string { return "ringmaster: " + name }

// newRun is a verdict as GitHub takes it.
func newRun(v forge.Verdict) run {
	r := run{name: v.Name, commit: v.Commit, conclusion: v.Conclusion, title: short(v.Title), outside: outside(v.Name)}
	for _, a := range v.Notes[:min(len(v.Notes), notesMost)] {
		n := note{a.File, max(a.Line, 1), a.Level, clip(a.Message, messageMost)}
		if !slices.Contains(r.notes, n) {
			r.notes = append(r.notes, n)
		}
	}
	rest := ""
	if more := len(v.Notes) - notesMost; more > 0 {
		rest = fmt.Sprintf("\n\nBeside the %d that are annotated there are %d more.", notesMost, more)
	}
	r.summary = clip(v.Summary, summaryMost-len(rest)) + rest
	if strings.TrimSpace(r.summary) == "" {
		r.summary = r.title // GitHub asks for one
	}
	return r
}

// clip cuts a text to a number of bytes, between characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := most - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// run finds our newest check run of a name on a commit.
func (f *Forge) run(ctx context.Context, name, commit string) (run, error) {
	me, err := f.whoami(ctx)
	if err != nil {
		return run{}, err
	}
	list, err := all(func(page github.ListOptions) ([]*github.CheckRun, *github.Response, error) {
		r, resp, err := f.api.Checks.ListCheckRunsForRef(ctx, f.owner, f.name, commit, &github.ListCheckRunsOptions{CheckName: &name, Filter: github.String("all"), ListOptions: page})
		if err != nil {
			return nil, resp, err
		}
		return r.CheckRuns, resp, nil
	})
	if err != nil {
		return run{}, fmt.Errorf("listing check runs: %w", err)
	}
	var newest *github.CheckRun
	for _, c := range list {
		if c.GetExternalID() == outside(name) && c.GetApp().GetSlug()+"[bot]" == me.Login && c.GetID() > newest.GetID() {
			newest = c
		}
	}
	if newest == nil {
		return run{}, nil
	}
	r := run{id: newest.GetID(), name: name, commit: commit, conclusion: newest.GetConclusion(), title: newest.GetOutput().GetTitle(), summary: newest.GetOutput().GetSummary(), outside: outside(name)}
	if newest.GetOutput().GetAnnotationsCount() > 0 {
		r.notes, err = f.notes(ctx, r.id)
	}
	return r, err
}

func (f *Forge) notes(ctx context.Context, id int64) ([]note, error) {
	list, err := all(func(page github.ListOptions) ([]*github.CheckRunAnnotation, *github.Response, error) {
		return f.api.Checks.ListCheckRunAnnotations(ctx, f.owner, f.name, id, &page)
	})
	if err != nil {
		return nil, fmt.Errorf("listing annotations: %w", err)
	}
	var out []note
	for _, a := range list {
		out = append(out, note{a.GetPath(), a.GetStartLine(), a.GetAnnotationLevel(), a.GetMessage()})
	}
	return out, nil
}

// bring makes a check run what it is to be, step by step. What is lost on the
// way is found by looking again.
func (f *Forge) bring(ctx context.Context, have, want run) error {
	if slices.ContainsFunc(have.notes, func(n note) bool { return !slices.Contains(want.notes, n) }) {
		have = run{}
	}
	missing := slices.DeleteFunc(slices.Clone(want.notes), func(n note) bool { return slices.Contains(have.notes, n) })
	for have.id == 0 || len(missing) > 0 || have.conclusion != want.conclusion || have.title != want.title || unix(have.summary) != unix(want.summary) {
		part := missing[:min(len(missing), notesOnce)]
		missing = missing[len(part):]
		next := want
		if len(missing) > 0 {
			next.conclusion = ""
		}
		var err error
		if next.id, err = f.send(ctx, have.id, next, part); err != nil {
			return err
		}
		have = next
	}
	return nil
}

// send makes the check run, or changes the one of an id, and adds annotations.
func (f *Forge) send(ctx context.Context, id int64, r run, add []note) (int64, error) {
	status, conclusion := "completed", &r.conclusion
	if r.conclusion == "" {
		status, conclusion = "in_progress", nil
	}
	output := &github.CheckRunOutput{Title: &r.title, Summary: &r.summary}
	for _, n := range add {
		output.Annotations = append(output.Annotations, &github.CheckRunAnnotation{Path: &n.path, StartLine: &n.line, EndLine: &n.line, AnnotationLevel: &n.level, Message: &n.message})
	}
	if id != 0 {
		c, _, err := f.api.Checks.UpdateCheckRun(ctx, f.owner, f.name, id, github.UpdateCheckRunOptions{Name: r.name, ExternalID: &r.outside, Status: &status, Conclusion: conclusion, Output: output})
		return c.GetID(), wrong(err)
	}
	c, _, err := f.api.Checks.CreateCheckRun(ctx, f.owner, f.name, github.CreateCheckRunOptions{Name: r.name, HeadSHA: r.commit, ExternalID: &r.outside, Status: &status, Conclusion: conclusion, Output: output})
	if err == nil {
		f.log.WithField("check", r.name).WithField("commit", r.commit).Info("verdict put")
	}
	return c.GetID(), wrong(err)
}
