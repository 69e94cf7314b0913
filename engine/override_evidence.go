package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine/outcome"
	"github.com/ringmaster-dev/ringmaster/engine/repo"
)

// saysSame says whether two overrides were said at one place and say the same. That
// of an evidence alone is not enough: whoever may push tightening lines could push
// one that says less.
func saysSame(a, b outcome.Override) bool { return said(a) == said(b) }

// said is an override without what depends on the run that records it.
func said(o outcome.Override) outcome.Override {
	o.At, o.Until, o.Predicted = time.Time{}, o.Until.UTC(), nil
	return o
}

// evidences are all overrides with an evidence that the protected branch ever
// held, as it held them first.
func (e *Env) evidences(base repo.Hash) ([]recorded, error) {
	place := map[outcome.Override]int{}
	var all []recorded
	first := true
	for c, err := range e.Repo.PathHistory(base, "overrides") {
		if err != nil {
			return nil, fmt.Errorf("looking for what was recorded before: %w", err)
		}
		lines, err := e.overridesAt(c.Hash)
		if err != nil {
			return nil, err
		}
		for _, o := range lines {
			i, known := place[said(o)]
			if !known {
				i = len(all)
				place[said(o)] = i
				all = append(all, recorded{override: o, gone: !first})
			}
			all[i].commit = c.Hash // youngest first: the last one is where it came
		}
		first = false
	}
	return all, nil
}

// overridesAt are the overrides with an evidence that stand at a commit. A line
// that cannot be read is none: whoever reads the estate tells it.
func (e *Env) overridesAt(commit repo.Hash) ([]outcome.Override, error) {
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
			if json.Unmarshal(line, &o) == nil && o.Evidence != "" {
				list = append(list, o)
			}
		}
	}
	return list, nil
}
