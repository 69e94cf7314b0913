package main

import (
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// lawless are the estate's files of policies, gone and back.
func (w *site) lawless() (gone, back map[string][]byte) {
	w.t.Helper()
	list, err := w.repo.Diff("", w.tip())
	if err != nil {
		w.t.Fatal(err)
	}
	gone, back = map[string][]byte{}, map[string][]byte{}
	for _, c := range list {
		if strings.HasPrefix(c.Path, "policies/") {
			gone[c.Path], back[c.Path] = nil, w.file(c.Path)
		}
	}
	return gone, back
}

// Plans that were made where policies were others for a moment.
var momentAttacks = []attack{
	{"1 a plan is made at a commit of its own pull request, which had no policies", opened, func(w *site) {
		gone, files := w.lawless()
		made, err := w.repo.Write(repo.Next{Base: w.tip(), Changes: gone, Message: "lawless", Author: mallory, At: w.at})
		if err == nil {
			err = w.repo.CompareAndSwap("refs/heads/lawless", "", made)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.write(".git/HEAD", "ref: refs/heads/lawless\n", 0o644)
		w.want(0, "plan")
		w.write(".git/HEAD", "ref: refs/heads/main\n", 0o644)
		planned := w.branch()
		changes, err := w.repo.Diff(made, planned)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range changes {
			if files[c.Path], err = w.repo.ReadFile(planned, c.Path); err != nil {
				w.t.Fatal(err)
			}
		}
		h, err := w.repo.Write(repo.Next{Base: made, Changes: files, Message: "as if nothing had been", Author: mallory, At: w.at})
		if err == nil {
			err = w.repo.CompareAndSwap("refs/heads/ringmaster/"+trusted, planned, h)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.force(trusted)
		w.refuses("made at commit ")
		w.says(1, []string{"plans/standard-main-1/plan.json:1: made at commit ", "which is not on the protected branch"}, "audit", "verify")
	}},
	{"1 a plan is made while policies that nobody reviewed stood, which owners took back", settled, func(w *site) {
		gone, back := w.lawless()
		h := w.push("lawless", gone)
		w.want(0, "plan", "--open")
		w.force(trusted)
		w.reviewed("mended", back)
		why := "when the protected branch held what nobody reviewed: commit " + string(h)[:10]
		w.says(3, []string{"plan " + trusted + " is not carried out: made at commit ", why}, "execute")
		w.says(1, []string{"plans/standard-main-1/plan.json:1: made at commit ", why}, "audit", "verify")
	}},
}
