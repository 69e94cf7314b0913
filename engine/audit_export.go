package engine

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// ExportOptions say what an export holds beyond the plain files.
type ExportOptions struct {
	Since  string // as in AuditVerify
	Bundle bool   // the whole history beside them, as history.bundle
}

//go:embed audit_readme.md
var exportReadme string

// AuditExport writes into a new or empty folder what a stranger needs to check
// history with git and sha256sum alone; the folder's README.md has the commands.
// The same history gives the same bytes. What the audit found is returned, and
// stands in audit.txt.
func (e *Env) AuditExport(ctx context.Context, dir string, o ExportOptions) (*Audit, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty; name a new folder", dir)
	}
	a, err := e.AuditVerify(ctx, o.Since)
	if err != nil {
		return nil, err
	}
	x := &export{Env: e, audit: a, files: map[string][]byte{}, taken: map[string]bool{}}
	if err := x.gather(ctx, o); err != nil {
		return nil, fmt.Errorf("exporting: %w", err)
	}
	return a, x.write(dir)
}

// export is the files of an export in the making, by path.
type export struct {
	*Env
	audit *Audit
	files map[string][]byte
	taken map[string]bool // folders of policies and rings that are here
}

func (x *export) gather(ctx context.Context, o ExportOptions) error {
	tip := repo.Hash(x.audit.Tip)
	for _, top := range []string{"approvals", "outcomes", "overrides"} {
		if err := x.folder(tip, top, ""); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{x.plans, x.approved, x.commits, x.reviews} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	x.files["audit.txt"] = []byte(x.audit.Text())
	x.files["README.md"] = []byte(strings.NewReplacer("TIP", x.audit.Tip, "BRANCH", x.audit.Branch).Replace(exportReadme))
	if !o.Bundle {
		return nil
	}
	refs := []repo.Ref{{Name: "refs/heads/" + x.audit.Branch, Hash: tip}}
	if !x.Forge.Reviews() { // the local forge keeps its pull requests in Git as well
		for _, kind := range []string{"pulls", "reviewed"} {
			more, err := x.Repo.Refs("refs/ringmaster/" + kind + "/")
			if err != nil {
				return err
			}
			refs = append(refs, more...)
		}
	}
	var err error
	x.files["history.bundle"], err = x.Repo.Bundle(refs)
	return err
}

// folder takes a folder of a commit, under another where below is not "". One
// that is not there is empty.
func (x *export) folder(commit repo.Hash, name, below string) error {
	fsys, err := x.Repo.At(commit)
	if err != nil {
		return err
	}
	return fs.WalkDir(fsys, name, func(file string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && file == name:
			return fs.SkipAll
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		}
		data, err := fs.ReadFile(fsys, file)
		x.files[path.Join(below, file)] = data
		return err
	})
}

// plans takes every plan that was merged, those taken back after they had begun
// as they were, and the policies and rings of each, once.
func (x *export) plans(ctx context.Context) error {
	tip := repo.Hash(x.audit.Tip)
	if err := x.folder(tip, "plans", ""); err != nil {
		return err
	}
	for id, data := range x.audit.gone {
		x.files[plan.Path(id)] = data
	}
	var b strings.Builder
	for _, file := range sortedKeys(x.files) {
		id, ok := planAt(file)
		if !ok {
			continue
		}
		p, err := plan.Decode(x.files[file])
		if err != nil {
			continue // audit.txt tells
		}
		merge, err := x.mergeOf(ctx, id, x.files[file])
		if err != nil {
			return err
		}
		in := p.Inputs
		policies, rings := strings.TrimPrefix(in.Policies, "sha256:"), strings.TrimPrefix(in.Rings, "sha256:")
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\n", id, p.Digest, policies, rings, in.Commit, merge)
		if err := x.rules("policies", policies, repo.Hash(in.Commit)); err != nil {
			return err
		}
		if err := x.rules("rings", rings, repo.Hash(in.Commit)); err != nil {
			return err
		}
	}
	x.files["plans.tsv"] = []byte(b.String())
	return nil
}

// approved takes the earlier versions of plans that were approved and that the
// plans in their places are held to be no worse than.
func (x *export) approved(ctx context.Context) error {
	for _, file := range sortedKeys(x.files) {
		if !strings.HasPrefix(file, "approvals/") {
			continue
		}
		for line := range bytes.Lines(x.files[file]) {
			var l outcome.Approval
			if json.Unmarshal(line, &l) != nil || l.Carried == "" {
				continue
			}
			data, err := x.fileOf(ctx, l.Commit, plan.Path(l.Plan))
			if errors.Is(err, fs.ErrNotExist) {
				continue // audit.txt tells
			}
			if err != nil {
				return err
			}
			x.files["approved/"+strings.TrimPrefix(plan.Sum(data), "sha256:")+"/plan.json"] = data
		}
	}
	return nil
}

// rules takes a folder of the commit that a plan was made at, unless one of that
// digest is here. A commit that is no longer there is audit.txt's to tell.
func (x *export) rules(name, digest string, commit repo.Hash) error {
	below := name + "/" + digest
	if x.taken[below] {
		return nil
	}
	if _, err := x.Repo.Commit(commit); err != nil {
		return nil
	}
	x.taken[below] = true
	return x.folder(commit, name, below)
}

// mergeOf is the commit by which a plan's bytes came to the base branch, "-"
// where the forge knows of none.
func (x *export) mergeOf(ctx context.Context, id string, data []byte) (string, error) {
	pulls, err := x.mergesOf(ctx, prefix+id)
	if err != nil {
		return "", err
	}
	for _, pr := range pulls {
		if head, err := x.fileOf(ctx, pr.Head, plan.Path(id)); err == nil && string(head) == string(data) {
			return pr.Merge, nil
		}
	}
	return "-", nil
}

// commits lists the base branch, oldest first.
func (x *export) commits(context.Context) error {
	var lines []string
	for c, err := range x.Repo.FirstParents(repo.Hash(x.audit.Tip)) {
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\n", c.Hash, c.Tree))
	}
	slices.Reverse(lines)
	x.files["commits.txt"] = []byte(strings.Join(lines, ""))
	return nil
}

// reviews lists what the forge merged, by commit.
func (x *export) reviews(ctx context.Context) error {
	if err := x.list(ctx); err != nil {
		return err
	}
	var b strings.Builder
	for _, commit := range sortedKeys(x.told.byCommit) {
		pr, err := x.mergedBy(ctx, x.audit.Branch, commit, true)
		if err != nil {
			return err
		}
		if pr == nil {
			continue
		}
		by := []string{}
		for _, r := range pr.Approvals {
			by = append(by, plain(r.By))
		}
		for _, r := range pr.Former {
			by = append(by, fmt.Sprintf("%s@%.10s", plain(r.By), r.Commit))
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", commit, plain(pr.Branch), plain(pr.Author), cmp.Or(strings.Join(by, ","), "-"))
	}
	x.files["reviews.tsv"] = []byte(b.String())
	return nil
}

// plain is text in one cell of a table.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}

// write puts the files into a folder, and the digests of all beside them.
func (x *export) write(dir string) error {
	var sums strings.Builder
	for _, name := range sortedKeys(x.files) {
		fmt.Fprintf(&sums, "%s  %s\n", strings.TrimPrefix(plan.Sum(x.files[name]), "sha256:"), name)
	}
	x.files["SHA256SUMS"] = []byte(sums.String())
	for _, name := range sortedKeys(x.files) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, x.files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Text is what the audit found, as people read it: the same for the same history.
func (a *Audit) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d commits looked at; %d plans recomputed, the same byte for byte; %d lines of outcomes chained\n", a.Commits, a.Plans, a.Lines)
	for _, g := range a.Gone {
		fmt.Fprintln(&b, plain(g))
	}
	for _, o := range a.Others {
		fmt.Fprintln(&b, "not recomputed:", plain(o))
	}
	for _, f := range a.Findings {
		fmt.Fprintln(&b, "FOUND:", plain(f.String()))
	}
	if len(a.Findings) == 0 {
		fmt.Fprintln(&b, "nothing was found that should not be")
	}
	return b.String()
}
