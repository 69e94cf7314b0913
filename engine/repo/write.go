package repo

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Write makes the commit's objects durable and moves no reference: until one
// does, nobody sees it. Only the changed files and the folders above them are
// made; all of it goes to disk at once. A change that leaves the tree as it was
// still makes a commit.
func (r *Repo) Write(n Next) (Hash, error) {
	base, parents, err := r.lineage(n)
	if err != nil {
		return "", err
	}
	edits, err := editTree(n.Changes, n.Executable)
	if err != nil {
		return "", err
	}
	b := r.store.batch()
	root, err := b.apply(base, edits)
	if err != nil {
		return "", err
	}
	return b.seal(root, parents, n)
}

// lineage resolves the base's tree and checks that all parents are commits.
func (r *Repo) lineage(n Next) (base plumbing.Hash, parents []Hash, err error) {
	if n.Base != "" {
		c, err := r.Commit(n.Base)
		if err != nil {
			return base, nil, fmt.Errorf("reading the base commit: %w", err)
		}
		base = plumbing.NewHash(string(c.Tree))
		parents = append(parents, c.Hash)
	}
	for _, p := range n.Parents {
		c, err := r.Commit(p)
		if err != nil {
			return base, nil, fmt.Errorf("reading a parent commit: %w", err)
		}
		parents = append(parents, c.Hash)
	}
	return base, parents, nil
}

// seal adds the commit object and flushes the batch.
func (b *batch) seal(root plumbing.Hash, parents []Hash, n Next) (Hash, error) {
	if n.At.Unix() < 0 {
		return "", fmt.Errorf("a commit cannot be dated %s, before 1970", n.At.UTC().Format("2006-01-02"))
	}
	if root.IsZero() {
		root = b.add(plumbing.TreeObject, nil)
	}
	h := b.add(plumbing.CommitObject, encodeCommit(root, parents, n))
	if err := b.flush(); err != nil {
		return "", err
	}
	return name(h), nil
}

func encodeCommit(root plumbing.Hash, parents []Hash, n Next) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", root)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	who := fmt.Sprintf("%s <%s> %d +0000", identity(n.Author.Name), identity(n.Author.Email), n.At.Unix())
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s", who, who, n.Message)
	if !strings.HasSuffix(n.Message, "\n") {
		b.WriteByte('\n')
	}
	return []byte(strings.ToValidUTF8(strings.ReplaceAll(b.String(), "\x00", ""), "\uFFFD"))
}

// identity drops what would end a name or an address early.
func identity(s string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if c < ' ' || c == '<' || c == '>' {
			return -1
		}
		return c
	}, s))
}

// edit is what becomes of one name in a folder: a folder of edits, a file's
// new content, or nothing at all.
type edit struct {
	kids map[string]*edit
	data []byte // nil deletes
	exec bool
}

// editTree turns paths into nested edits, refusing paths that Git or a careful
// reader would not accept.
func editTree(changes map[string][]byte, exec map[string]bool) (*edit, error) {
	root := &edit{kids: map[string]*edit{}}
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		if err := checkPath(path); err != nil {
			return nil, err
		}
		at := root
		parts := strings.Split(path, "/")
		for _, part := range parts[:len(parts)-1] {
			next := at.kids[part]
			if next == nil || next.kids == nil {
				if next != nil && next.data != nil {
					return nil, fmt.Errorf("%q is under %q, which is a file", path, part)
				}
				next = &edit{kids: map[string]*edit{}}
				at.kids[part] = next
			}
			at = next
		}
		last := parts[len(parts)-1]
		if at.kids[last] != nil {
			return nil, fmt.Errorf("%q is a file and a folder at once", path)
		}
		at.kids[last] = &edit{data: changes[path], exec: exec[path]}
	}
	return root, nil
}

// checkPath refuses what must not be in a tree: names that climb out of it and
// names that some file system takes for .git.
func checkPath(path string) error {
	if !fs.ValidPath(path) || path == "." || strings.ContainsAny(path, "\x00\\") {
		return fmt.Errorf("%q is not a slash-separated path inside the repository", path)
	}
	for part := range strings.SplitSeq(strings.ToLower(path), "/") {
		plain := strings.TrimRight(strings.Map(dropInvisible, part), ". ")
		if plain == ".git" || plain == "git~1" || strings.HasPrefix(plain, ".git:") || plain == "" {
			return fmt.Errorf("%q would reach Git's own files", path)
		}
	}
	return nil
}

// dropInvisible removes the code points that HFS+ ignores in names.
func dropInvisible(c rune) rune {
	switch {
	case c >= 0x200c && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x206a && c <= 0x206f, c == 0xfeff:
		return -1
	}
	return c
}

// apply makes the tree that base becomes under the edits. The zero hash is the
// empty tree; a folder that becomes empty disappears.
func (b *batch) apply(base plumbing.Hash, edits *edit) (plumbing.Hash, error) {
	old, err := b.s.tree(base)
	if err != nil {
		return base, err
	}
	out := make([]entry, 0, len(old)+len(edits.kids))
	for _, e := range old {
		if edits.kids[e.name] == nil {
			out = append(out, e)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(edits.kids)) {
		was, _ := lookup(old, file)
		e, keep, err := b.edited(was, file, edits.kids[file])
		if err != nil {
			return base, err
		}
		if keep {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return plumbing.ZeroHash, nil
	}
	return b.add(plumbing.TreeObject, encodeTree(out)), nil
}

func (b *batch) edited(was entry, file string, ed *edit) (entry, bool, error) {
	if ed.kids != nil {
		under := plumbing.ZeroHash
		if was.isTree() {
			under = was.hash
		}
		h, err := b.apply(under, ed)
		if h.IsZero() && was.name != "" && !was.isTree() {
			return was, true, err // only deletions under what is a file: nothing to delete
		}
		return entry{file, filemode.Dir, h}, !h.IsZero(), err
	}
	if ed.data == nil {
		return entry{}, false, nil
	}
	mode := filemode.Regular
	if ed.exec || was.mode == filemode.Executable {
		mode = filemode.Executable
	}
	return entry{file, mode, b.add(plumbing.BlobObject, ed.data)}, true, nil
}
