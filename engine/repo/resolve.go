package repo

import (
	"fmt"
	"strconv"
	"strings"
)

// Resolve turns a revision into the commit it names: HEAD, a branch, a tag, a
// full reference or a hash (short ones from 4 digits), each followed by any
// number of ~n (the n-th first parent) and ^n (the n-th parent). It returns
// ErrNotFound where there is no such thing.
func (r *Repo) Resolve(rev string) (Hash, error) {
	at := strings.IndexAny(rev, "~^")
	base, steps := rev, ""
	if at >= 0 {
		base, steps = rev[:at], rev[at:]
	}
	h, err := r.resolveName(base)
	if err != nil {
		return "", fmt.Errorf("revision %q: %w", rev, err)
	}
	c, err := r.Commit(h)
	if err != nil {
		return "", fmt.Errorf("revision %q: %w", rev, err)
	}
	for steps != "" {
		kind := steps[0]
		digits := steps[1:]
		if end := strings.IndexAny(digits, "~^"); end >= 0 {
			digits = digits[:end]
		}
		steps = steps[1+len(digits):]
		n := 1
		if digits != "" {
			if n, err = strconv.Atoi(digits); err != nil || n < 0 {
				return "", fmt.Errorf("revision %q: %q is not a number of commits", rev, digits)
			}
		}
		if c, err = r.step(c, kind, n); err != nil {
			return "", fmt.Errorf("revision %q: %w", rev, err)
		}
	}
	return c.Hash, nil
}

// step goes from a commit to its n-th parent (^) or n first parents up (~).
func (r *Repo) step(c Commit, kind byte, n int) (Commit, error) {
	if kind == '^' {
		if n == 0 {
			return c, nil
		}
		return r.parent(c, n)
	}
	for range n {
		up, err := r.parent(c, 1)
		if err != nil {
			return c, err
		}
		c = up
	}
	return c, nil
}

func (r *Repo) parent(c Commit, n int) (Commit, error) {
	if r.isCut(c.Hash) {
		return c, fmt.Errorf("beyond %s: %w", c.Hash, ErrShallow)
	}
	if n > len(c.Parents) {
		return c, fmt.Errorf("%s has %d parents: %w", c.Hash, len(c.Parents), ErrNotFound)
	}
	return r.Commit(c.Parents[n-1])
}

// resolveName follows the order of gitrevisions(7).
func (r *Repo) resolveName(rev string) (Hash, error) {
	if rev == "" || rev == "@" {
		rev = "HEAD"
	}
	if isHash(rev) {
		return Hash(rev), nil
	}
	for _, form := range []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"} {
		ref := fmt.Sprintf(form, rev)
		if ref != "HEAD" && checkRef(ref) != nil {
			continue
		}
		if h, err := r.Ref(ref); err != nil || h != "" {
			return h, err
		}
	}
	if len(rev) < 4 || strings.Trim(rev, "0123456789abcdef") != "" {
		return "", ErrNotFound
	}
	var found []Hash
	for _, h := range r.store.withPrefix(rev) {
		if _, err := r.store.commit(h); err == nil {
			found = append(found, name(h))
		}
	}
	switch len(found) {
	case 0:
		return "", ErrNotFound
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%d commits begin so; give more digits", len(found))
}
