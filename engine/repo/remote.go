package repo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// far is another repository as Fetch and Push need it: over the wire or on
// this machine.
type far interface {
	// refs returns what the references name now.
	refs(ctx context.Context) (map[string]Hash, error)
	// bring stores the objects of the commits here.
	bring(ctx context.Context, want []Hash) error
	// send moves one reference there, with the objects it needs. It returns
	// errRefused where the other side has answered with a no.
	send(ctx context.Context, ref string, old, new Hash, known map[string]Hash) error
	close()
}

// errRefused is an answer, in contrast to an answer that was lost.
var errRefused = errors.New("refused by the remote")

func (r *Repo) far(m Remote) (far, error) {
	u, err := url.Parse(m.URL)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return newWire(r, m, u)
	}
	if err == nil && len(u.Scheme) > 1 && u.Scheme != "file" {
		return nil, fmt.Errorf("remote %s: expected http, https or a path, got %q", u.Redacted(), u.Scheme)
	}
	return newNear(r, strings.TrimPrefix(m.URL, "file://"))
}

// String is the remote's address without its secrets.
func (m Remote) String() string {
	if u, err := url.Parse(m.URL); err == nil {
		return u.Redacted()
	}
	return m.URL
}

// RemoteRefs returns the references of a remote, sorted by name.
func (r *Repo) RemoteRefs(ctx context.Context, m Remote) ([]Ref, error) {
	f, err := r.far(m)
	if err != nil {
		return nil, err
	}
	defer f.close()
	known, err := m.askRefs(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its references: %w", m, err)
	}
	out := make([]Ref, 0, len(known))
	for ref, h := range known {
		out = append(out, Ref{ref, h})
	}
	slices.SortFunc(out, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Fetch brings the commits of branches, all of them when none is named, and
// sets refs/remotes/<name>/<branch>. A name that begins with "refs/" is taken
// whole. It returns the remote's references, sorted by name, and moves no local
// branch. A branch that is not there is ErrNotFound.
func (r *Repo) Fetch(ctx context.Context, from Remote, branches ...string) ([]Ref, error) {
	f, err := r.far(from)
	if err != nil {
		return nil, err
	}
	defer f.close()
	known, err := from.askRefs(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("fetching from %s: %w", from, err)
	}
	picked, err := pick(known, branches)
	if err != nil {
		return nil, fmt.Errorf("fetching from %s: %w", from, err)
	}
	var want []Hash
	for _, p := range picked {
		if !r.store.has(plumbing.NewHash(string(p.Hash))) && !slices.Contains(want, p.Hash) {
			want = append(want, p.Hash)
		}
	}
	if len(want) > 0 {
		if err := from.again(ctx, func() error { return f.bring(ctx, want) }); err != nil {
			return nil, fmt.Errorf("fetching from %s: %w", from, err)
		}
	}
	for _, p := range picked {
		if err := r.track(from, p); err != nil {
			return nil, err
		}
	}
	return picked, nil
}

func pick(known map[string]Hash, branches []string) ([]Ref, error) {
	var out []Ref
	for _, b := range branches {
		ref := b
		if !strings.HasPrefix(b, "refs/") {
			ref = "refs/heads/" + b
		}
		h, ok := known[ref]
		if !ok {
			return nil, fmt.Errorf("%q: %w", b, ErrNotFound)
		}
		out = append(out, Ref{ref, h})
	}
	if len(branches) == 0 {
		for ref, h := range known {
			if strings.HasPrefix(ref, "refs/heads/") && checkRef(ref) == nil {
				out = append(out, Ref{ref, h})
			}
		}
	}
	slices.SortFunc(out, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// track follows a remote's reference, wherever it went.
func (r *Repo) track(m Remote, p Ref) error {
	remote := m.Name
	if remote == "" {
		remote = "origin"
	}
	own := "refs/remotes/" + remote + "/" + strings.TrimPrefix(strings.TrimPrefix(p.Name, "refs/heads/"), "refs/")
	for {
		was, err := r.Ref(own)
		if err != nil || was == p.Hash {
			return err
		}
		if err := r.CompareAndSwap(own, was, p.Hash); !errors.Is(err, ErrMoved) {
			return err
		}
	}
}

// pushTries bounds how often a push without an answer is tried.
const pushTries = 3

// Push moves ref on the remote from old to new, sending what it lacks; old ""
// creates and new "" deletes. It returns ErrMoved when the reference is not at
// old: of two that push at once, one wins. A push whose answer was lost is
// looked up before it is repeated. Two writers must not build equal commits,
// or a lost answer could belong to either: have them differ in a run's name.
func (r *Repo) Push(ctx context.Context, to Remote, ref string, old, new Hash) error {
	if err := r.checkSwap(ref, old, new); err != nil {
		return err
	}
	f, err := r.far(to)
	if err != nil {
		return err
	}
	defer f.close()
	if err := r.push(ctx, f, to, ref, old, new); err != nil {
		return fmt.Errorf("pushing %q to %s: %w", ref, to, err)
	}
	return nil
}

func (r *Repo) push(ctx context.Context, f far, to Remote, ref string, old, new Hash) error {
	var lost error
	for range pushTries {
		known, err := to.askRefs(ctx, f)
		if err != nil {
			return errors.Join(lost, err)
		}
		is := known[ref]
		if is != old {
			if lost != nil && r.arrived(ctx, to, ref, is, new) {
				return nil
			}
			return movedError(ref, old, is)
		}
		err = f.send(ctx, ref, old, new, known)
		if err == nil || errors.Is(err, errRefused) || errors.Is(err, ErrMoved) || ctx.Err() != nil {
			return err
		}
		lost = err
	}
	if known, err := to.askRefs(ctx, f); err == nil && known[ref] != old && r.arrived(ctx, to, ref, known[ref], new) {
		return nil
	}
	return lost
}

// arrived says whether a push that got no answer has taken effect: the
// reference is where it was to go, or somebody has already built on that.
func (r *Repo) arrived(ctx context.Context, to Remote, ref string, is, new Hash) bool {
	if is == new {
		return true
	}
	if is == "" || new == "" {
		return false
	}
	if _, err := r.Fetch(ctx, to, ref); err != nil {
		return false
	}
	in, err := r.IsAncestor(new, is)
	return err == nil && in
}

// objectsFor returns the objects that the commits of new's history need and
// histories of have do not hold, as far as trees at the same path show it.
func (r *Repo) objectsFor(new Hash, have []Hash) ([]packed, error) {
	commits, err := r.missing(new, have)
	if err != nil {
		return nil, err
	}
	held, err := r.rootsBelow(commits)
	if err != nil {
		return nil, err
	}
	c := &collector{s: r.store, seen: map[plumbing.Hash]bool{}}
	for _, at := range commits {
		if err := c.object(plumbing.NewHash(string(at.Hash))); err != nil {
			return nil, err
		}
		if err := c.tree(plumbing.NewHash(string(at.Tree)), held); err != nil {
			return nil, err
		}
	}
	return c.objs, nil
}

// rootsBelow are the trees of the commits that these stand on. What they hold is
// there already, which a parent among these commits does not say of its own tree.
func (r *Repo) rootsBelow(commits []Commit) ([]plumbing.Hash, error) {
	lacks := map[Hash]bool{}
	for _, c := range commits {
		lacks[c.Hash] = true
	}
	var roots []plumbing.Hash
	for _, c := range commits {
		for _, p := range c.Parents {
			if lacks[p] || r.isCut(c.Hash) {
				continue
			}
			root, err := r.rootOf(p)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(roots, root) {
				roots = append(roots, root)
			}
		}
	}
	return roots, nil
}

type collector struct {
	s    *store
	seen map[plumbing.Hash]bool
	objs []packed
}

func (c *collector) object(h plumbing.Hash) error {
	if c.seen[h] {
		return nil
	}
	c.seen[h] = true
	kind, data, err := c.s.get(h)
	if err != nil {
		return err
	}
	c.objs = append(c.objs, packed{hash: h, kind: kind, data: data})
	return nil
}

// tree collects a tree and what is under it, but for what the trees before it
// hold under the same names.
func (c *collector) tree(h plumbing.Hash, before []plumbing.Hash) error {
	if c.seen[h] || slices.Contains(before, h) {
		return nil
	}
	if err := c.object(h); err != nil {
		return err
	}
	entries, err := c.s.tree(h)
	if err != nil {
		return err
	}
	had := map[string][]plumbing.Hash{}
	for _, b := range before {
		list, err := c.s.tree(b)
		if err != nil {
			return err
		}
		for _, e := range list {
			had[e.sortKey()] = append(had[e.sortKey()], e.hash)
		}
	}
	for _, e := range entries {
		switch {
		case e.isTree():
			err = c.tree(e.hash, had[e.sortKey()])
		case e.mode.IsFile() && !slices.Contains(had[e.sortKey()], e.hash):
			err = c.object(e.hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
