package repo

import "context"

// Fetch brings the branches' commits and sets refs/remotes/<name>/<branch>; no branches means all.
func (r *Repo) Fetch(ctx context.Context, from Remote, branches ...string) ([]Ref, error) {
	panic("soon")
}

// Push moves ref on the remote from old to new; ErrMoved when it is elsewhere. A lost answer is looked up.
func (r *Repo) Push(ctx context.Context, to Remote, ref string, old, new Hash) error { panic("soon") }
