package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringmaster-dev/ringmaster/engine"
	"github.com/ringmaster-dev/ringmaster/engine/forge/local"
)

// remark is one comment below a pull request of the local forge.
type remark struct {
	By   string    `json:"by,omitempty"`  // the person, as claimed; "" where ringmaster keeps it
	At   time.Time `json:"at,omitzero"`   // when the person said it
	Key  string    `json:"key,omitempty"` // what ringmaster keeps it as, such as "outcome"
	Body string    `json:"body"`
}

// threadOf is what stands below a pull request: what people said, oldest first, then
// what ringmaster keeps there, by key. It is nil on forges that have pages for it.
func threadOf(ctx context.Context, e *engine.Env, branch string) ([]remark, error) {
	f, ok := e.Forge.(*local.Forge)
	if !ok {
		return nil, nil
	}
	people, err := f.Comments(ctx, branch)
	if err != nil {
		return nil, err
	}
	said, err := f.Said(branch)
	if err != nil {
		return nil, err
	}
	var thread []remark
	for _, c := range people {
		thread = append(thread, remark{By: c.By, At: c.At, Body: c.Body})
	}
	for _, key := range slices.Sorted(maps.Keys(said)) {
		thread = append(thread, remark{Key: key, Body: said[key]})
	}
	return thread, nil
}

// print writes a comment below a line that tells whose it is: the lines of what
// people say are quoted, so that none of them passes for such a line.
func (r remark) print(w io.Writer) {
	who := fmt.Sprintf("ringmaster (%s)", line(r.Key))
	if r.By != "" {
		who = fmt.Sprintf("%s, %s", line(r.By), r.At.UTC().Format(time.RFC3339))
	}
	body := strings.ReplaceAll(plain(strings.TrimSpace(r.Body)), "\n", "\n> ")
	fmt.Fprintf(w, "\ncomment of %s:\n\n> %s\n", who, body)
}
