package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ringmaster-dev/ringmaster/engine/forge/github/githubtest"
	"github.com/ringmaster-dev/ringmaster/engine/plan"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// scene is an estate on a GitHub whose one plan is open as pull request 1.
type scene struct {
	*site
	server *githubtest.Server
	hub    *githubtest.Repository
}

func onStage(t *testing.T) *scene {
	t.Helper()
	w, server, hub := hubbed(t)
	w.want(0, "plan", "--open")
	return &scene{w, server, hub}
}

func (x *scene) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// sent pushes a commit to a branch of the hub, over whatever stands there.
func (x *scene) sent(hub *githubtest.Repository, branch string, h repo.Hash) {
	x.t.Helper()
	old, err := hub.Git().Ref("refs/heads/" + branch)
	x.must(err)
	x.must(x.repo.Push(x.t.Context(), repo.Remote{URL: hub.Git().GitDir()}, "refs/heads/"+branch, old, h))
}

// fork opens a pull request from a fork's branch of the plan's name.
func (x *scene) fork(owner string, h repo.Hash) int {
	x.t.Helper()
	f, err := x.hub.Fork(owner, "estate-of-"+owner)
	x.must(err)
	x.sent(f, "ringmaster/"+trusted, h)
	n, err := x.hub.Open(f, "ringmaster/"+trusted, owner, "A plan")
	x.must(err)
	return n
}

// edited pushes files to the plan's branch by hand.
func (x *scene) edited(files map[string][]byte) {
	x.t.Helper()
	h, err := x.repo.Write(repo.Next{Base: x.branch(), Changes: files, Message: "by hand", Author: mallory, At: x.at})
	x.must(err)
	x.sent(x.hub, "ringmaster/"+trusted, h)
}

// pressed merges a pull request as whoever may press the button, whatever
// ringmaster thinks of it.
func (x *scene) pressed(n int) {
	x.t.Helper()
	_, err := x.hub.Merge(n, "mallory")
	x.must(err)
}

// refuses says that the plan is not carried out, and why.
func (x *scene) refuses(why string) {
	x.t.Helper()
	code, out, errs := x.run("execute")
	if out += errs; code == 0 || !strings.Contains(out, why) || strings.Contains(out, "applied") {
		x.t.Errorf("execute = %d:\n%s\nWANT %q", code, out, why)
	}
}

// unmerged says that merging the plan is refused, and why.
func (x *scene) unmerged(why string) {
	x.t.Helper()
	x.env["GITHUB_TOKEN"] = "ghs_olivia"
	code, out, errs := x.run("pr", "merge", trusted)
	x.env["GITHUB_TOKEN"] = "ghs_bot"
	if out += errs; code == 0 || !strings.Contains(out, why) {
		x.t.Errorf("pr merge = %d:\n%s\nWANT %q", code, out, why)
	}
}

// unchecked says that the check of a commit fails with a message.
func (x *scene) unchecked(why string) {
	x.t.Helper()
	code, out, errs := x.run("check", trusted)
	if out += errs; code != 1 || !strings.Contains(out, why) {
		x.t.Errorf("check = %d:\n%s\nwant it to fail with %q", code, out, why)
	}
}

func (x *scene) closed(n int) {
	x.hub.Change(n, func(p *githubtest.Pull) { p.State = "closed" })
}

// main is the protected branch as the hub has it.
func (x *scene) main() repo.Hash {
	x.t.Helper()
	h, err := x.hub.Git().Ref("refs/heads/main")
	x.must(err)
	return h
}

// mains pushes files to the protected branch, here and at the hub.
func (x *scene) mains(message string, files map[string][]byte) {
	x.t.Helper()
	x.sent(x.hub, "main", x.push(message, files))
}

func (x *scene) digest() string {
	x.t.Helper()
	p, err := plan.Decode(x.planAt(x.branch()))
	x.must(err)
	return p.Digest
}

// quiet says that what was printed commands neither a terminal nor a runner.
func (x *scene) quiet(name, out string) {
	x.t.Helper()
	if l := heard(out); l != "" {
		x.t.Errorf("%s: a runner hears %q", name, l)
	}
	x.inert(strings.ReplaceAll(out, gap, ""))
}

// quotes says that a command prints JSON, by lines or as a whole, in which a text
// stands as it is and a runner hears nothing.
func (x *scene) quotes(text string, args ...string) {
	x.t.Helper()
	_, out, errs := x.run(args...)
	if l := heard(out + errs); l != "" {
		x.t.Errorf("%s: a runner hears %q", strings.Join(args, " "), l)
	}
	found := false
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var v any
		err := d.Decode(&v)
		if err == io.EOF {
			break
		}
		if err != nil {
			x.t.Fatalf("%s prints no JSON: %v\n%s", strings.Join(args, " "), err, out)
		}
		found = found || strings.Contains(fmt.Sprint(v), text)
	}
	if !found {
		x.t.Errorf("%s does not say %q:\n%s", strings.Join(args, " "), text, out+errs)
	}
}

// calm says that a page holds a text, and nothing of what adversaries write as
// anything but text; what it is built of is held in engine/report.
func (x *scene) calm(page, text string) {
	x.t.Helper()
	if !strings.Contains(page, text) {
		x.t.Errorf("the page does not say %q:\n%s", text, page)
	}
	for _, live := range []string{"@everyone", "@acme", "<img", "<!-- a", "<script", "[here](javascript", "\n## Approved", "\n# Approved", "- [x]", "Fixes #1", "%%{", "click a href \"", "\u202e", "\x00", ":tada:", "0123456789abcdef0123456789abcdef01234567", "\n/ringmaster"} {
		if strings.Contains(page, live) {
			x.t.Errorf("the page holds %q:\n%s", live, page)
		}
	}
}
