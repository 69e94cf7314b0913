package main

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	starter "github.com/ringmaster-dev/ringmaster"
	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge"
	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// trustAt is when the attacked estate's plan is made, merged and begun.
var trustAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// trusted is the plan that attacks are about.
const trusted = "standard-main-1"

// site is an estate under attack: a real repository in a folder of its own.
type site struct {
	t     *testing.T
	dir   string
	repo  *repo.Repo
	at    time.Time
	clock time.Time // the machine's
	env   map[string]string
}

// stage is how far the estate's one plan has come.
type stage int

const (
	settled stage = iota // an estate that requires review, nothing planned
	opened               // the plan's pull request is open
	merged               // … approved by its team and merged
	begun                // … its first wave is applied
	done                 // … completed
	stages
)

// templates are one estate for each stage.
type templates [stages]string

// prepared makes them, one from another.
func prepared(t *testing.T) *templates {
	t.Helper()
	var x templates
	for s := range stages {
		x.prepare(t, s)
	}
	return &x
}

// at returns a copy of the estate at a stage, for a test to attack.
func (x *templates) at(t *testing.T, s stage) *site {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "estate")
	if err := os.CopyFS(dir, os.DirFS(x[s])); err != nil {
		t.Fatal(err)
	}
	return enter(t, dir)
}

func enter(t *testing.T, dir string) *site {
	t.Helper()
	r, err := repo.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &site{t: t, dir: dir, repo: r, at: trustAt, clock: trustAt, env: map[string]string{}}
}

func (x *templates) prepare(t *testing.T, s stage) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "estate")
	x[s] = dir
	if s > settled {
		if err := os.CopyFS(dir, os.DirFS(x[s-1])); err != nil {
			t.Fatal(err)
		}
	}
	switch s {
	case settled:
		settle(t, dir)
	case opened:
		enter(t, dir).want(0, "plan", "--open")
	case merged:
		w := enter(t, dir)
		w.want(0, "pr", "approve", trusted, "--by", "fred")
		w.want(0, "pr", "merge", trusted, "--by", "olivia")
	case begun:
		enter(t, dir).want(0, "execute")
	case done:
		w := enter(t, dir)
		for day := 1; !strings.Contains(string(w.file("outcomes/"+trusted+".jsonl")), `"completed"`); day++ {
			if day > 20 {
				t.Fatal("the plan does not complete")
			}
			w.at = trustAt.AddDate(0, 0, day)
			w.want(0, "execute")
		}
	}
}

// settle makes the starter estate with a few of its policies, four hosts and one
// update, and then requires review.
func settle(t *testing.T, dir string) {
	t.Helper()
	if _, err := engine.Init(dir, starter.Files, trustAt.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	w := enter(t, dir)
	files := map[string][]byte{
		"inventory/feeds.hcl":                 nil,
		"inventory/advisories/kev/1-kev.json": w.shared("kev.json"),
		"inventory/facts/hosts.jsonl":         w.shared("facts.jsonl"),
		"inventory/patches/osprey.jsonl":      w.shared("osprey.jsonl"),
		"rings/rings.hcl":                     []byte(trustRings),
		"inventory/estate.hcl":                []byte(strings.Replace(string(w.file("inventory/estate.hcl")), "open_plans = 5", "open_plans = 5\n  clock = \"given\"\n  review = \"required\"", 1)),
	}
	spared := []string{"blast", "availability", "exceptions", "freeze", "reboot", "release_age", "rings", "sufficiency"}
	if os.Getenv("RINGMASTER_LONG") == "" {
		spared = append(append(spared, "quarantine", "watch"), reporting...)
	}
	for _, name := range spared {
		list, err := filepath.Glob(filepath.Join(dir, "policies", name, "*"))
		if err != nil || len(list) == 0 {
			t.Fatalf("policies/%s: %v, %v", name, list, err)
		}
		for _, file := range list {
			files[path.Join("policies", name, filepath.Base(file))] = nil
		}
	}
	w.push("hosts and an update", files)
}

const trustRings = `
ring "canary" {
  order = 1
  share = "25%"
  soak  = "1h"
}

ring "broad" {
  order = 2
  soak  = "1h"
}
`

func (w *site) shared(name string) []byte {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "script", "files", name))
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

// run runs the command as a person at this estate would.
func (w *site) run(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	args = append([]string{"-C", w.dir, "--at", w.at.Format(time.RFC3339)}, args...)
	code = run(context.Background(), args, streams{strings.NewReader(""), &o, &e}, func(name string) string { return w.env[name] }, w.clock)
	return code, o.String(), e.String()
}

// want runs the command, which must end with the code and say each text on one
// of its streams.
func (w *site) want(code int, args ...string) string {
	w.t.Helper()
	got, out, errs := w.run(args...)
	if got != code {
		w.t.Fatalf("ringmaster %s = %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, errs)
	}
	return out + errs
}

// says is want, and the output must hold every text.
func (w *site) says(code int, texts []string, args ...string) {
	w.t.Helper()
	got := w.want(code, args...)
	for _, text := range texts {
		if !strings.Contains(got, text) {
			w.t.Errorf("ringmaster %s says\n%s\nwant %q in it", strings.Join(args, " "), got, text)
		}
	}
}

func (w *site) tip() repo.Hash {
	w.t.Helper()
	h, err := w.repo.Ref("refs/heads/main")
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// file reads a file of the protected branch, nil where it is not there.
func (w *site) file(name string) []byte {
	w.t.Helper()
	if blob, err := w.repo.Blob(w.tip(), name); err != nil || blob == "" {
		return nil
	}
	data, err := w.repo.ReadFile(w.tip(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

var mallory = repo.Person{Name: "mallory", Email: "mallory@localhost"}

// push commits files to the protected branch directly, as a stolen token would;
// nil deletes.
func (w *site) push(message string, files map[string][]byte) repo.Hash {
	w.t.Helper()
	h, err := w.repo.Advance("refs/heads/main", repo.Next{Base: w.tip(), Changes: files, Message: message, Author: mallory, At: w.at})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// edit pushes a file with one text in the place of another.
func (w *site) edit(name, old, new string) repo.Hash {
	w.t.Helper()
	return w.push("edit "+name, map[string][]byte{name: w.replaced(name, old, new)})
}

func (w *site) replaced(name, old, new string) []byte {
	w.t.Helper()
	text := string(w.file(name))
	if !strings.Contains(text, old) {
		w.t.Fatalf("%s holds no %q", name, old)
	}
	return []byte(strings.Replace(text, old, new, 1))
}

func (w *site) forge() *local.Forge {
	return local.New(w.repo, "main", map[string][]string{"owners": {"olivia", "omar"}, "team-office": {"fred"}})
}

// propose opens a pull request with files on the protected branch's tip.
func (w *site) propose(id, author string, files map[string][]byte) forge.PullRequest {
	w.t.Helper()
	h, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: files, Message: id, Author: mallory, At: w.at})
	if err != nil {
		w.t.Fatal(err)
	}
	pr, err := w.forge().Propose(context.Background(), forge.Proposal{Branch: "ringmaster/" + id, Commit: string(h), Title: id, Author: author, At: w.at})
	if err != nil {
		w.t.Fatal(err)
	}
	return pr
}

// force merges a pull request at the forge, whatever ringmaster thinks of it:
// as whoever may press the button there.
func (w *site) force(id string, approvals ...string) forge.PullRequest {
	w.t.Helper()
	ctx, f := context.Background(), w.forge()
	for _, by := range approvals {
		if err := f.Approve(ctx, "ringmaster/"+id, by, w.at); err != nil {
			w.t.Fatal(err)
		}
	}
	pr, err := f.Find(ctx, "ringmaster/"+id)
	if err != nil {
		w.t.Fatal(err)
	}
	if pr, err = f.Merge(ctx, pr.Branch, pr.Head, "mallory", w.at); err != nil {
		w.t.Fatal(err)
	}
	return pr
}

// write writes a file into the working tree alone.
func (w *site) write(name, text string, mode os.FileMode) {
	w.t.Helper()
	file := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		w.t.Fatal(err)
	}
}

// planAt is the plan's bytes at the open pull request's head.
func (w *site) planAt(commit repo.Hash) []byte {
	w.t.Helper()
	data, err := w.repo.ReadFile(commit, plan.Path(trusted))
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

func (w *site) branch() repo.Hash {
	w.t.Helper()
	h, err := w.repo.Ref("refs/heads/" + path.Join("ringmaster", trusted))
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}
