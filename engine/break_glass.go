package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// glassFor is the break-glass that lets a plan begin without those who should
// approve it, nil where none stands at a time. It is about one digest: a plan that
// is written again takes another.
func glassFor(overrides []outcome.Override, p *plan.Plan, at time.Time) *outcome.Override {
	i := slices.IndexFunc(overrides, func(o outcome.Override) bool {
		return o.Kind == outcome.BreakGlass && o.Plan == p.ID && o.Value == p.Digest && stands(o, at)
	})
	if i < 0 {
		return nil
	}
	return &overrides[i]
}

// began is when a plan began, or else now: what let it begin then lets it end.
func (e *Env) began(d deed) time.Time {
	if at := d.begun(); !at.IsZero() {
		return at
	}
	return e.At
}

// glassAt is glassFor, with the overrides of a commit.
func (e *Env) glassAt(commit repo.Hash, p *plan.Plan) (*outcome.Override, error) {
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, "overrides/*.jsonl")
	if err != nil {
		return nil, err
	}
	var list []outcome.Override
	for _, name := range names {
		data, err := fsys.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(data) {
			var o outcome.Override
			if json.Unmarshal(line, &o) == nil { // what cannot be read, whoever reads the estate tells
				list = append(list, o)
			}
		}
	}
	return glassFor(list, p, e.At), nil
}

// lifted is the break-glass that stands for a pull request's plan, nil where none
// does.
func (e *Env) lifted(ctx context.Context, pr forge.PullRequest) (*outcome.Override, error) {
	_, base, err := e.base(ctx)
	if err != nil {
		return nil, err
	}
	p, err := e.planOf(ctx, pr)
	if err != nil || p == nil {
		return nil, err
	}
	return e.glassAt(base, p)
}

// versionOf is the digest of a plan as it is under review, or was merged.
func (e *Env) versionOf(ctx context.Context, id string) (string, error) {
	pr, err := e.Forge.Find(ctx, prefix+id)
	if err != nil {
		return "", err
	}
	p, err := e.planOf(ctx, pr)
	if err != nil {
		return "", err
	}
	if p == nil {
		return "", fmt.Errorf("%q is no plan's id", id)
	}
	return p.Digest, nil
}

// broken is a plan that began under break-glass, and what it lacks, in words; ""
// when everybody whom it asks has approved since.
type broken struct{ id, unreviewed string }

// brokenGlass are the plans that began under break-glass.
func (e *Env) brokenGlass(ctx context.Context, overrides []outcome.Override, all []deed) ([]broken, error) {
	if !slices.ContainsFunc(overrides, func(o outcome.Override) bool { return o.Kind == outcome.BreakGlass }) {
		return nil, nil
	}
	_, r, err := e.judge(ctx)
	if err != nil {
		return nil, err
	}
	var list []broken
	for _, d := range all {
		glass := glassFor(overrides, d.plan, e.began(d))
		if d.gone || glass == nil || d.begun().IsZero() {
			continue
		}
		pr, err := e.pullOf(ctx, prefix+d.plan.ID)
		if errors.Is(err, forge.ErrNotFound) {
			continue // which is a breach, told elsewhere
		}
		if err != nil {
			return nil, err
		}
		_, lacks, err := e.approved(ctx, r.teams, d.plan, pr)
		if err != nil {
			return nil, err
		}
		b := broken{id: d.plan.ID}
		if len(lacks) > 0 {
			b.unreviewed = unreviewedText(d.plan.ID, glass, lacks)
		}
		list = append(list, b)
	}
	return list, nil
}

// tellBroken says in their threads which plans began under break-glass, until and
// when they are reviewed.
func (e *Env) tellBroken(ctx context.Context, list []broken) error {
	for _, b := range list {
		text := "It began under break-glass, and everybody whom it asks has approved it since.\n"
		if b.unreviewed != "" {
			text = "**Break-glass**\n\n" + quoted(b.unreviewed)
		}
		if err := e.Forge.Say(ctx, prefix+b.id, outcome.BreakGlass, text); err != nil {
			return err
		}
	}
	return nil
}

// unreviewedText is what is said until somebody who should have approved does.
func unreviewedText(id string, glass *outcome.Override, lacks []unmet) string {
	var short []string
	for _, l := range lacks {
		short = append(short, fmt.Sprintf("%d of %d by %q", l.have, l.need.Count, l.need.From))
	}
	return fmt.Sprintf("%s began under break-glass, asked for by %s (%s), and is not reviewed: it lacks %s; they approve its pull request, or revert it",
		id, glass.By, glass.Reason, strings.Join(short, ", "))
}
