package repo

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// entry is one line of a tree object.
type entry struct {
	name string
	mode filemode.FileMode
	hash plumbing.Hash
}

func (e entry) isTree() bool { return e.mode == filemode.Dir }

// folder is the entry's tree, the zero hash where it is none.
func (e entry) folder() plumbing.Hash {
	if e.isTree() {
		return e.hash
	}
	return plumbing.ZeroHash
}

// sortKey orders entries as Git does: a folder as if its name ended in "/".
func (e entry) sortKey() string {
	if e.isTree() {
		return e.name + "/"
	}
	return e.name
}

func fromHex(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}

// parse turns a Hash of the API into go-git's, refusing what is not one.
func (h Hash) parse() (plumbing.Hash, error) {
	if !isHash(string(h)) {
		return plumbing.ZeroHash, fmt.Errorf("%q is not a commit's hash (40 lower-case hex digits)", string(h))
	}
	return plumbing.NewHash(string(h)), nil
}

func isHash(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}

// name is the other way, with "" for no object.
func name(h plumbing.Hash) Hash {
	if h.IsZero() {
		return ""
	}
	return Hash(h.String())
}

// tree returns a tree's entries in their order in Git; the zero hash is the
// empty tree. The result is shared and not to be changed.
func (s *store) tree(h plumbing.Hash) ([]entry, error) {
	if h.IsZero() {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.trees[h]; ok {
		return t, nil
	}
	kind, data, err := s.getLocked(h)
	if err != nil {
		return nil, err
	}
	if kind != plumbing.TreeObject {
		return nil, fmt.Errorf("object %s is a %s, not a tree", h, kind)
	}
	t, err := parseTree(data)
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", h, err)
	}
	if s.lines += len(t); s.lines > cacheLines {
		clear(s.trees)
		s.lines = len(t)
	}
	s.trees[h] = t
	return t, nil
}

func parseTree(data []byte) ([]entry, error) {
	var out []entry
	for len(data) > 0 {
		mode, rest, ok := bytes.Cut(data, []byte{' '})
		if !ok {
			return nil, fmt.Errorf("malformed entry %d", len(out)+1)
		}
		file, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok || len(rest) < 20 {
			return nil, fmt.Errorf("malformed entry %d", len(out)+1)
		}
		m, err := strconv.ParseUint(string(mode), 8, 32)
		if err != nil {
			return nil, fmt.Errorf("malformed mode of %q", file)
		}
		if !isEntryName(string(file)) {
			return nil, fmt.Errorf("it has an entry named %q, which would lead out of its folder", file)
		}
		e := entry{name: string(file), mode: filemode.FileMode(m)}
		copy(e.hash[:], rest[:20])
		out = append(out, e)
		data = rest[20:]
	}
	return out, nil
}

// isEntryName holds a name to what Git itself takes for a file or folder. A tree
// that was made by hand can have others, and whoever walks it and writes what it
// finds would write elsewhere, or into .git.
func isEntryName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.Contains(name, "/") && !strings.EqualFold(name, ".git")
}

func encodeTree(entries []entry) []byte {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	var b bytes.Buffer
	for _, e := range entries {
		fmt.Fprintf(&b, "%o %s\x00", uint32(e.mode), e.name)
		b.Write(e.hash[:])
	}
	return b.Bytes()
}

func lookup(entries []entry, file string) (entry, bool) {
	for _, e := range entries {
		if e.name == file {
			return e, true
		}
	}
	return entry{}, false
}

// find walks to a path of slash-separated names; "." is the tree itself. The
// entry is not found where a name is missing or a file stands in the way.
func (s *store) find(root plumbing.Hash, path string) (entry, bool, error) {
	at := entry{name: ".", mode: filemode.Dir, hash: root}
	if path == "." || path == "" {
		return at, true, nil
	}
	for _, part := range strings.Split(path, "/") {
		if !at.isTree() {
			return entry{}, false, nil
		}
		entries, err := s.tree(at.hash)
		if err != nil {
			return entry{}, false, err
		}
		e, ok := lookup(entries, part)
		if !ok {
			return entry{}, false, nil
		}
		at = e
	}
	return at, true, nil
}

// commit reads a commit, peeling annotated tags. The result is shared and its
// parents are not to be changed.
func (s *store) commit(h plumbing.Hash) (Commit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.commits[h]; ok {
		return c, nil
	}
	c, err := s.readCommit(h)
	if err != nil {
		return c, err
	}
	if len(s.commits) >= cacheCommits {
		clear(s.commits)
	}
	s.commits[h] = c
	return c, nil
}

func (s *store) readCommit(h plumbing.Hash) (Commit, error) {
	for range 16 {
		kind, data, err := s.getLocked(h)
		if err != nil {
			return Commit{}, err
		}
		switch kind {
		case plumbing.CommitObject:
			return parseCommit(h, data)
		case plumbing.TagObject:
			first, _, _ := strings.Cut(string(data), "\n")
			if !isHash(strings.TrimPrefix(first, "object ")) {
				return Commit{}, fmt.Errorf("tag %s is malformed", h)
			}
			h = plumbing.NewHash(strings.TrimPrefix(first, "object "))
		default:
			return Commit{}, fmt.Errorf("object %s is a %s, not a commit", h, kind)
		}
	}
	return Commit{}, fmt.Errorf("tag %s names a chain of tags that does not end", h)
}

func parseCommit(h plumbing.Hash, data []byte) (Commit, error) {
	head, message, _ := strings.Cut(string(data), "\n\n")
	c := Commit{Hash: name(h), Message: message}
	for line := range strings.SplitSeq(head, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			c.Tree = Hash(value)
		case "parent":
			c.Parents = append(c.Parents, Hash(value))
		case "author":
			c.Author, _ = parsePerson(value)
		case "committer":
			_, c.At = parsePerson(value)
		}
	}
	if !isHash(string(c.Tree)) {
		return c, fmt.Errorf("commit %s is malformed: no tree", h)
	}
	for _, p := range c.Parents {
		if !isHash(string(p)) {
			return c, fmt.Errorf("commit %s is malformed: parent %q", h, string(p))
		}
	}
	return c, nil
}

// parsePerson reads "Name <email> seconds zone"; the zone is only for show.
func parsePerson(s string) (Person, time.Time) {
	who, rest, _ := strings.Cut(s, " <")
	email, when, _ := strings.Cut(rest, "> ")
	seconds, _, _ := strings.Cut(when, " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return Person{who, strings.TrimSuffix(email, ">")}, time.Time{}
	}
	return Person{who, email}, time.Unix(n, 0).UTC()
}
