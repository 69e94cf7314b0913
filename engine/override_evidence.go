package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// saysSame says whether two overrides were said at one place and say the same. That
// of an evidence alone is not enough: whoever may push tightening lines could push
// one that says less.
func saysSame(a, b outcome.Override) bool { return a.Said() == b.Said() }

// evidences are all overrides with an evidence that the protected branch ever
// held, as it held them first. One that is to begin later is none: whoever may push
// lines that tighten could have what somebody says wait for ever.
func (e *Env) evidences(base repo.Hash) ([]recorded, error) {
	there, err := e.overridesAt(base)
	if err != nil {
		return nil, err
	}
	place := map[outcome.Override]int{}
	var all []recorded
	for c, err := range e.Repo.PathHistory(base, "overrides") {
		if err != nil {
			return nil, fmt.Errorf("looking for what was recorded before: %w", err)
		}
		added, err := e.overridesOf(c)
		if err != nil {
			return nil, err
		}
		for _, o := range added {
			if o.At.After(e.At) {
				continue
			}
			i, known := place[o.Said()]
			if !known {
				i = len(all)
				place[o.Said()] = i
				all = append(all, recorded{gone: !there[o.Said()]})
			}
			all[i].override, all[i].commit = o, c.Hash // youngest first: the last one is where it came
		}
	}
	return all, nil
}

// overridesAt are the overrides with an evidence that stand at a commit.
func (e *Env) overridesAt(commit repo.Hash) (map[outcome.Override]bool, error) {
	fsys, err := e.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, "overrides/*.jsonl")
	if err != nil {
		return nil, err
	}
	there := map[outcome.Override]bool{}
	for _, name := range names {
		data, err := fsys.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, o := range evident(data, nil) {
			there[o.Said()] = true
		}
	}
	return there, nil
}

// overridesOf are the overrides with an evidence that a commit added.
func (e *Env) overridesOf(c repo.Commit) ([]outcome.Override, error) {
	var before repo.Hash
	if len(c.Parents) > 0 {
		before = c.Parents[0]
	}
	changes, err := e.Repo.Diff(before, c.Hash)
	if err != nil {
		return nil, err
	}
	var list []outcome.Override
	for _, ch := range changes {
		if !strings.HasPrefix(ch.Path, "overrides/") || ch.After == "" {
			continue
		}
		now, err := e.Repo.ReadFile(c.Hash, ch.Path)
		if err != nil {
			return nil, err
		}
		var was []byte
		if ch.Before != "" {
			if was, err = e.Repo.ReadFile(before, ch.Path); err != nil {
				return nil, err
			}
		}
		list = append(list, evident(now, was)...)
	}
	return list, nil
}

// evident are the overrides with an evidence among lines that were not there
// before. A line that cannot be read is none: whoever reads the estate tells it.
func evident(now, was []byte) []outcome.Override {
	known := map[string]bool{}
	for line := range bytes.Lines(was) {
		known[string(line)] = true
	}
	var list []outcome.Override
	for line := range bytes.Lines(now) {
		var o outcome.Override
		if !known[string(line)] && bytes.Contains(line, []byte(`"evidence"`)) && json.Unmarshal(line, &o) == nil && o.Evidence != "" {
			list = append(list, o)
		}
	}
	return list
}
