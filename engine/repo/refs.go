package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// checkRef holds a reference's name to the rules of git-check-ref-format(1), so
// that no name climbs out of the folder of references.
func checkRef(ref string) error {
	bad := func(why string) error { return fmt.Errorf("reference %q: %s", ref, why) }
	if !strings.HasPrefix(ref, "refs/") || !strings.Contains(ref[len("refs/"):], "/") {
		return bad(`expected a name under refs/, as "refs/heads/main"`)
	}
	if strings.ContainsAny(ref, " ~^:?*[\\\x7f") || strings.ContainsFunc(ref, func(c rune) bool { return c < ' ' }) {
		return bad("it has a character that Git does not allow")
	}
	if strings.Contains(ref, "..") || strings.Contains(ref, "@{") || strings.HasSuffix(ref, ".") {
		return bad(`it has "..", "@{" or ends in "."`)
	}
	for part := range strings.SplitSeq(ref, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return bad(`a part of it is empty, begins with "." or ends in ".lock"`)
		}
	}
	return nil
}

// refPath is where a reference is stored when it has a file of its own.
func (r *Repo) refPath(ref string) string {
	if ref == "HEAD" || strings.HasPrefix(ref, "refs/worktree/") || strings.HasPrefix(ref, "refs/bisect/") {
		return filepath.Join(r.git, filepath.FromSlash(ref))
	}
	return filepath.Join(r.common, filepath.FromSlash(ref))
}

// Head returns what is checked out.
func (r *Repo) Head() (Head, error) {
	data, err := os.ReadFile(r.refPath("HEAD"))
	if err != nil {
		return Head{}, fmt.Errorf("reading HEAD: %w", err)
	}
	text := strings.TrimSpace(string(data))
	target, symbolic := strings.CutPrefix(text, "ref: ")
	if !symbolic {
		if !isHash(text) {
			return Head{}, fmt.Errorf("reading HEAD: %q is neither a reference nor a hash", text)
		}
		return Head{Commit: Hash(text)}, nil
	}
	if err := checkRef(target); err != nil {
		return Head{}, fmt.Errorf("reading HEAD: %w", err)
	}
	at, err := r.Ref(target)
	return Head{Commit: at, Branch: strings.TrimPrefix(target, "refs/heads/")}, err
}

// Ref returns what a reference names, "" when it is not there. References are
// read from disk each time: another process may have moved them.
func (r *Repo) Ref(ref string) (Hash, error) {
	for range 5 { // symbolic references may chain; git allows five
		if ref != "HEAD" {
			if err := checkRef(ref); err != nil {
				return "", err
			}
		}
		text, err := r.refText(ref)
		if err != nil || text == "" {
			return "", err
		}
		target, symbolic := strings.CutPrefix(text, "ref: ")
		if !symbolic {
			return Hash(text), nil
		}
		ref = strings.TrimSpace(target)
	}
	return "", fmt.Errorf("reference %q: it names references in a circle", ref)
}

// refText is a reference's own file, else its line in packed-refs, else "".
// The file is looked for again at the end: packing moves it between the looks.
func (r *Repo) refText(ref string) (string, error) {
	text, err := r.looseRef(ref)
	if err != nil || text != "" {
		return text, err
	}
	packed, err := r.packedRefs()
	if err != nil {
		return "", err
	}
	for _, p := range packed {
		if p.Name == ref {
			return string(p.Hash), nil
		}
	}
	return r.looseRef(ref)
}

func (r *Repo) looseRef(ref string) (string, error) {
	data, err := os.ReadFile(r.refPath(ref))
	if err != nil {
		if info, e := os.Stat(r.refPath(ref)); errors.Is(err, fs.ErrNotExist) || isNotDir(err) || e == nil && info.IsDir() {
			return "", nil
		}
		return "", fmt.Errorf("reading reference %q: %w", ref, err)
	}
	text := strings.TrimSpace(string(data))
	if !isHash(text) && !strings.HasPrefix(text, "ref: ") {
		return "", fmt.Errorf("reading reference %q: its file holds %q, which is no hash", ref, text)
	}
	return text, nil
}

// packedRefs reads the packed references, in the file's order.
func (r *Repo) packedRefs() ([]Ref, error) {
	data, err := os.ReadFile(filepath.Join(r.common, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading packed-refs: %w", err)
	}
	var out []Ref
	for line := range strings.SplitSeq(string(data), "\n") {
		if line == "" || line[0] == '#' || line[0] == '^' {
			continue
		}
		hash, ref, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !isHash(hash) {
			return nil, fmt.Errorf("reading packed-refs: malformed line %q", line)
		}
		out = append(out, Ref{ref, Hash(hash)})
	}
	return out, nil
}

// Refs returns the references whose names begin with prefix, as
// "refs/heads/ringmaster/", sorted by name. Symbolic ones are resolved.
func (r *Repo) Refs(prefix string) ([]Ref, error) {
	packed, err := r.packedRefs()
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, p := range packed {
		found[p.Name] = true
	}
	root := filepath.Join(r.common, "refs")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted while we walked
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(r.common, path)
		if ref := filepath.ToSlash(rel); err == nil && checkRef(ref) == nil {
			found[ref] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing references: %w", err)
	}
	var out []Ref
	for ref := range found {
		if !strings.HasPrefix(ref, prefix) || checkRef(ref) != nil {
			continue
		}
		h, err := r.Ref(ref)
		if err != nil {
			return nil, err
		}
		if h != "" {
			out = append(out, Ref{ref, h})
		}
	}
	slices.SortFunc(out, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// CompareAndSwap moves a reference from old to new. old "" says that it must
// not exist, new "" deletes it. It returns ErrMoved when the reference is not
// at old: of two that try at once, in whatever processes, one wins. Files in
// the working tree stay as they are; Move brings them along.
func (r *Repo) CompareAndSwap(ref string, old, new Hash) error {
	if err := r.checkSwap(ref, old, new); err != nil {
		return err
	}
	g, err := r.guard()
	if err != nil {
		return err
	}
	defer g.release()
	return g.swap(ref, old, new)
}

func (r *Repo) checkSwap(ref string, old, new Hash) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	for _, h := range []Hash{old, new} {
		if h == "" {
			continue
		}
		if _, err := h.parse(); err != nil {
			return fmt.Errorf("moving %q: %w", ref, err)
		}
	}
	if new != "" {
		if _, err := r.Commit(new); err != nil {
			return fmt.Errorf("moving %q: %w", ref, err)
		}
	}
	return nil
}

// swap does it while the guard is held: the lock file keeps the git program
// out, the comparison happens under it, a rename makes the new value visible.
func (g *guard) swap(ref string, old, new Hash) error {
	r := g.r
	if old == "" {
		if err := r.checkRoom(ref); err != nil {
			return err
		}
	}
	path := r.refPath(ref)
	c, err := g.claim(path)
	if err != nil {
		return fmt.Errorf("locking %q: %w", ref, err)
	}
	defer c.drop()
	is, err := r.refText(ref)
	if err != nil {
		return err
	}
	if is != string(old) {
		return movedError(ref, old, Hash(is))
	}
	if new == "" {
		return g.deleteRef(ref, path)
	}
	if err := c.write([]byte(string(new) + "\n")); err != nil {
		return fmt.Errorf("moving %q: %w", ref, err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		removeEmptyDirs(path) // left by references that were deleted
	}
	if err := c.rename(); err != nil {
		return fmt.Errorf("moving %q: %w", ref, err)
	}
	return syncDir(filepath.Dir(path))
}

func movedError(ref string, old, is Hash) error {
	say := func(h Hash) string {
		if h == "" {
			return "nothing"
		}
		return string(h)
	}
	return fmt.Errorf("%w: %q is at %s, expected %s", ErrMoved, ref, say(is), say(old))
}

// checkRoom refuses a name that is a folder of other references, or is under
// another reference.
func (r *Repo) checkRoom(ref string) error {
	under, err := r.Refs(ref + "/")
	if err != nil {
		return err
	}
	if len(under) > 0 {
		return fmt.Errorf("reference %q cannot be made: %q is there", ref, under[0].Name)
	}
	for i := len("refs/x"); i < len(ref); i++ {
		if ref[i] != '/' || checkRef(ref[:i]) != nil {
			continue
		}
		if text, err := r.refText(ref[:i]); err != nil || text != "" {
			return errors.Join(err, fmt.Errorf("reference %q cannot be made: %q is there", ref, ref[:i]))
		}
	}
	return nil
}

// deleteRef takes the reference out of packed-refs first: were it the other
// way round, a kill in between would bring an old value back.
func (g *guard) deleteRef(ref, path string) error {
	packed := filepath.Join(g.r.common, "packed-refs")
	data, err := os.ReadFile(packed)
	if err == nil && strings.Contains(string(data), " "+ref+"\n") {
		c, err := g.claim(packed)
		if err != nil {
			return fmt.Errorf("locking packed-refs: %w", err)
		}
		defer c.drop()
		if data, err = os.ReadFile(packed); err == nil {
			err = c.write(withoutRef(data, ref))
		}
		if err == nil {
			err = c.rename()
		}
		if err != nil {
			return fmt.Errorf("rewriting packed-refs: %w", err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting %q: %w", ref, err)
	}
	return nil
}

// withoutRef drops a reference's line and the peeled line that may follow it.
func withoutRef(data []byte, ref string) []byte {
	var b strings.Builder
	dropping := false
	for line := range strings.Lines(string(data)) {
		dropping = strings.HasSuffix(strings.TrimRight(line, "\r\n"), " "+ref) && line[0] != '#' || dropping && line[0] == '^'
		if !dropping {
			b.WriteString(line)
		}
	}
	return []byte(b.String())
}

// removeEmptyDirs removes dir and folders in it as far as they are empty.
func removeEmptyDirs(dir string) {
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if e.IsDir() {
			removeEmptyDirs(filepath.Join(dir, e.Name()))
		}
	}
	os.Remove(dir)
}
